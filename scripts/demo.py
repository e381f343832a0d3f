"""Watch a Kolmogorov-Arnold network train on the gateware of a board: simulated cycle by cycle, fed over its UART.

The floating-point oracle and the fixed-point one train on the same records beside it. At the end every parameter is
read back from the board and compared with the fixed-point oracle's.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import boards
from hw.plan.cost_model import DoesNotFitError
from hw.plan.search import fold
from hw.soc.soc import Soc
from scripts.stream import Bars, progress_bars
from sim.virtual_board import VirtualBoard, VirtualBoardError
from sw import datasets
from sw.commands.training_options import pretraining_of
from sw.device.client import BoardClient, BoardError
from sw.device.errors import LinkError
from sw.experiment import Experiment, Outcome
from sw.oracle.contexts import ContextReference
from sw.presets import catalogue as presets
from sw.presets.preset import stretched
from sw.spec.configuration import Configuration
from sw.spec.schedule import Phase


def train_oracle(experiment: Experiment, configuration: Configuration, phases: tuple[Phase, ...]) -> Outcome:
    return experiment.run(ContextReference.of(configuration, experiment.model.nodes), phases)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("dataset", nargs="?", default=presets.DEFAULT, help="data set or file (default: %(default)s)")
    parser.add_argument("--board", default="icebreaker", help=f"{', '.join(boards.names())} (default: %(default)s)")
    parser.add_argument("--network", help="preset of network and schedule (default: the data set's)")
    parser.add_argument("--epochs", type=int, help="passes over the records (default: the preset's)")
    parser.add_argument(
        "--pretrain",
        type=pretraining_of,
        metavar="ADDENDS:EPOCHS|none",
        help="groups of so many addends alone, for so many epochs, before all together (default: the preset's)",
    )
    parser.add_argument("--records", type=int, help="records to train on (default: the data set's)")
    parser.add_argument("--holdout", type=int, help="records to hold out (default: the data set's)")
    parser.add_argument("--targets", nargs="+", help="target columns of a file (default: the last)")
    parser.add_argument("--exact", action="store_true", help="each record waits for all updates of those before")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        figures = run(options, console)
    except (LinkError, BoardError, VirtualBoardError, DoesNotFitError, ValueError, OSError) as error:
        console.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if figures["parameters_equal"] == figures["parameters"] else 1


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    begun = time.monotonic()
    preset = presets.find(options.network or options.dataset)
    if options.epochs is not None:
        preset = replace(preset, phases=stretched(preset.phases, options.epochs))
    if options.pretrain is not None:
        preset = replace(preset, pretraining=options.pretrain or None)
    addends, _ = preset.pretraining or (0, 0)
    phases = preset.all_phases(pretraining=addends > 0)
    epochs = sum(phase.epochs for phase in phases)
    split = datasets.load(
        options.dataset, records=options.records, holdout=options.holdout, seed=options.seed, targets=options.targets
    )
    experiment = Experiment.begin(preset, split, seed=options.seed)
    board = boards.find(options.board)
    design = fold(board, preset.network, exact=options.exact, pretraining=addends)
    configuration = design.configuration

    lanes = "-".join(str(folding.lanes) for folding in design.foldings)
    console.print(
        f"[bold]{split.train.name}[/]: {len(split.train)} records x {epochs} epochs, network {preset.network}, "
        f"{preset.network.parameters} parameters, on a virtual [bold]{board.name}[/] "
        f"({lanes} lanes, {design.taps} taps, a record every {configuration.initiation_interval} clocks)"
    )
    with ProcessPoolExecutor(max_workers=2) as pool:
        fixed = pool.submit(train_oracle, experiment, configuration, phases)
        paper = pool.submit(experiment.run_float, epochs, seed=options.seed)
        twin = pool.submit(experiment.run_unquantised, phases, addends)
        console.print("The oracles train in the background; Verilator compiles the gateware (once) ...")
        with VirtualBoard(Soc(design), clocks_per_bit=board.clocks_per_bit) as virtual:
            console.print(f"The board is at {virtual.port}.")
            with progress_bars(console) as progress:
                bars = Bars(progress)
                with BoardClient.open(virtual.port, transfer=bars.transfer) as machine:
                    machine.link.hello(configuration.digest)
                    outcome = experiment.run(machine, phases, bars.epoch)
                    cycles = machine.cycles
            simulated = virtual.cycles
        console.print("Waiting for the oracles ...")
        oracle = fixed.result()
        (pearson_float, rmse_float), (pearson_twin, rmse_twin) = paper.result(), twin.result()

    nodes = zip(outcome.model.nodes, oracle.model.nodes, strict=True)
    equal = sum(int(np.count_nonzero(ours == theirs)) for ours, theirs in nodes)
    figures = {
        "dataset": split.train.name,
        "board": board.name,
        "network": str(preset.network),
        "schedule": "exact" if options.exact else "delayed",
        "pearson": outcome.pearson,
        "rmse": outcome.rmse,
        "pearson_float": pearson_float,
        "rmse_float": rmse_float,
        "pearson_float_twin": pearson_twin,
        "rmse_float_twin": rmse_twin,
        "parameters": preset.network.parameters,
        "parameters_equal": equal,
        "records": len(split.train),
        "epochs": epochs,
        "pretraining_addends": addends,
        "cycles": cycles,
        "simulated_cycles": simulated,
        "board_ms": 1e3 * cycles / board.clock_hz,
        "wall_s": time.monotonic() - begun,
    }
    table = Table(title=f"On {len(split.holdout)} unseen records", title_justify="left")
    for column in ("", "Pearson", "RMSE"):
        table.add_column(column)
    table.add_row(f"gateware, {preset.network.width}-bit fixed point", f"{outcome.pearson:.6f}", f"{outcome.rmse:.5g}")
    table.add_row("floating point, same start and schedule", f"{pearson_twin:.6f}", f"{rmse_twin:.5g}")
    table.add_row("floating point, as in the paper", f"{pearson_float:.6f}", f"{rmse_float:.5g}")
    console.print(table)
    console.print(
        f"{equal} of {preset.network.parameters} parameters equal the fixed-point oracle's. Training took {cycles} "
        f"clocks: {figures['board_ms']:.1f} ms on the board at {board.clock_hz / 1e6:g} MHz; the demo took "
        f"{figures['wall_s']:.0f} s."
    )
    console.print(f"Next: python -m hw.build --board {board.name}, or scripts/demo --help.")
    return figures


if __name__ == "__main__":
    sys.exit(main())
