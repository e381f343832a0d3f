"""What the gateware must know of an FPGA family: latencies, widths and shapes of its hard blocks.

The gateware depends on a `Technology` only, never on the Amaranth platform, so that the simulated gateware has the
same cycles as the one in the bitstream. A `Technology` is defined in its family's file, such as `hw.fpga.ecp5`; no
other module lists families.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from amaranth import Instance, Signal, Value

from hw.fpga.resources import MemoryShape, Storage
from hw.fpga.tool_flow import ToolFlow
from sw.spec.numerics import bits_for

MultiplierCell = Callable[[Signal, Signal, Signal], Instance]
"""Makes a hard multiplier of operands `a` and `b`, as wide as its inputs, and `product`, as wide as both together."""

PRODUCT_OPERATIONS = 3
"""Operations that take as long as a product without registers."""

SinglePortRamCell = Callable[[Value, Value, Value, Signal], Instance]
"""Makes a single-port RAM of `address`, `data`, `write` and the output `found`; it reads in each cycle without
`write`."""


@dataclass(frozen=True, kw_only=True)
class LogicCosts:
    """Logic cells per bit of each of `hw.plan.rtlil_count.KINDS`; `scripts/studies/calibrate.py` fits them.

    Attributes
    ----------
    choices, registers : float
        Logic cells per bit.
    sums : float
        The same; 0 where a register follows each sum, and stands for it.
    """

    choices: float
    registers: float
    sums: float = 0.0

    def of(self, bits: Mapping[str, int]) -> int:
        """Estimate the logic cells of a design.

        Parameters
        ----------
        bits : mapping of str to int
            Bits of each kind in the design.

        Returns
        -------
        int
            Logic cells.
        """
        return round(sum(getattr(self, kind) * count for kind, count in bits.items()))


@dataclass(frozen=True, kw_only=True)
class LutRam:
    """Memories in logic cells, each with one port to write and one to read.

    Attributes
    ----------
    words, bits : int
        Shape of the smallest such memory.
    cells : int
        Logic cells that it takes.
    most_words : int
        Depth up to which a memory goes into logic cells rather than block RAM.
    """

    words: int
    bits: int
    cells: int
    most_words: int = 64


class SinglePortRam(NamedTuple):
    """A large RAM block that either reads or writes in a cycle.

    Attributes
    ----------
    words, bits : int
        Shape of a block.
    cell : SinglePortRamCell
        Instantiates a block.
    """

    words: int
    bits: int
    cell: SinglePortRamCell


@dataclass(frozen=True, kw_only=True)
class Technology:
    """An FPGA family as gateware, planner and tools see it.

    Attributes
    ----------
    name : str
        Device family, as in data sheets.
    fabric : str
        Name that families with the same logic cells share.
    flow : ToolFlow
        How the tools build for the family.
    logic_costs : LogicCosts
        Logic cells that a design takes.
    multiplier_width : int or None
        Operand bits of a signed product in one hard multiplier; None where all products are made of logic.
    multiplier_cell : MultiplierCell or None
        Instantiates a hard multiplier with its registers; None where synthesis infers it rightly.
    multiplier_latency : int
        Cycles from operands to product, all registers of the product included.
    multiplier_logic : float
        Logic cells of a product in logic, divided by the widths of both operands.
    mixed_products : float
        Products of logic beside the hard multipliers, as a share of these, up to which designs were placed and routed.
        The planner's search takes no more.
    memory_latency : int
        Cycles from a block RAM's address to its data.
    fine_stages : bool
        Whether the clock is so fast that a shift, an addition, a limit and a long wire each need a pipeline stage.
    operations_per_stage : int
        Operations between two registers of the datapath; more than one where a prediction and an update are to take few
        nanoseconds, at a slower clock. A shift, an addition, a choice and a limit are an operation each; a product is
        `PRODUCT_OPERATIONS`. If they are more than one, `multiplier_latency` is 0.
    low_latency : Technology or None
        The same family with more operations between two registers; None where no such designs were placed.
    expected_fmax_hz : tuple of float or None
        Clocks that place and route reached: for a small design, and for one that takes all of a device's logic or
        multipliers; None where no design was placed. `docs/results.md` has the evidence.
    block_ram : tuple of (int, int)
        Shapes (words, bits) of a block RAM with one read and one write port.
    lut_ram : LutRam or None
        Memories in logic cells; None where logic cells hold no memory.
    single_port_ram : SinglePortRam or None
        The large single-port RAMs; None where there are none.
    """

    name: str
    fabric: str
    flow: ToolFlow
    logic_costs: LogicCosts
    multiplier_width: int | None
    multiplier_cell: MultiplierCell | None = None
    multiplier_latency: int
    multiplier_logic: float
    memory_latency: int
    fine_stages: bool
    mixed_products: float = 0.0
    operations_per_stage: int = 1
    low_latency: "Technology | None" = None
    expected_fmax_hz: tuple[float, float] | None
    block_ram: tuple[tuple[int, int], ...]
    lut_ram: LutRam | None = None
    single_port_ram: SinglePortRam | None = None

    @property
    def combines_operations(self) -> bool:
        """Whether a register of the datapath follows several operations."""
        return self.operations_per_stage > 1

    @property
    def long_way(self) -> int:
        """Cycles that a value takes from one place to many that are far apart, or back."""
        return 2 if self.fine_stages else 0

    @property
    def spram(self) -> bool:
        """Whether the family has single-port RAMs."""
        return self.single_port_ram is not None

    def multiplies(self, width: int) -> bool:
        """Tell whether one hard multiplier takes operands of `width` bits."""
        return self.multiplier_width is not None and width <= self.multiplier_width

    def product_logic(self, width: int) -> int:
        """Count the logic cells of a product in logic of a word and a difference of two words.

        Parameters
        ----------
        width : int
            Bits of a word; the difference has one more.
        """
        return round(self.multiplier_logic * width * (width + 1))

    def storage(self, depth: int) -> Storage:
        """Choose where a memory of `depth` words with one write port lies."""
        return Storage.LOGIC if self.lut_ram and depth <= self.lut_ram.most_words else Storage.BLOCK

    def block_rams(self, memory: MemoryShape) -> int:
        """Count the block RAMs of a memory: tiles of the best of their shapes, once per read port."""
        tiles = min(-(-memory.depth // words) * -(-memory.width // bits) for words, bits in self.block_ram)
        return tiles * memory.read_ports * memory.count

    def memory_logic(self, memory: MemoryShape) -> int:
        """Count the logic cells of a memory that lies in them.

        Parameters
        ----------
        memory : MemoryShape
            The memory.

        Returns
        -------
        int
            Cells that hold the words and cells that choose among them, once per read port.

        Raises
        ------
        ValueError
            If the family's logic cells hold no memory.
        """
        if self.lut_ram is None:
            raise ValueError(f"{memory.name}: logic cells of {self.name} hold no memory")
        ram = self.lut_ram
        deep = -(-memory.depth // ram.words)
        cells = deep * -(-memory.width // ram.bits) * ram.cells + bits_for(deep) * memory.width
        return cells * memory.read_ports * memory.count

    def single_port_rams(self, memory: MemoryShape) -> int:
        """Count the single-port RAMs of a memory.

        Parameters
        ----------
        memory : MemoryShape
            The memory.

        Returns
        -------
        int
            Blocks.

        Raises
        ------
        ValueError
            If the family has no single-port RAM.
        """
        if self.single_port_ram is None:
            raise ValueError(f"{memory.name}: {self.name} has no single-port RAM")
        ram = self.single_port_ram
        return -(-memory.depth // ram.words) * -(-memory.width // ram.bits) * memory.count
