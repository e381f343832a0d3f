"""Train a board, real or virtual, over its serial port: `python scripts/stream.py --port PORT DATASET`."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sw import datasets
from sw.device.client import BAUD, BoardClient, BoardError
from sw.device.errors import LinkError
from sw.experiment import Experiment
from sw.presets import catalogue as presets
from sw.presets.preset import stretched
from sw.spec.trainer import Statistics


class Bars:
    """Progress of the wire and of the training, for `sw.device.client.BoardClient` and
    `sw.spec.trainer.Trainer.fit`."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self._wire = progress.add_task("sending records", total=None, unit="words", note="")
        self._epochs = progress.add_task("training", total=None, unit="epochs", note="")

    def transfer(self, done: int, total: int) -> None:
        self._progress.update(self._wire, completed=done, total=total)

    def epoch(self, done: int, total: int, statistics: Statistics) -> None:
        note = f"mean |residual| {statistics.mean_residual:.1f}"
        self._progress.update(self._epochs, completed=done, total=total, note=note)


def progress_bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help=f"{', '.join(datasets.NAMES)}, or a .csv, .npy, .npz or .parquet file")
    parser.add_argument("--port", required=True, help="serial port, or the path that a virtual board prints")
    parser.add_argument("--baud", type=int, default=BAUD, help="default: %(default)s")
    parser.add_argument("--preset", help="training schedule to use, for a file (default: the data set's, else norm4)")
    parser.add_argument("--epochs", type=int, help="passes over the records (default: the schedule's)")
    parser.add_argument(
        "--pretrain",
        type=int,
        metavar="EPOCHS",
        help="epochs of the board's groups of addends alone, before all together (default: the preset's)",
    )
    parser.add_argument("--records", type=int, help="records to train on (default: the data set's, or all)")
    parser.add_argument("--holdout", type=int, help="records to hold out (default: the data set's, or a fifth)")
    parser.add_argument("--targets", nargs="+", help="target columns of a file (default: the last)")
    parser.add_argument("--seed", type=int, default=0, help="of the data and of the first parameters")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the trained model, .npz")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    begun = time.monotonic()
    try:
        default = options.dataset if options.dataset in presets.PRESETS else "norm4"
        preset = presets.find(options.preset or default)
        if options.epochs is not None:
            preset = replace(preset, phases=stretched(preset.phases, options.epochs))
        split = datasets.load(
            options.dataset,
            records=options.records,
            holdout=options.holdout,
            seed=options.seed,
            targets=options.targets,
        )
        with progress_bars(console) as progress:
            bars = Bars(progress)
            with BoardClient.open(options.port, baud=options.baud, transfer=bars.transfer) as board:
                experiment = Experiment.begin(preset, split, seed=options.seed, network=board.network)
                if options.pretrain is not None:
                    preset = replace(preset, pretraining=(board.pretraining, options.pretrain))
                phases = preset.all_phases(pretraining=board.pretraining > 0 or options.pretrain is not None)
                outcome = experiment.run(board, phases, bars.epoch)
                figures = {
                    "board": board.configuration.board,
                    "network": str(board.network),
                    "pearson": outcome.pearson,
                    "rmse": outcome.rmse,
                    "records": len(split.train),
                    "epochs": sum(phase.epochs for phase in phases),
                    "pretraining_epochs": sum(phase.epochs for phase in phases if phase.pretraining),
                    "cycles": board.cycles,
                    "board_ms": 1e3 * board.cycles / board.configuration.clock_hz,
                    "link_errors": board.counters(),
                    "wall_s": time.monotonic() - begun,
                }
    except (LinkError, BoardError, ValueError, OSError) as error:
        console.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1
    console.print(
        f"{figures['network']} on {figures['board']}: Pearson {outcome.pearson:.5f}, RMSE {outcome.rmse:.5g} on "
        f"{len(split.holdout)} unseen records, after {figures['epochs']} epochs of {len(split.train)} records in "
        f"{board.cycles} clocks ({figures['board_ms']:.1f} ms of the board)"
    )
    if options.save:
        outcome.model.save(options.save)
        console.print(f"The model is in {options.save}.")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
