"""The fastest design for a board, and why it is: `python -m hw.plan --board ulx3s --network norm4`."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from hw.design.design import Design
from hw.plan.cost_model import DoesNotFitError, check, expected_fmax, requirements
from hw.plan.options import add_design, board_of, search_of
from hw.plan.search import Verdict
from hw.plan.usage import add_rows, usages
from hw.schedule.chart import chart

SHOWN = 12  # foldings ruled out that are shown, the last ones before the choice


def foldings_table(verdicts: Sequence[Verdict]) -> Table:
    """The foldings that were considered, the one with the fewest slots first."""
    table = Table("lanes", "taps", "slots", "multipliers", "verdict", title="foldings, those of the fewest slots first")
    for verdict in verdicts:
        design = verdict.design
        table.add_row(
            ", ".join(str(folding.lanes) for folding in design.foldings),
            str(design.taps),
            str(design.slots),
            str(design.plan.multipliers),
            verdict.against or "chosen",
        )
    return table


def design_table(design: Design) -> Table:
    """What is estimated of a design."""
    board, schedule = design.board, design.plan.schedule
    table = Table(title=f"{design.network} on {board.name}", title_justify="left", show_header=False)
    add_rows(table, usages(requirements(design), board.budget))
    table.add_row("record store", f"{design.configuration.block * 2:,} records")
    table.add_row("clock", f"{board.clock_hz / 1e6:g} MHz; {expected_fmax_text(design)}")
    table.add_row(
        "cycles per record", f"{schedule.initiation_interval}; a forward pass misses {schedule.staleness} updates"
    )
    table.add_row("records per second", f"{design.configuration.records_per_second:,.0f}")
    table.add_row("of the roofline", f"{design.roofline_share:.1%}, with {design.plan.multipliers} multipliers")
    return table


def expected_fmax_text(design: Design) -> str:
    """What clock place and route should reach, in words."""
    reach = expected_fmax(design)
    if reach is None:
        return "nobody knows what place and route reach"
    slower = "; give a slower --clock" if reach < design.board.clock_hz else ""
    return f"place and route should reach {reach / 1e6:.0f} MHz{slower}"


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.plan", description=__doc__)
    add_design(parser)
    parser.add_argument("--chart", type=int, metavar="N", help="show the clocks of N records")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    console = Console()
    try:
        with console.status("foldings, from the fewest slots on ..."):
            found = search_of(board_of(arguments), arguments)
            ruled_out, chosen = found.ruled_out, found.chosen
            tables = foldings_table([*ruled_out[-SHOWN:], chosen]), design_table(chosen.design)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if len(ruled_out) > SHOWN:
        console.print(f"{len(ruled_out) - SHOWN} foldings of fewer slots are ruled out as those below are.")
    console.print(*tables, sep="\n")
    if arguments.chart:
        design = chosen.design
        print(chart(design.plan, arguments.chart))
    try:
        check(found.design)
    except DoesNotFitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    console.print("to build it: python -m hw.build, with the same options")
    return 0


if __name__ == "__main__":
    sys.exit(main())
