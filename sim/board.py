"""`kanloom simulate`: a virtual board that runs until it is stopped, for host programs to talk to."""

from __future__ import annotations

import argparse
import contextlib
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hw.plan.options import add_design, board_of, search_of

if TYPE_CHECKING:
    from sw.spec.reporter import Reporter

EXAMPLES = ("", "--network norm4", "--board ulx3s --network 3-4-2 --segments 4,8 --waves board.vcd")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} It is the gateware, compiled with Verilator, behind a pseudo-terminal; it runs until "
        "Ctrl-C."
    )
    add_design(parser, board="icebreaker")
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write waveforms, VCD; they grow fast")


def run(options: argparse.Namespace, reporter: Reporter) -> int:
    """Run the virtual board, and say how to reach it.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : Reporter
        For progress, and the port.

    Returns
    -------
    int
        The exit status; a board that was stopped has done its work.
    """
    with contextlib.ExitStack() as running:
        with reporter.step("planning") as step:
            from hw.soc.soc import Soc
            from sim.virtual_board import VirtualBoard

            target = board_of(options)
            soc = Soc(search_of(target, options).design)
            step.update(what="compiling the gateware (once a machine)")
            board = running.enter_context(VirtualBoard(soc, clocks_per_bit=target.clocks_per_bit, waves=options.waves))
        reporter.show(
            f"The virtual board is at {board.port} until Ctrl-C. In another terminal, for instance:",
            f"  {reporter.program} stream DATASET --port {board.port}",
        )
        with contextlib.suppress(KeyboardInterrupt):
            board.wait()
    reporter.show(f"{board.cycles} cycles simulated.")
    return 0


if __name__ == "__main__":
    # Named, not imported: the simulation knows nothing of the command line that runs it.
    sys.exit(import_module("sw.__main__").main("simulate", "python -m sim.board"))
