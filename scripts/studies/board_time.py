"""Board time until unseen records are predicted well, beside the CPU engine's.

    python scripts/studies/board_time.py norm4

Each board trains the data set's quick preset (`sw.presets.catalogue.quick`) from its first nodes, on the design that
the planner picks. `sw.engine.compiled` computes the same bits, with the design's staleness, and the model is evaluated
after each pass of a few records, no more than half of the design's record store. Board time is clocks divided by the
clock frequency: an initiation interval a record, and after each pass the wait for its last update. Not counted are
making, scaling and encoding records, evaluations, and the link: the records are in the store, and commands take no
time.

With `--pretraining` groups of addends are trained alone first, on the design that the planner picks for them.

The CPU engine trains one model on one thread without staleness, by the quick preset and by the data set's own; the
better one counts. Its time is process time with compiled kernels, the least of a few repeats.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import boards
from hw.design.design import Design
from hw.plan.cost_model import DoesNotFitError
from hw.plan.options import SCHEDULES
from hw.plan.search import search
from scripts.studies.figures import add_json, check_known, check_outputs
from sw import datasets
from sw.bench.time_to_accuracy import Method, Reached
from sw.experiment import Experiment
from sw.outputs import write_json
from sw.presets import catalogue as presets
from sw.spec.back_windows import windows_for
from sw.spec.bounds import RECORDS, SEEDS, SHARE, SIZE, TAPS
from sw.spec.options import numbers, pretraining, real, whole

GOALS = {"norm2": 0.99, "norm4": 0.99, "norm8": 0.99, "triangle": 0.99, "det4": 0.97, "tetra-faces": 0.95}
MORE_RECORDS = {"triangle": 65_536}  # where the data set's own are too few for the goal
STEP = 128  # records of a pass of the quickest trainings
PASSES = 64  # of an epoch, at most


@dataclass(frozen=True)
class Built:
    """A design and its clock.

    Attributes
    ----------
    design : Design
        The design.
    clock_hz : float
        Its clock frequency.
    measured : bool
        True if the frequency is the Fmax after placement and routing, False if it is the board's clock.
    """

    design: Design
    clock_hz: float
    measured: bool

    @property
    def estimated(self) -> bool:
        """True if nothing but a vendor's tool could say whether the design runs at the board's clock."""
        return not self.measured and self.design.board.technology.flow.vendor is not None

    def cycles(self, reached: Reached) -> int:
        """Count the clocks from the first record's start to the last write, with passes one after the other."""
        schedule = self.design.plan.schedule
        return reached.record_updates * schedule.initiation_interval + reached.passes * (
            schedule.latency - schedule.initiation_interval
        )


@dataclass(frozen=True)
class Row:
    """The figures of a board on a data set.

    Attributes
    ----------
    board, dataset : str
        Their names.
    goal : float
        Pearson correlation on the hold-out at which a run ends.
    refusal : str or None
        The reason why the board has no design for the data set; all that follows is empty then.
    network, lanes, taps, initiation_interval, staleness, pretraining
        The design.
    clock_mhz, clock_measured, clock_estimated
        The clock, as in `Built`.
    record_updates, pearson, board_seconds : tuple
        The runs on the board, one a seed; seconds are None where the goal was not reached.
    cpu_preset : str
        The better preset on the CPU, "quick" or "own".
    cpu_record_updates, cpu_seconds : tuple
        The runs on the CPU, one a seed.
    """

    board: str
    dataset: str
    goal: float
    refusal: str | None = None
    network: str = ""
    lanes: tuple[int, ...] = ()
    taps: int = 0
    initiation_interval: int = 0
    staleness: tuple[int, ...] = ()
    clock_mhz: float = 0
    clock_measured: bool = False
    clock_estimated: bool = False
    pretraining: int = 0
    record_updates: tuple[int, ...] = ()
    pearson: tuple[float, ...] = ()
    board_seconds: tuple[float | None, ...] = ()
    cpu_preset: str = ""
    cpu_record_updates: tuple[int, ...] = ()
    cpu_seconds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Timed:
    """The runs on the CPU by one preset, one a seed; seconds are None where the goal was not reached."""

    preset: str
    record_updates: tuple[int, ...]
    seconds: tuple[float | None, ...]

    @property
    def mean(self) -> float:
        """Mean seconds; infinite if a run did not reach the goal."""
        return mean(self.seconds) or np.inf


def mean(seconds: tuple[float | None, ...]) -> float | None:
    """Return the mean; None unless all runs reached the goal."""
    known = [value for value in seconds if value is not None]
    return float(np.mean(known)) if len(known) == len(seconds) else None


