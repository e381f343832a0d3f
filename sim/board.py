"""`python -m sim.board`: a virtual board that runs until stopped, for host programs to talk to."""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from amaranth.hdl import Elaboratable
from rich.console import Console

from hw.plan.options import add_design, board_of, search_of
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard, VirtualBoardError


def serve(soc: Elaboratable, *, clocks_per_bit: int, waves: Path | None = None) -> None:
    """Run a virtual board until SIGINT or SIGTERM, telling on the terminal how to reach it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    console.print("Compiling the gateware; the first time takes some seconds ...")
    with VirtualBoard(soc, clocks_per_bit=clocks_per_bit, waves=waves) as board:
        console.print(f"The virtual board is at [bold]{board.port}[/] until Ctrl-C. In another terminal, for instance:")
        console.print(f"  python scripts/stream.py --port {board.port} DATASET")
        with contextlib.suppress(KeyboardInterrupt):
            board.wait()
    console.print(f"{board.cycles} cycles simulated.")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.board", description=__doc__)
    add_design(parser, board="icebreaker")
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write waveforms, VCD; they grow fast")
    options = parser.parse_args(arguments)
    try:
        board = board_of(options)
        serve(Soc(search_of(board, options).design), clocks_per_bit=board.clocks_per_bit, waves=options.waves)
    except (ValueError, VirtualBoardError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
