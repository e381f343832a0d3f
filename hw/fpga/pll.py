"""The system clock: a PLL per FPGA family, its dividers, and a reset that lasts until the clock can be trusted."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import Out

# iCE40 block RAM reads zeros for some 3 us after configuration; five times that covers process and temperature.
RESET_SECONDS = 15e-6


@dataclass(frozen=True)
class Limits:
    """A frequency range in Hz, both ends legal."""

    what: str
    low: float
    high: float

    def __contains__(self, frequency: float) -> bool:
        return self.low <= frequency <= self.high

    def check(self, frequency: float) -> None:
        if frequency not in self:
            raise ValueError(
                f"{self.what} {frequency / 1e6:g} MHz is not in {self.low / 1e6:g}..{self.high / 1e6:g} MHz"
            )


def nearest(frequency: float, others: Collection[float]) -> str:
    """The ones next to it, below and above, in MHz."""
    below = max((hz for hz in others if hz < frequency), default=None)
    above = min((hz for hz in others if hz > frequency), default=None)
    return " or ".join(f"{hz / 1e6:g}" for hz in (below, above) if hz is not None)


class Pll(wiring.Component):
    """A PLL from the platform's default clock to `output_hz`.

    Place and route derives the constraint of the output from the input's and from the dividers in the netlist: what is
    checked is the frequency that the hardware makes.

    Attributes:
        clock: the output.
        locked: high once the output is stable; asynchronous.
        resets: whether it holds all flip-flops of the chip in their first state until it is locked.
        inputs, outputs: what the part allows, as it does the family's oscillator and phase detector.
    """

    resets = False
    inputs: ClassVar[Limits]
    outputs: ClassVar[Limits]
    clock: Out(1)
    locked: Out(1)

    def __init__(self, *, output_hz: int):
        self.output_hz = output_hz
        super().__init__()

    @classmethod
    def clocks(cls, input_hz: float) -> dict[float, Any]:
        """Every frequency in Hz that it can make of an input, and the dividers that do. Raises ValueError for an input
        that is out of range."""
        cls.inputs.check(input_hz)
        return {made: dividers for made, dividers in cls._settings(input_hz) if made in cls.outputs}

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Any]]:
        """Frequencies and dividers; of those for one frequency, the last are the best."""
        raise NotImplementedError

    def dividers(self, input_hz: float) -> Any:
        """Those that make exactly `output_hz`. Raises ValueError if none do, naming the nearest that can be made."""
        self.outputs.check(self.output_hz)
        clocks = self.clocks(input_hz)
        if self.output_hz not in clocks:
            raise ValueError(
                f"the PLL cannot make {self.output_hz / 1e6:g} MHz; the nearest it can are "
                f"{nearest(self.output_hz, clocks)} MHz"
            )
        return clocks[self.output_hz]


class SystemClock(Elaboratable):
    """Drives clock domain `sync` from a PLL, in reset while that is not locked; and for `RESET_SECONDS` after, unless
    the PLL resets the chip.

    Attributes:
        domain: that one, for a parent to define.
    """

    def __init__(self, pll: Pll):
        self.pll, self.domain = pll, ClockDomain("sync", reset_less=pll.resets)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.pll = self.pll
        m.d.comb += ClockSignal("sync").eq(self.pll.clock)
        if not self.pll.resets:
            self._reset(m)
        return m

    def _reset(self, m: Module) -> None:
        m.domains.start = ClockDomain(local=True, async_reset=True)
        cycles = int(RESET_SECONDS * self.pll.output_hz)
        elapsed, ready = Signal(range(cycles + 1)), Signal()
        m.submodules.locked = ResetSynchronizer(~self.pll.locked, domain="start")
        with m.If(elapsed == cycles):
            m.d.start += ready.eq(1)
        with m.Else():
            m.d.start += elapsed.eq(elapsed + 1)
        m.d.comb += [
            ClockSignal("start").eq(self.pll.clock),
            ResetSignal("sync").eq(~ready),
        ]