class Bench:
    """The runs on data sets, each made once.

    Parameters
    ----------
    seeds : int
        Runs, each with its own records.
    records, holdout : int or None
        As in `datasets.load`.
    pretraining : tuple of int, or None
        Addends of a group and epochs, in place of the presets' own.
    """

    def __init__(self, seeds: int, records: int | None, holdout: int | None, pretraining: tuple[int, int] | None):
        self._seeds, self._records, self._holdout = seeds, records, holdout
        self._pretraining = pretraining
        self.methods = cache(self._methods)
        self.cpu = cache(self._cpu)

    def _methods(self, dataset: str, preset: presets.Preset) -> list[Method]:
        return list(self._made(dataset, preset))

    def _made(self, dataset: str, preset: presets.Preset) -> Iterator[Method]:
        for seed in range(self._seeds):
            records = self._records or MORE_RECORDS.get(dataset)
            split = datasets.load(dataset, records=records, holdout=self._holdout, seed=seed)
            step = max(STEP, len(split.train) // PASSES)
            groups = preset.pretraining[0] if preset.pretraining else 0
            experiment, phases = Experiment.begin(preset, split, seed=seed), preset.all_phases(pretraining=True)
            yield Method(experiment, phases, step=step, pretraining=groups)

    def preset(self, dataset: str) -> presets.Preset:
        """Choose the preset that a board trains by."""
        return replace(presets.quick(dataset), pretraining=self._pretraining)

    def _cpu(self, dataset: str, goal: float) -> Timed:
        """Train by both presets; returns the better one's runs."""
        own = replace(presets.find(dataset), pretraining=None)
        kinds = {self.preset(dataset): "quick", own: "own"}
        return min(
            (self._timed(dataset, goal, name, kind) for kind, name in kinds.items()), key=lambda timed: timed.mean
        )

    def _timed(self, dataset: str, goal: float, name: str, preset: presets.Preset) -> Timed:
        methods = self.methods(dataset, preset)
        runs = [method.run(goal, staleness=()) for method in methods]
        seconds = tuple(
            method.cpu_seconds(run.record_updates) if run.reached else None
            for method, run in zip(methods, runs, strict=True)
        )
        return Timed(name, tuple(run.record_updates for run in runs), seconds)

    def row(self, built: Built, dataset: str, goal: float) -> Row:
        """Train a data set to the goal on a design."""
        configuration, timed = built.design.configuration, self.cpu(dataset, goal)
        methods = self.methods(dataset, self.preset(dataset))
        runs = [method.run(goal, staleness=configuration.staleness, longest=configuration.block) for method in methods]
        return Row(
            built.design.board.name,
            dataset,
            goal,
            network=str(configuration.network),
            lanes=tuple(folding.lanes for folding in built.design.foldings),
            taps=built.design.taps,
            initiation_interval=configuration.initiation_interval,
            staleness=configuration.staleness,
            clock_mhz=built.clock_hz / 1e6,
            clock_measured=built.measured,
            clock_estimated=built.estimated,
            pretraining=built.design.pretraining,
            record_updates=tuple(run.record_updates for run in runs),
            pearson=tuple(run.pearson for run in runs),
            board_seconds=tuple(built.cycles(run) / built.clock_hz if run.reached else None for run in runs),
            cpu_preset=timed.preset,
            cpu_record_updates=timed.record_updates,
            cpu_seconds=timed.seconds,
        )


def built_of(board: boards.Board, dataset: str, options: argparse.Namespace, reports: list[dict[str, Any]]) -> Built:
    """Make the design of a build report, if there is one; else that of the options' folding; else the planner's.

    Raises
    ------
    DoesNotFitError
        If there is none.
    ValueError
        For a folding that does not fit the network.
    """
    preset, groups = presets.quick(dataset), options.pretraining[0] if options.pretraining else 0
    network, windows = preset.network, windows_for(preset.network, preset.phases)
    folded = partial(Design, board=board, network=network, pretraining=groups, back_windows=windows)
    for report in reports:
        if (report["board"], report["network"]) == (board.name, str(network)):
            exact = report["schedule"] == SCHEDULES[True]
            design = folded(lanes=tuple(report["lanes"]), taps=report["taps"], exact=exact)
            return Built(design, 1e6 * report["fmax_mhz"], True)
    if options.lanes or options.taps:
        lanes = options.lanes or Design.lanes
        return Built(folded(lanes=lanes, taps=options.taps or 1), board.clock_hz, False)
    return Built(search(board, network, pretraining=groups, back_windows=windows).design, board.clock_hz, False)


def groups_and_epochs(text: str) -> tuple[int, int]:
    """Parse the option --pretraining."""
    addends, epochs = pretraining(text)
    if epochs is None:
        raise argparse.ArgumentTypeError(f"{text!r} must be addends:epochs, such as 6:2")
    return addends, epochs


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"default: {', '.join(GOALS)}")
    parser.add_argument("--board", nargs="+", default=boards.names(), help="default: %(default)s")
    parser.add_argument(
        "--goal", type=real(*SHARE), help="Pearson on the hold-out; default: 0.99, for det4 0.97, for tetra-faces 0.95"
    )
    parser.add_argument(
        "--lanes", type=numbers(*SIZE), metavar="N,N", help="of the design, as `kanloom build` takes them"
    )
    parser.add_argument("--taps", type=whole(*TAPS), metavar="N", help="default: the planner's folding")
    parser.add_argument(
        "--report",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="of `python -m hw.build --json`: its design and the clock it reaches, for its board and network",
    )
    parser.add_argument(
        "--pretraining",
        type=groups_and_epochs,
        metavar="GROUP:EPOCHS",
        help="addends of a group and epochs before the schedule, on designs that can train groups alone",
    )
    parser.add_argument(
        "--seeds", type=whole(*SEEDS), default=6, help="runs, each with its own records; default: %(default)s"
    )
    parser.add_argument(
        "--records", type=whole(*RECORDS), help="records to train on (default: the data set's; triangle 65536)"
    )
    parser.add_argument("--holdout", type=whole(*RECORDS), help="records to hold out (default: the data set's)")
    add_json(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    command = parser()
    options = command.parse_args(arguments)
    names = options.datasets or list(GOALS)
    check_known(command, names, GOALS)
    check_outputs(command, options)
    console = Console(highlight=False)
    bench, rows = Bench(options.seeds, options.records, options.holdout, options.pretraining), []
    try:
        chosen = [boards.find(name) for name in options.board]
        reports = [json.loads(path.read_text()) for path in options.report]
        pairs = [(dataset, board) for dataset in names for board in chosen]
        for dataset, board in track(pairs, description="training", console=console, transient=True):
            goal = options.goal or GOALS[dataset]
            try:
                rows.append(bench.row(built_of(board, dataset, options, reports), dataset, goal))
            except DoesNotFitError as error:
                rows.append(Row(board.name, dataset, goal, refusal=str(error)))
    except (ValueError, OSError) as error:
        console.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1
    console.print(table_of(rows, options.seeds))
    for row in rows:
        if row.refusal:
            console.print(f"{row.dataset}, {row.board}: {row.refusal}", soft_wrap=True)
    write_json(options.json, {"rows": [asdict(row) for row in rows]})
    return 0


def milliseconds(seconds: tuple[float | None, ...]) -> str:
    """Format the mean, the least and the most."""
    known = [1e3 * value for value in seconds if value is not None]
    if len(known) < len(seconds):
        return f"{len(seconds) - len(known)} of {len(seconds)} not reached"
    return f"{np.mean(known):.3g} ({min(known):.3g} - {max(known):.3g})"


def table_of(rows: list[Row], seeds: int) -> Table:
    """Make the table of all rows."""
    table = Table(title=f"Time to an accuracy on unseen records, mean of {seeds} seeds (least - most)")
    table.title_justify = "left"
    for column in ("data set", "Pearson", "board", "design", "clocks a record", "staleness", "MHz"):
        table.add_column(column, justify="left" if column in ("data set", "board", "design") else "right")
    for column in ("record updates", "board ms", "CPU ms", "CPU record updates"):
        table.add_column(column, justify="right")
    for row in rows:
        if row.refusal:
            table.add_row(row.dataset, f"{row.goal:g}", row.board, "does not fit")
            continue
        lanes = ",".join(map(str, row.lanes))
        table.add_row(
            row.dataset,
            f"{row.goal:g}",
            row.board,
            f"{row.network.split()[0]}, lanes {lanes}, taps {row.taps}"
            + (f", groups of {row.pretraining}" if row.pretraining else ""),
            str(row.initiation_interval),
            ", ".join(map(str, row.staleness)),
            f"{row.clock_mhz:g}{' (Fmax)' if row.clock_measured else ' (estimate)' if row.clock_estimated else ''}",
            f"{np.mean(row.record_updates):.0f}",
            milliseconds(row.board_seconds),
            milliseconds(row.cpu_seconds),
            f"{np.mean(row.cpu_record_updates):.0f} ({row.cpu_preset})",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
