"""What the gateware must know of an FPGA family: latencies, widths and shapes of its hard blocks.

The gateware depends on a `Technology` only, never on the Amaranth platform, so that the simulated gateware has the
same cycles as the one in the bitstream.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.fpga.resources import MemoryShape, Storage
from sw.spec.numerics import bits_for


@dataclass(frozen=True, kw_only=True)
class LogicCosts:
    """Logic cells per bit of each of `hw.plan.rtlil_count.KINDS`; `scripts/studies/calibrate.py` fits them."""

    choices: float
    registers: float

    def of(self, bits: Mapping[str, int]) -> int:
        """Logic cells of a design with so many bits of each kind."""
        return round(sum(getattr(self, kind) * count for kind, count in bits.items()))


@dataclass(frozen=True, kw_only=True)
class LutRam:
    """Memories in logic cells, each with a port to write and one to read: `words` of `bits` take `cells` of them. A
    memory of up to `most_words` belongs there."""

    words: int
    bits: int
    cells: int
    most_words: int = 64


@dataclass(frozen=True, kw_only=True)
class Technology:
    """An FPGA family as the gateware sees it.

    Attributes:
        name: part family, as in data sheets.
        fabric: families with the same logic cells have the same.
        logic_costs: what a design takes of them.
        multiplier_width: operand bits of a signed product in one hard multiplier; None where products are logic.
        multiplier_cell: the hard multiplier's name where it must be instantiated: synthesis infers it wrongly, or
            without the registers that it has.
        multiplier_latency: cycles from operands to product, all registers of the product included.
        multiplier_logic: logic cells of a product that no hard multiplier takes, divided by both its widths.
        memory_latency: cycles from a block RAM's address to its data.
        fine_stages: whether its clock is so fast that a shift, an addition, a limit and a long way each need a pipeline
            stage.
        expected_fmax_hz: the clocks that place and route reach of designs as they are here: of a small one, and of one
            that takes all of a part's logic or multipliers; None where none was placed. `docs/results.md` has the
            evidence.
        block_ram: (words, bits) that a block RAM with one read and one write port can be.
        lut_ram: what logic cells hold of memories; None where they hold none.
        single_port_ram: (words, bits) of the large single-port RAMs; None where there are none.
    """

    name: str
    fabric: str
    logic_costs: LogicCosts
    multiplier_width: int | None
    multiplier_cell: str | None = None
    multiplier_latency: int
    multiplier_logic: float
    memory_latency: int
    fine_stages: bool
    expected_fmax_hz: tuple[float, float] | None
    block_ram: tuple[tuple[int, int], ...]
    lut_ram: LutRam | None = None
    single_port_ram: tuple[int, int] | None = None

    @property
    def long_way(self) -> int:
        """Cycles from one place to many far apart, or back."""
        return 2 if self.fine_stages else 0

    @property
    def spram(self) -> bool:
        return self.single_port_ram is not None

    def multiplies(self, width: int) -> bool:
        """Whether one hard multiplier takes operands of so many bits."""
        return self.multiplier_width is not None and width <= self.multiplier_width

    def product_logic(self, width: int) -> int:
        """Logic cells of a product of a word and a difference of words, which has a bit more."""
        return 0 if self.multiplies(width) else round(self.multiplier_logic * width * (width + 1))

    def storage(self, depth: int) -> Storage:
        """Where a memory of so many words belongs, if it has one port to write."""
        return Storage.LOGIC if self.lut_ram and depth <= self.lut_ram.most_words else Storage.BLOCK

    def block_rams(self, memory: MemoryShape) -> int:
        """Block RAMs of a memory: the best of their shapes, tiled, once per read port."""
        tiles = min(-(-memory.depth // words) * -(-memory.width // bits) for words, bits in self.block_ram)
        return tiles * memory.read_ports * memory.count

    def memory_logic(self, memory: MemoryShape) -> int:
        """Logic cells of a memory that lies in them: those that hold it and those that choose among them, once per read
        port. Raises ValueError if the family's hold none."""
        if self.lut_ram is None:
            raise ValueError(f"{memory.name}: logic cells of {self.name} hold no memory")
        ram = self.lut_ram
        deep = -(-memory.depth // ram.words)
        cells = deep * -(-memory.width // ram.bits) * ram.cells + bits_for(deep) * memory.width
        return cells * memory.read_ports * memory.count

    def single_port_rams(self, memory: MemoryShape) -> int:
        """Single-port RAMs of a memory. Raises ValueError if the family has none."""
        if self.single_port_ram is None:
            raise ValueError(f"{memory.name}: {self.name} has no single-port RAM")
        words, bits = self.single_port_ram
        return -(-memory.depth // words) * -(-memory.width // bits) * memory.count
