"""What the gateware must know of an FPGA family: latencies, widths and shapes of its hard blocks.

The gateware depends on a `Technology` only, never on the Amaranth platform, so that the simulated gateware has the
same cycles as the one in the bitstream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum

from sw.spec.numerics import bits_for


class Storage(Enum):
    """Where a memory lies: in block RAM, in the large single-port RAMs of an iCE40 UltraPlus, or in logic cells."""

    BLOCK = "block RAM"
    SINGLE_PORT = "single-port RAM"
    LOGIC = "logic"


@dataclass(frozen=True, kw_only=True)
class MemoryShape:
    """A memory of the gateware, as the budget counts it.

    `read_ports` besides the one write port; block RAM with one read port holds a copy for each of them. `count` such
    memories exist.
    """

    name: str
    width: int
    depth: int
    storage: Storage = Storage.BLOCK
    read_ports: int = 1
    count: int = 1

    @property
    def attributes(self) -> dict[str, str]:
        """Of the gateware's memory, so that synthesis puts it there."""
        return {"ram_style": "distributed" if self.storage is Storage.LOGIC else "block"}


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Amounts of what a part has and a design needs: logic cells (LUT and flip-flop) and hard blocks."""

    logic: int = 0
    block_ram: int = 0
    multipliers: int = 0
    single_port_ram: int = 0


RESOURCE_NAMES = {
    "logic": "logic cells",
    "block_ram": "block RAMs",
    "multipliers": "multipliers",
    "single_port_ram": "single-port RAMs",
}


def shortfalls(*, need: Resources, have: Resources) -> list[tuple[str, int, int]]:
    """(resource, needed, had) wherever there is less than needed."""
    pairs = ((field.name, getattr(need, field.name), getattr(have, field.name)) for field in fields(Resources))
    return [(name, needed, had) for name, needed, had in pairs if had < needed]


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
        reach_hz: the clocks that place and route reach of designs as they are here: of a small one, and of one that
            takes all of a part's logic or multipliers; None where none was placed. `docs/results.md` has the evidence.
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
    reach_hz: tuple[float, float] | None
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


ICE40_COSTS = LogicCosts(choices=0.531, registers=0.708)

ICE40UP5K = Technology(
    name="iCE40UP5K",
    fabric="iCE40",
    logic_costs=ICE40_COSTS,
    multiplier_width=16,
    multiplier_cell="SB_MAC16",
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    reach_hz=(38e6, 38e6),
    block_ram=((256, 16), (512, 8), (1024, 4), (2048, 2)),
    single_port_ram=(16384, 16),
)

ICE40HX8K = Technology(
    name="iCE40HX8K",
    fabric="iCE40",
    logic_costs=ICE40_COSTS,
    multiplier_width=None,
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    reach_hz=(76e6, 76e6),
    block_ram=ICE40UP5K.block_ram,
)

ECP5_COSTS = LogicCosts(choices=0.428, registers=0.418)

ECP5 = Technology(
    name="ECP5",
    fabric="ECP5",
    logic_costs=ECP5_COSTS,
    multiplier_width=18,
    multiplier_cell="MULT18X18D",
    multiplier_latency=2,
    multiplier_logic=1.4,
    memory_latency=2,
    fine_stages=True,
    reach_hz=(110e6, 99e6),
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    lut_ram=LutRam(words=16, bits=4, cells=6),  # two cells only write
)

ARTIX7 = Technology(
    name="Artix-7",
    fabric="Artix-7",
    logic_costs=ECP5_COSTS,  # not fitted to this family, whose cells hold more
    multiplier_width=18,  # of 18 x 25
    multiplier_latency=2,
    multiplier_logic=1.4,
    memory_latency=2,
    fine_stages=True,
    reach_hz=None,
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    lut_ram=LutRam(words=32, bits=6, cells=4),
)
