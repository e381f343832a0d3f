"""`kanloom plan`: the fastest design of a network on a board, and what rules out faster ones."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from hw.plan.options import add_design, board_of, preset_of, search_of
from sw.spec.bounds import CHART_RECORDS
from sw.spec.options import whole

if TYPE_CHECKING:
    from sw.spec.reporter import Reporter

SHOWN = 12  # foldings ruled out that are shown, the last ones before the choice

EXAMPLES = (
    "--board ulx3s --network det4",
    "--board ulx3s --network 4-8-1 --segments 4,32 --max-staleness 64",
    "--board icebreaker --network 2-4-1 --segments 4,8 --taps 1 --chart 4",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    add_design(parser)
    parser.add_argument("--chart", type=whole(*CHART_RECORDS), metavar="N", help="show the clocks of N records")


def run(options: argparse.Namespace, reporter: Reporter) -> int:
    """Find a design and show it; a design that does not fit is shown and refused.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : Reporter
        For progress and results.

    Returns
    -------
    int
        The exit status.
    """
    with reporter.step("planning") as step:
        from hw.plan.cost_model import check
        from hw.plan.report import design_table, foldings_table, is_planned
        from hw.schedule.chart import chart

        considered = 0

        def progress(_: object) -> None:
            nonlocal considered
            considered += 1
            step.update(note=f"{considered} foldings considered")

        preset = preset_of(options)
        found = search_of(board_of(options), options, progress, preset=preset)
        design = found.chosen.design
        others = [verdict for verdict in found.ruled_out if verdict != found.chosen]
        tables = [foldings_table([*others[-SHOWN:], found.chosen])]
        if is_planned(found.chosen):
            tables.append(design_table(design))
    if (hidden := len(others) - SHOWN) > 0:
        reporter.show(f"{hidden} foldings of fewer slots are ruled out for reasons like those below.")
    reporter.show(*tables)
    if options.chart and len(tables) > 1:
        reporter.show(chart(design.plan, options.chart))
    if preset.shortest_word and preset.shortest_word < preset.network.width:
        reporter.note(
            f"Words of {preset.shortest_word} bits are as accurate here, and take less of the board: "
            f"--width {preset.shortest_word}"
        )
    check(found.design)
    reporter.note(f"To build it: {reporter.program} build, with the same options.")
    return 0


if __name__ == "__main__":
    # Named, not imported: the gateware knows nothing of the command line that runs it.
    sys.exit(import_module("sw.__main__").main("plan", "python -m hw.plan"))
