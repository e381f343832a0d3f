"""The virtual board: gateware compiled with Verilator, its UART behind a pseudo-terminal."""

import contextlib
import subprocess
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from amaranth.hdl import Elaboratable

from hw.flow.tools import emit_verilog
from sim.verilator import compile_executable

_HARNESS = Path(__file__).with_suffix(".cpp")


class VirtualBoardError(RuntimeError):
    """The simulation ended by itself; the message has its output, such as a failed assertion of the gateware."""


@dataclass(frozen=True)
class LineRates:
    """Faults of the line between host and board, in both directions; what a byte port cannot express.

    Attributes
    ----------
    stop : float
        Probability that a byte's stop bit is low.
    pause : float
        Probability that the line is idle before a byte into the board, for up to 8000 bit times.
    line_break : float
        Probability, of a bit time, that the line is held low for 10 to 60 bit times.
    floating : float
        Probability, of a bit time, that nothing drives the line for up to 400 bit times: its level is random.
    noise : float
        Probability, of a bit time, of a pulse of a quarter of a bit or less.
    skew : float
        The share by which the host's bits are longer than the board's.
    seed : int
        Of the random numbers.
    """

    stop: float = 0.0
    pause: float = 0.0
    line_break: float = 0.0
    floating: float = 0.0
    noise: float = 0.0
    skew: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class LineFaults:
    """Faults that the line had so far.

    Attributes
    ----------
    stops, pauses, breaks, floats, pulses : int
        Faults of each kind of `LineRates`, in its order.
    edges : int
        Edges while nothing drove the line: each falling one may look like a start bit.
    """

    stops: int = 0
    pauses: int = 0
    breaks: int = 0
    floats: int = 0
    pulses: int = 0
    edges: int = 0


class VirtualBoard:
    """A simulated board that a host talks to through a port, like one on a cable; a context manager.

    The board is simulated as fast as possible, from entry to exit. A byte is taken from the host only when the UART
    line is soon ready for it, and a host that does not read stalls the clock, so no byte is lost on the way. After ten
    seconds without a byte in either direction the clock is slowed down, to leave the processor to others, until the
    next byte arrives.

    Parameters
    ----------
    soc : Elaboratable or str
        A component with `rx: In(1)` and `tx: Out(1)`, a UART line each (8N1), and the clock domain `sync`; or Verilog
        whose module `top` has these ports and `clk` and `rst`.
    clocks_per_bit : int
        Clock cycles in a bit of the UART, at least 2.
    waves : Path, optional
        File to write waveforms to, in VCD format: some hundred bytes a cycle.

    Attributes
    ----------
    port : str
        Path of the port, for `serial.Serial` or `sw.device.serial_port.open_port`; set on entry, and by `unplug`.

    Raises
    ------
    ValueError
        For fewer than 2 clocks a bit.
    sim.verilator.CompileError
        On entry, if the gateware cannot be compiled.
    """

    port: str

    def __init__(self, soc: Elaboratable | str, *, clocks_per_bit: int, waves: Path | None = None):
        if clocks_per_bit < 2:
            raise ValueError(f"clocks_per_bit is {clocks_per_bit}; a UART needs at least 2")
        self._soc = soc
        self._clocks_per_bit = clocks_per_bit
        self._waves = waves
        self._process: subprocess.Popen[str] | None = None
        self._state = "0"

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far, or in all once the board has stopped.

        Raises
        ------
        VirtualBoardError
            If the simulation ended by itself.
        """
        return int(self._ask("").split()[0])

    @property
    def faults(self) -> LineFaults:
        """Faults of the line so far."""
        return LineFaults(*map(int, self._ask("").split()[1:-1]))

    def reset(self) -> None:
        """Reset the board, whatever it does; its memories keep what they have, as those of a board do."""
        self._ask("reset")

    def unplug(self) -> None:
        """Close the port, as a cable that is pulled, and open another one, which is `port` from now on."""
        self.port = self._ask("unplug").split()[-1]

    def disturb(self, rates: LineRates) -> None:
        """Set the faults of the line from now on."""
        self._ask(" ".join(map(str, ("line", *astuple(rates)))))

    def _ask(self, request: str) -> str:
        """Send a request, and return the state of the simulation after it; its last one once it has stopped."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):  # the process has ended, and there is no line to read
                print(request, file=self._process.stdin, flush=True)
            self._state = self._read_line()
        return self._state

    def __enter__(self) -> Self:
        options = ["--trace-vcd"] if self._waves else []
        text = self._soc if isinstance(self._soc, str) else emit_verilog(self._soc)
        executable = compile_executable(text, _HARNESS, options=options)
        command = [str(executable), str(self._clocks_per_bit)]
        if self._waves:
            self._waves.parent.mkdir(parents=True, exist_ok=True)
            command.append(str(self._waves))
        # In a process group of its own, so that Ctrl-C reaches the host program first; when that dies, however it dies,
        # stdin closes and the simulation ends.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )
        self.port = self._read_line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the simulation, and wait until it has ended.

        Raises
        ------
        VirtualBoardError
            If the simulation had ended by itself before.
        """
        if self._process is not None:
            process, self._process = self._process, None
            output, _ = process.communicate()  # closes stdin, which ends it
            if process.returncode:
                raise VirtualBoardError(f"the virtual board ended with status {process.returncode}:\n{output}")
            self._state = output.strip()

    def wait(self) -> None:
        """Wait until the simulation ends by itself, which is an error.

        Raises
        ------
        VirtualBoardError
            When it has ended.
        """
        if self._process is not None:
            self._process.wait()
            self.stop()

    def _read_line(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line or "%Error" in line:
            process, self._process = self._process, None
            output, _ = process.communicate()
            raise VirtualBoardError(f"the virtual board ended with status {process.returncode}:\n{line}{output}")
        return line.strip()
