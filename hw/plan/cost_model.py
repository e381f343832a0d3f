"""What a design takes of a device, estimated before synthesis: resources, logic cells, and the clock to expect."""

from collections.abc import Iterable
from functools import cache

from hw.design.design import Design
from hw.fpga.board import Board
from hw.fpga.resources import RESOURCE_NAMES, MemoryShape, Resources, Storage, shortfalls
from hw.fpga.technology import Technology
from hw.plan.memories import memories_before_planning, memories_of
from hw.plan.rtlil_count import rtlil_count
from hw.soc.soc import Soc


class DoesNotFitError(ValueError):
    """A design that breaks a board's budget, or that should miss its clock."""


def demand(*, technology: Technology, multipliers: int, memories: Iterable[MemoryShape], logic: int = 0) -> Resources:
    """Return the resources of these multipliers, memories and logic cells.

    Parameters
    ----------
    technology : Technology
        The FPGA family.
    multipliers : int
        Hard multipliers; those that are made of logic cells are counted in `logic`.
    memories : iterable of MemoryShape
        Counted where they lie.
    logic : int
        Logic cells of everything else.
    """
    counts = {
        Storage.LOGIC: technology.memory_logic,
        Storage.BLOCK: technology.block_rams,
        Storage.SINGLE_PORT: technology.single_port_rams,
    }
    totals = dict.fromkeys(Storage, 0)
    for memory in memories:
        totals[memory.storage] += counts[memory.storage](memory)
    return Resources(
        logic=logic + totals[Storage.LOGIC],
        multipliers=multipliers,
        block_ram=totals[Storage.BLOCK],
        single_port_ram=totals[Storage.SINGLE_PORT],
    )


def breaches(need: Resources, board: Board) -> str:
    """Return each budget of a board that is broken, in words; an empty text if there is none."""
    return "; ".join(
        f"{needed} {RESOURCE_NAMES[name]}, {board.name} has {had}"
        for name, needed, had in shortfalls(need=need, have=board.budget)
    )


def check(design: Design) -> Resources:
    """Return what a design needs of its board.

    Raises
    ------
    DoesNotFitError
        Naming each budget of the board that the design breaks.
    """
    for demanded in (hard_requirements, requirements):  # the quicker to find first
        need = demanded(design)
        if broken := breaches(need, design.board):
            of_logic = f" ({count} of its multipliers are made of logic)" if (count := design.logic_products) else ""
            raise DoesNotFitError(f"{design.network} needs {broken}{of_logic}")
    return need


def requirements(design: Design) -> Resources:
    """Return what a design needs of its board; its logic is estimated from its RTLIL."""
    return _requirements(design, design.plan.multipliers, memories_of(design), logic_of(design))


def hard_requirements(design: Design) -> Resources:
    """Return what a design needs of multipliers and memories; of logic, only products and memories made of it."""
    return _requirements(design, design.plan.multipliers, memories_of(design), 0)


def least_requirements(design: Design) -> Resources:
    """Return what a design needs at the least, whatever its schedule: one multiplier a function, no other logic."""
    return _requirements(design, design.functions, memories_before_planning(design), 0)


def _requirements(design: Design, multipliers: int, memories: Iterable[MemoryShape], logic: int) -> Resources:
    technology, width = design.board.technology, design.network.width
    of_logic = design.board.logic_products(width, multipliers)
    return demand(
        technology=technology,
        multipliers=multipliers - of_logic,
        memories=memories,
        logic=logic + technology.product_logic(width) * of_logic,
    )


@cache
def logic_of(design: Design) -> int:
    """Return the estimated logic cells of a design, without products and memories that are made of them."""
    return design.board.technology.logic_costs.of(rtlil_count(Soc(design)))


def expected_fmax(design: Design) -> float | None:
    """Return the clock in Hz that place and route should reach; None for a family without placed designs.

    The more of a device's logic or multipliers a design takes, the longer its wires are.
    """
    technology, budget, need = design.board.technology, design.board.budget, requirements(design)
    if technology.expected_fmax_hz is None:
        return None
    small, whole = technology.expected_fmax_hz
    share = max(need.logic / budget.logic, need.multipliers / budget.multipliers if budget.multipliers else 0)
    return small + (whole - small) * share
