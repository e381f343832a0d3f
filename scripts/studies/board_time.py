"""Board time until unseen records are predicted well, beside the CPU engine's: `python scripts/studies/board_time.py
norm4`.

Each board trains the data set's quick preset (`sw.presets.catalogue.quick`) from its first nodes, on the design that
the planner picks: the same bits, by `sw.engine.compiled` with the design's staleness. It is judged after each pass of a
few records. Board time is cycles by clock: an initiation_interval a record, and after each pass the wait for its last
update. Not counted are making, scaling and encoding records, judging, and the link: records lie in the store, commands
take no time.

With `--pretraining` groups of addends are trained alone first, on the design that the planner picks for them.

The CPU engine trains one model on one thread without staleness, by the quick preset and by the data set's own; the
better one counts. Its time is process time with compiled kernels loaded, the least of a few repeats.
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
from sw import datasets
from sw.bench.time_to_accuracy import Method, Reached
from sw.experiment import Experiment
from sw.presets import catalogue as presets
from sw.spec.options import numbers

GOALS = {"norm2": 0.99, "norm4": 0.99, "norm8": 0.99, "triangle": 0.99, "det4": 0.97}
RECORDS = {"triangle": 65_536}  # where the data set's own are too few for the goal
STEP = 128  # records of a pass of the quickest trainings
PASSES = 64  # of an epoch, at most


@dataclass(frozen=True)
class Built:
    """A design and the clock that it runs at. `measured`: by placement and routing, not the board's own; `estimated`:
    the board's own, where only a vendor's tool could time it."""

    design: Design
    clock_hz: float
    measured: bool

    @property
    def estimated(self) -> bool:
        return not self.measured and self.design.board.technology.flow.vendor is not None

    def cycles(self, reached: Reached) -> int:
        """From the first record's start to the last write, passes one after the other."""
        schedule = self.design.plan.schedule
        return reached.record_updates * schedule.initiation_interval + reached.passes * (
            schedule.latency - schedule.initiation_interval
        )


