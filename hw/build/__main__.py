"""`kanloom build`: from a network to a board's bitstream."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hw.plan.options import add_design, board_of, search_of
from sw.outputs import FIGURES, MARKER, Output, add_force, check, check_folder, write_json
from sw.spec.bounds import PLACER_SEED
from sw.spec.options import numbers

if TYPE_CHECKING:
    from sw.spec.reporter import Reporter

OUTPUT = Path("build")

EXAMPLES = (
    "--board icebreaker",
    "--board ulx3s --network 16-64-1 --segments 2,32 --seed 1,2,3 --json build.json",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} For a board whose family has no open place and route, it makes all that the vendor's "
        "tool needs."
    )
    add_design(parser)
    group = parser.add_argument_group("place and route")
    group.add_argument(
        "--seed",
        type=numbers(*PLACER_SEED),
        default=(1, 2, 3),
        metavar="N,N",
        help="of the placer; the first that meets the clock is taken (default: 1,2,3)",
    )
    group = parser.add_argument_group("files")
    group.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help=f"directory, emptied first if it is a build's, which has a file {MARKER} (default: {OUTPUT}/BOARD)",
    )
    group.add_argument("--json", type=Path, metavar="FILE", help="write the report to a file, too")
    add_force(group)


def run(options: argparse.Namespace, reporter: Reporter) -> int:
    """Build and show the report.

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
    board = board_of(options)
    directory = options.output or OUTPUT / board.name
    check(Output(options.json, FIGURES, "--json"), force=options.force)
    check_folder(directory)
    with reporter.step("planning") as step:
        from hw.build.report import build

        design = search_of(board, options).design
        step.update(what=f"building {design.network} on {board.name}, which takes minutes")
        report = build(
            design,
            directory=directory,
            seeds=options.seed,
            progress=lambda what: step.update(note=what),
        )
    reporter.show(report.table())
    reporter.note("\n".join(report.next_steps(board)))
    write_json(options.json, asdict(report))
    return 0


if __name__ == "__main__":
    # Named, not imported: the gateware knows nothing of the command line that runs it.
    sys.exit(import_module("sw.__main__").main("build", "python -m hw.build"))
