"""The registers of a board, declared once for host and gateware."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

from sw.spec.chance import CHANCE_BITS
from sw.spec.network import Network
from sw.spec.schedule import Rates, shifted_layers

REGISTER_WORD_BITS = 16  # of the narrowest word: registers have the same addresses, whatever the width of words


@dataclass(frozen=True)
class Register:
    """A value in consecutive words of the space REGISTERS, least significant word first.

    Attributes
    ----------
    name : str
        Name of the register.
    bits : int
        Bits of the value.
    access : {"r", "w"}
        Whether the host reads the register or writes it; what the host writes, only the board reads.
    doc : str
        What the value says.
    """

    name: str
    bits: int
    access: Literal["r", "w"]
    doc: str

    @property
    def words(self) -> int:
        """Words that the register takes."""
        return -(-self.bits // REGISTER_WORD_BITS)


class RegisterTable(Mapping[str, Register]):
    """Registers by name, in order of address, from address 0 without gaps.

    A name that there is not is a `KeyError` that lists the names.

    Parameters
    ----------
    *registers : Register
        The registers in order of address.

    Attributes
    ----------
    words : int
        Words of all registers.

    Raises
    ------
    ValueError
        If a name occurs twice.
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
        """Give the address of the first word of register `name`."""
        return self._addresses[self[name].name]


COUNTER_BITS = 16

PASS_BITS = 32
"""Bits of the number of a pass: few enough to be cheap, and too many for two hosts to meet by chance."""


LINK_COUNTERS = (
    Register("crc_errors", COUNTER_BITS, "r", "frames dropped for their CRC"),
    Register("frame_errors", COUNTER_BITS, "r", "frames dropped: COBS, too short, too long, or with a broken byte"),
    Register("uart_errors", COUNTER_BITS, "r", "bytes dropped for their stop bit"),
    Register("overruns", COUNTER_BITS, "r", "frames dropped because the receive memory was full"),
    Register("timeouts", COUNTER_BITS, "r", "frames cut short, forgotten after the idle gap"),
    Register("duplicates", COUNTER_BITS, "r", "requests received again"),
    Register("gaps", COUNTER_BITS, "r", "requests from the future, answered by NAK"),
)
"""Counters of the link; they wrap."""


STATISTICS = (
    Register("records", 24, "r", "records of this pass so far"),
    Register("absolute_residual", 40, "r", "sum of |residual| over them"),
    Register("saturations", 24, "r", "nodes that an update drove to the end of the word"),
    Register("clips", 24, "r", "hidden arguments cut to their domain"),
    Register("zero_steps", 24, "r", "steps that are zero, of all layers: they move no node"),
    Register("cycles", 32, "r", "clocks in which a record was in flight, or contexts were being merged"),
)
"""Counts of the trainer over one pass."""


CONTROLS = (
    Register("set_pass", PASS_BITS, "w", "number of a pass that trains, which the host chooses; not 0"),
    Register("results", 24, "w", "word of the record store to which a pass that predicts writes its first result"),
    Register("first", 24, "w", "row of the record store at which a pass begins"),
    Register("count", 24, "w", "records of a pass"),
    Register("start", 2, "w", "writing a `Mode` begins a pass and zeroes its statistics"),
)
"""What the host writes to begin a pass; `start` is last, so that one request can write all of them."""


REGISTERS = RegisterTable(
    *LINK_COUNTERS,
    Register("busy", 1, "r", "1 while a pass is under way"),  # first: values read after a 0 count the whole pass
    *STATISTICS,
    Register(
        "underruns", 16, "r", "records too late for the schedule, and results lost; the pass is then not as specified"
    ),
    Register(
        "pass", PASS_BITS, "r", "number of the last pass that trained; 0 after a reset, and once nodes are written"
    ),
    *CONTROLS,
)
"""Registers of every board. By `pass` a host that lost the link knows what the board has done meanwhile."""


def update_register(layer: int) -> Register:
    """Declare the register of a layer's update shift."""
    return Register(f"update_shift_{layer}", 5, "w", f"learning rate of layer {layer}, as a shift")


def back_register(layer: int) -> Register:
    """Declare the register of a layer's back shift."""
    return Register(f"back_shift_{layer}", 6, "w", f"learning rate before layer {layer}, as a shift of error products")


def rate_registers(layers: int) -> list[Register]:
    """Declare the registers of the rates of a network of so many layers, layer by layer."""
    declared = [(layer, update_register(layer)) for layer in shifted_layers(layers)]
    declared += [(layer, back_register(layer)) for layer in range(1, layers)]
    return [register for _, register in sorted(declared, key=itemgetter(0))]


def rate_values(rates: Rates) -> dict[str, int]:
    """List the values of the registers of rates, by their names, in the order of `rate_registers`."""
    layers = len(rates.back) + 1
    values = {
        update_register(layer).name: shift for layer, shift in zip(shifted_layers(layers), rates.update, strict=True)
    }
    values |= {back_register(layer).name: shift for layer, shift in enumerate(rates.back, start=1)}
    return {register.name: values[register.name] for register in rate_registers(layers)}


CHANCE = Register("chance", CHANCE_BITS, "r", "chance word of the next record, between passes")
SET_CHANCE = Register("set_chance", CHANCE_BITS, "w", "what is written is the chance word of the next record")


def register_table(network: Network) -> RegisterTable:
    """Make the table of a board that trains a network.

    `REGISTERS` come first, at the same addresses on every board, then the rates, then the chance word, where there are
    fine bits.
    """
    rates = rate_registers(len(network.layers))
    return RegisterTable(*REGISTERS.values(), *rates, *((CHANCE, SET_CHANCE) if network.fine else ()))
