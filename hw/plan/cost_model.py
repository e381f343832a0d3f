"""What a design takes of a device, estimated before synthesis: resources, logic cells, and the clock to expect."""

from collections.abc import Iterable
from functools import cache

from hw.design.design import Design
from hw.fpga.board import Board
from hw.fpga.resources import RESOURCE_NAMES, MemoryShape, Resources, Storage, shortfalls
from hw.fpga.technology import Technology
from hw.plan.rtlil_count import rtlil_count
from hw.soc.soc import Soc


class DoesNotFitError(ValueError):
    """A configuration that breaks a board's budget."""


def demand(*, technology: Technology, multipliers: int, memories: Iterable[MemoryShape], logic: int = 0) -> Resources:
    """What a design needs: hard `multipliers` (those made of logic are in `logic`), memories by where they lie, and
    other `logic`."""
    counts = {
        Storage.LOGIC: technology.memory_logic,
        Storage.BLOCK: technology.block_rams,
        Storage.SINGLE_PORT: technology.single_port_rams,
    }
    parts = dict.fromkeys(Storage, 0)
    for memory in memories:
        parts[memory.storage] += counts[memory.storage](memory)
    return Resources(
        logic=logic + parts[Storage.LOGIC],
        multipliers=multipliers,
        block_ram=parts[Storage.BLOCK],
        single_port_ram=parts[Storage.SINGLE_PORT],
    )


def breaches(need: Resources, board: Board) -> str:
    """Each budget of a board that is broken, in words; empty if there is none."""
    return "; ".join(
        f"{needed} {RESOURCE_NAMES[name]}, {board.name} has {had}"
        for name, needed, had in shortfalls(need=need, have=board.budget)
    )


def check(design: Design) -> Resources:
    """What a design needs. Raises DoesNotFitError naming each budget of its board that it breaks."""
    for demanded in (hard_requirements, requirements):  # the quicker to find first
        need = demanded(design)
        if broken := breaches(need, design.board):
            raise DoesNotFitError(f"{design.network} needs {broken}")
    return need


def requirements(design: Design) -> Resources:
    """What a design needs of its board; its logic is estimated from what it is made of."""
    return _requirements(design, design.multipliers, design.memories, logic_of(design))


def least_requirements(design: Design) -> Resources:
    """What it needs at the least, with one multiplier for each function, without its logic and the memories that depend
    on the schedule: these take time to find out."""
    return _requirements(design, sum(design.functions), design.unscheduled_memories, 0)


def hard_requirements(design: Design) -> Resources:
    """What it needs of multipliers and memories; of logic, only that of products and memories that are made of it."""
    return _requirements(design, design.multipliers, design.memories, 0)


def memory_requirements(design: Design) -> Resources:
    """What its memories need."""
    return demand(technology=design.board.technology, multipliers=0, memories=design.memories)


def _requirements(design: Design, multipliers: int, memories: Iterable[MemoryShape], logic: int) -> Resources:
    technology, width = design.board.technology, design.network.width
    return demand(
        technology=technology,
        multipliers=multipliers if technology.multiplies(width) else 0,
        memories=memories,
        logic=logic + technology.product_logic(width) * multipliers,
    )


@cache
def logic_of(design: Design) -> int:
    """Logic cells that a design takes, without products and memories that are made of them."""
    return design.board.technology.logic_costs.of(rtlil_count(Soc(design)))


def expected_fmax_of(design: Design) -> float | None:
    """The clock in Hz that place and route should reach, None where nobody knows: the more of a part's logic or
    multipliers a design takes, the farther its signals go."""
    technology, budget, need = design.board.technology, design.board.budget, requirements(design)
    if technology.expected_fmax_hz is None:
        return None
    small, whole = technology.expected_fmax_hz
    share = max(need.logic / budget.logic, need.multipliers / budget.multipliers if budget.multipliers else 0)
    return small + (whole - small) * share