@dataclass(frozen=True)
class Row:
    """Of a board and a data set. Lists are over seeds, seconds are None where the goal was not reached.

    `refusal`: why the board has no design for it; then there is nothing else.
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
    cpu_visits: tuple[int, ...] = ()
    cpu_seconds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Timed:
    """CPU seconds over seeds."""

    preset: str
    record_updates: tuple[int, ...]
    seconds: tuple[float | None, ...]

    @property
    def mean(self) -> float:
        """Infinite if a run did not reach the goal."""
        return mean(self.seconds) or np.inf


def mean(seconds: tuple[float | None, ...]) -> float | None:
    """None unless all of them reached the goal."""
    known = [value for value in seconds if value is not None]
    return float(np.mean(known)) if len(known) == len(seconds) else None


class Bench:
    """The data sets and how they are trained on.

    `seeds` runs; `records`, `holdout`: as `datasets.load` takes them. `pretraining`: in place of the presets' own.
    """

    def __init__(self, seeds: int, records: int | None, holdout: int | None, pretraining: tuple[int, int] | None):
        self._seeds, self._records, self._holdout = seeds, records, holdout
        self._pretraining = pretraining
        self.approaches = cache(self._approaches)
        self.cpu = cache(self._cpu)

    def _approaches(self, dataset: str, preset: presets.Preset) -> list[Method]:
        return list(self._made(dataset, preset))

    def _made(self, dataset: str, preset: presets.Preset) -> Iterator[Method]:
        for seed in range(self._seeds):
            records = self._records or RECORDS.get(dataset)
            split = datasets.load(dataset, records=records, holdout=self._holdout, seed=seed)
            step = max(STEP, len(split.train) // PASSES)
            groups = preset.pretraining[0] if preset.pretraining else 0
            experiment, phases = Experiment.begin(preset, split, seed=seed), preset.all_phases(apart=True)
            yield Method(experiment, phases, step=step, pretraining=groups)

    def preset(self, dataset: str) -> presets.Preset:
        """That a board trains by."""
        return replace(presets.quick(dataset), pretraining=self._pretraining)

    def _cpu(self, dataset: str, goal: float) -> Timed:
        """By the better preset."""
        own = replace(presets.find(dataset), pretraining=None)
        kinds = {self.preset(dataset): "quick", own: "own"}
        return min(
            (self._timed(dataset, goal, name, kind) for kind, name in kinds.items()), key=lambda timed: timed.mean
        )

    def _timed(self, dataset: str, goal: float, name: str, preset: presets.Preset) -> Timed:
        approaches = self.approaches(dataset, preset)
        runs = [approach.run(goal, staleness=()) for approach in approaches]
        seconds = tuple(
            approach.cpu_seconds(run.record_updates) if run.reached else None
            for approach, run in zip(approaches, runs, strict=True)
        )
        return Timed(name, tuple(run.record_updates for run in runs), seconds)

    def row(self, built: Built, dataset: str, goal: float) -> Row:
        configuration, timed = built.design.configuration, self.cpu(dataset, goal)
        approaches = self.approaches(dataset, self.preset(dataset))
        runs = [approach.run(goal, staleness=configuration.staleness) for approach in approaches]
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
            cpu_visits=timed.record_updates,
            cpu_seconds=timed.seconds,
        )


def built_of(board: boards.Board, dataset: str, options: argparse.Namespace, reports: list[dict[str, Any]]) -> Built:
    """The design asked for: that of a build report, if there is one; a folding; or the planner's.

    Raises DoesNotFitError if there is none, ValueError for a folding that is not the network's.
    """
    network, groups = presets.quick(dataset).network, options.pretraining[0] if options.pretraining else 0
    folded = partial(Design, board=board, network=network, pretraining=groups)
    for report in reports:
        if (report["board"], report["network"]) == (board.name, str(network)):
            exact = report["schedule"] == SCHEDULES[True]
            design = folded(lanes=tuple(report["lanes"]), taps=report["taps"], exact=exact)
            return Built(design, 1e6 * report["fmax_mhz"], True)
    if options.lanes or options.taps:
        lanes = options.lanes or Design.lanes
        return Built(folded(lanes=lanes, taps=options.taps or 1), board.clock_hz, False)
    return Built(search(board, network, pretraining=groups).design, board.clock_hz, False)


def groups_and_epochs(text: str) -> tuple[int, int]:
    addends, epochs = map(int, text.split(":"))
    if min(addends, epochs) < 1:
        raise ValueError(text)
    return addends, epochs


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"default: {', '.join(GOALS)}")
    parser.add_argument("--board", nargs="+", default=boards.names(), help="default: %(default)s")
    parser.add_argument("--goal", type=float, help="Pearson on the hold-out; default: 0.99, for det4 0.97")
    parser.add_argument("--lanes", type=numbers, metavar="N,N", help="of the design, as `kanloom build` takes them")
    parser.add_argument("--taps", type=int, metavar="N", help="default: the planner's folding")
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
    parser.add_argument("--seeds", type=int, default=6, help="runs, each with its own records; default: %(default)s")
    parser.add_argument("--records", type=int, help="records to train on (default: the data set's; triangle 65536)")
    parser.add_argument("--holdout", type=int, help="records to hold out (default: the data set's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser


def main(arguments: list[str] | None = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    names = options.datasets or list(GOALS)
    for name in names:
        if name not in GOALS:
            command.error(f"{name!r} is not one of {', '.join(GOALS)}")
    if options.seeds < 1 or (options.goal is not None and not 0 < options.goal < 1):
        command.error("--seeds must be 1 or more, --goal between 0 and 1")
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
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def milliseconds(seconds: tuple[float | None, ...]) -> str:
    """The mean, and the least and the most."""
    known = [1e3 * value for value in seconds if value is not None]
    if len(known) < len(seconds):
        return f"{len(seconds) - len(known)} of {len(seconds)} not reached"
    return f"{np.mean(known):.3g} ({min(known):.3g} - {max(known):.3g})"


def table_of(rows: list[Row], seeds: int) -> Table:
    table = Table(title=f"Time to an accuracy on unseen records, mean of {seeds} seeds (least - most)")
    table.title_justify = "left"
    for column in ("data set", "Pearson", "board", "design", "clocks a record", "staleness", "MHz"):
        table.add_column(column, justify="left" if column in ("data set", "board", "design") else "right")
    for column in ("record_updates", "board ms", "CPU ms", "CPU record_updates"):
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
            f"{np.mean(row.cpu_visits):.0f} ({row.cpu_preset})",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
