"""What a plan shows: the foldings that were considered, and what the chosen design takes."""

from collections.abc import Sequence

from rich.table import Table

from hw.design.design import Design
from hw.plan.cost_model import expected_fmax, requirements
from hw.plan.search import Verdict, nanoseconds
from hw.plan.usage import add_rows, usages

PLANNED_SLOTS = 100_000  # of a design that is ruled out; the schedule of more slots takes minutes to find


def is_planned(verdict: Verdict) -> bool:
    """Tell whether a folding's schedule is worth its time.

    Parameters
    ----------
    verdict : Verdict
        A folding that was considered.

    Returns
    -------
    bool
        False for a folding that is ruled out and has very many slots.
    """
    return verdict.against is None or verdict.design.slots <= PLANNED_SLOTS


def foldings_table(verdicts: Sequence[Verdict]) -> Table:
    """Return a row for each folding that was considered.

    Parameters
    ----------
    verdicts : sequence of Verdict
        The folding with the fewest slots first, the one that is chosen last.
    """
    columns = ("lanes", "taps", "slots", "clock", "multipliers", "verdict")
    table = Table(*columns, title="foldings, those of the fewest slots first")
    for verdict in verdicts:
        design = verdict.design
        table.add_row(
            ", ".join(str(folding.lanes) for folding in design.foldings),
            str(design.taps),
            str(design.slots),
            f"{design.board.clock_hz / 1e6:g} MHz",
            str(design.plan.multipliers) if is_planned(verdict) else "",
            verdict.against or "chosen",
        )
    return table


def design_table(design: Design) -> Table:
    """Return what a design is estimated to take of its board, and how fast it trains.

    A late target is one that arrives after the prediction.

    Parameters
    ----------
    design : Design
        One with a folding.
    """
    board, schedule = design.board, design.plan.schedule
    table = Table(title=f"{design.network} on {board.name}", title_justify="left", show_header=False)
    add_rows(table, usages(requirements(design), board.budget))
    if design.logic_products:
        table.add_row("multipliers of logic", str(design.logic_products))
    table.add_row("record store", f"{design.configuration.block * 2:,} records")
    table.add_row("clock", f"{board.clock_hz / 1e6:g} MHz; {expected_fmax_text(design)}")
    if (operations := board.technology.operations_per_stage) > 1:
        table.add_row("registers", f"after every {operations} operations, for a low latency")
    table.add_row(
        "cycles per record", f"{schedule.initiation_interval}; a forward pass misses {schedule.staleness} updates"
    )
    for name, clocks in (
        ("record to prediction", schedule.result_latency),
        ("record to last write", schedule.latency),
        ("late target to last write", schedule.latency - schedule.result_latency),
    ):
        table.add_row(name, f"{clocks} clocks, {nanoseconds(design, clocks)} ns")
    table.add_row("records per second", f"{design.configuration.records_per_second:,.0f}")
    table.add_row("of the roofline", f"{design.roofline_share:.1%}, with {design.plan.multipliers} multipliers")
    return table


def expected_fmax_text(design: Design) -> str:
    """Say which clock place and route should reach.

    Parameters
    ----------
    design : Design
        One with a folding.
    """
    fmax_hz = expected_fmax(design)
    if fmax_hz is None:
        return "the clock that place and route should reach is not known for this family"
    slower = "; give a slower --clock" if fmax_hz < design.board.clock_hz else ""
    return f"place and route should reach {fmax_hz / 1e6:.0f} MHz{slower}"
