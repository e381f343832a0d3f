"""`python -m sim.board`: a virtual board that runs until stopped, for host programs to talk to."""

import argparse
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from amaranth.hdl import Elaboratable
from rich.console import Console

from sim.virtual_board import VirtualBoard

# Gateware and clocks per bit of its UART, for the names of a board and of a network.
SocFactory = Callable[[str, str], tuple[Elaboratable, int]]


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


def main(make_soc: SocFactory, arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sim.board", description=__doc__)
    parser.add_argument("--board", default="icebreaker", help="board to simulate (default: %(default)s)")
    parser.add_argument("--network", default="norm2", help="network on it: a preset's name (default: %(default)s)")
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write waveforms, VCD; they grow fast")
    options = parser.parse_args(arguments)
    soc, clocks_per_bit = make_soc(options.board, options.network)
    serve(soc, clocks_per_bit=clocks_per_bit, waves=options.waves)
