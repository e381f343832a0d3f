"""The registers of a board, declared once for host and gateware."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

REGISTER_WORD_BITS = 16  # of the narrowest word: registers have the same addresses, whatever the width of words


@dataclass(frozen=True)
class Register:
    """A value of `bits` bits in consecutive words of the space REGISTERS, least significant word first.

    One of access "w" keeps what the host writes, for the board alone to read.
    """

    name: str
    bits: int
    access: Literal["r", "w"]
    doc: str

    @property
    def words(self) -> int:
        return -(-self.bits // REGISTER_WORD_BITS)


class RegisterTable(Mapping[str, Register]):
    """Registers by name, in order of address, from address 0 without gaps.

    Raises `ValueError` for a name that occurs twice, `KeyError` for an unknown one.
    """

    def __init__(self, *registers: Register) -> None:
        self._registers: dict[str, Register] = {}
        self._addresses: dict[str, int] = {}
        self.words = 0
        for register in registers:
            if register.name in self._registers:
                raise ValueError(f"register {register.name!r} is declared twice")
            self._registers[register.name] = register
            self._addresses[register.name] = self.words
            self.words += register.words

    def __getitem__(self, name: str) -> Register:
        if name not in self._registers:
            raise KeyError(f"no register {name!r}; there are {', '.join(self._registers)}")
        return self._registers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registers)

    def __len__(self) -> int:
        return len(self._registers)

    def address(self, name: str) -> int:
        """Address of the first word of register `name`."""
        return self._addresses[self[name].name]


COUNTER_BITS = 16


LINK_COUNTERS = (
    Register("crc_errors", COUNTER_BITS, "r", "frames dropped for their CRC"),
    Register("frame_errors", COUNTER_BITS, "r", "frames dropped: COBS, too short, too long, or with a broken byte"),
    Register("uart_errors", COUNTER_BITS, "r", "bytes dropped for their stop bit"),
    Register("overruns", COUNTER_BITS, "r", "frames dropped because the receive memory was full"),
    Register("timeouts", COUNTER_BITS, "r", "frames cut short, forgotten after the idle gap"),
    Register("duplicates", COUNTER_BITS, "r", "requests received again"),
    Register("gaps", COUNTER_BITS, "r", "requests from the future, answered by NAK"),
)
"""The link's own counters; they wrap."""


STATISTICS = (
    Register("records", 24, "r", "records of this pass so far"),
    Register("absolute_residual", 40, "r", "sum of |residual| over them"),
    Register("saturations", 24, "r", "nodes that an update drove to the end of the word"),
    Register("clips", 24, "r", "hidden arguments cut to their domain"),
    Register("cycles", 32, "r", "clocks in which a record was in flight, or contexts were being merged"),
)
"""What the trainer counts in a pass."""


CONTROLS = (
    Register("results", 24, "w", "word of the record store to which a predicting pass writes its first result"),
    Register("first", 24, "w", "row of the record store at which a pass begins"),
    Register("count", 24, "w", "records of a pass"),
    Register("start", 2, "w", "writing a `Mode` begins a pass and zeroes its statistics"),
)
"""What the host decides; `start` last, so that one request can hold all of a pass."""


REGISTERS = RegisterTable(
    *LINK_COUNTERS,
    Register("busy", 1, "r", "1 while a pass is under way"),  # first: what is read after a 0 is that of the whole pass
    *STATISTICS,
    Register("underruns", 16, "r", "records that came too late for the schedule; the pass is then not as specified"),
    *CONTROLS,
)
"""Those of every board."""


def rate_registers(layer: int) -> tuple[Register, Register]:
    """The update shift and the back shift of a layer past the first."""
    return (
        Register(f"update_shift_{layer}", 5, "w", f"learning rate of layer {layer}, as a shift"),
        Register(f"back_shift_{layer}", 5, "w", f"learning rate before layer {layer}, as a shift of error products"),
    )


def register_table(layers: int) -> RegisterTable:
    """Those of a board with so many layers: `REGISTERS`, at the same addresses, and the rates."""
    rates = (register for layer in range(1, layers) for register in rate_registers(layer))
    return RegisterTable(*REGISTERS.values(), *rates)
