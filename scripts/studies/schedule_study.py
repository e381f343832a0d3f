"""What staleness cost in accuracy, and what contexts do: `python scripts/studies/schedule_study.py norm4 det4 --board
ulx3s`.

Each way of training starts from the same first nodes and record_updates as many records as sequential fixed-point
training by the same schedule of rates. Figures are means over seeds of the error on unseen records, and its ratio to
the sequential one. All are bit for bit what a board would compute (`sw.engine.compiled`), with passes as long as a
board's store is.

With `--board`, the ways are the designs that the planner picks, with their staleness and stores.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import boards
from hw.plan.cost_model import DoesNotFitError
from hw.plan.search import search
from sw import datasets
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.figures import plots
from sw.oracle.contexts import Contexts
from sw.presets import catalogue as presets
from sw.presets.preset import Preset, schedule
from sw.spec.configuration import CONTEXTS
from sw.spec.trainer import Phase, Trainer

SETS = "norm2", "norm4", "norm8", "triangle", "det4"
DELAYS = (2, 1), (4, 2), (6, 3), (8, 4), (16, 8), (24, 12), (50, 25), (100, 50)
LEFT = "data set", "network", "schedule", "design"  # columns of text
BLOCK = 4096  # records that the nodes settle after: some board's store holds as many


@dataclass(frozen=True)
class Way:
    """Of training: with these staleness, in records of one of so many contexts, in passes of `block` records.

    `board`: whose design it is, if it is one's; then `design` says which.
    """

    staleness: tuple[int, ...] = (0, 0)
    contexts: int = 1
    block: int = BLOCK
    board: str = ""
    design: str = ""

    @classmethod
    def planned(cls, board: boards.Board, preset: Preset, contexts: int) -> "Way":
        """As the planner's design trains. Raises DoesNotFitError if there is none."""
        design = search(board, preset.network, contexts=contexts).design
        configuration = design.configuration
        lanes = ",".join(str(folding.lanes) for folding in design.foldings)
        text = f"lanes {lanes}, taps {design.taps}, {configuration.initiation_interval} clocks"
        return cls(configuration.staleness, contexts, configuration.block, board.name, text)

    def machine(self, experiment: Experiment) -> Trainer:
        network, nodes = experiment.model.network, experiment.model.nodes
        machines = [CompiledFixed(network, nodes, self.staleness, counting=False) for _ in range(self.contexts)]
        return Contexts(machines, self.block)


@dataclass(frozen=True)
class Row:
    """Means over seeds; `rmse_runs`: of each. `ratio`: of the mean error to that of sequential training."""

    dataset: str
    network: str
    phases: str
    way: Way
    rmse: float
    ratio: float
    pearson: float
    rmse_runs: list[float]


def label(phases: tuple[Phase, ...]) -> str:
    return ", ".join(f"{phase.epochs}:{phase.rates.update[0]}:{phase.rates.back[0]}" for phase in phases)


def study(preset: Preset, splits: list[datasets.Split], ways: list[Way], phases: tuple[Phase, ...]) -> list[Row]:
    """A row for each way, trained by `phases`; the ratios are to sequential training by the preset's own."""
    experiments = [Experiment.begin(preset, split, seed=seed) for seed, split in enumerate(splits)]
    outcomes = {way: [experiment.run(way.machine(experiment), phases) for experiment in experiments] for way in ways}
    sequential = [experiment.run(Way().machine(experiment), preset.phases).rmse for experiment in experiments]
    rows = []
    for way, runs in outcomes.items():
        errors = [run.rmse for run in runs]
        rows.append(
            Row(
                splits[0].train.name,
                str(preset.network),
                label(phases),
                way,
                float(np.mean(errors)),
                float(np.mean(errors) / np.mean(sequential)),
                float(np.mean([run.pearson for run in runs])),
                errors,
            )
        )
    return rows


def pair(text: str) -> tuple[int, int]:
    first, last = map(int, text.split(","))
    if not 0 <= last <= first:
        raise ValueError(text)
    return first, last


def phase_of(text: str) -> Phase:
    epochs, update, back = map(int, text.split(":"))
    return schedule((epochs, update, back))[0]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"with presets of 2 layers; default {SETS}")
    parser.add_argument(
        "--staleness",
        type=pair,
        nargs="*",
        metavar="FIRST,LAST",
        help=f"in records of all contexts; default: {DELAYS}, but none with --board",
    )
    parser.add_argument(
        "--board",
        nargs="+",
        default=[],
        choices=boards.names(),
        help="train as on the designs that the planner picks for these",
    )
    parser.add_argument(
        "--contexts",
        type=int,
        nargs="+",
        default=[1],
        choices=CONTEXTS,
        help="models that take turns and become their mean after each pass",
    )
    parser.add_argument("--addends", type=int, help="of the network; default: the preset's")
    parser.add_argument(
        "--phases",
        type=phase_of,
        nargs="+",
        metavar="EPOCHS:UPDATE:BACK",
        help="schedule of rates to train with staleness by; default: the preset's, as that of sequential training is",
    )
    parser.add_argument(
        "--block", type=int, default=BLOCK, help="records of a pass without a board, default %(default)s"
    )
    parser.add_argument("--seeds", type=int, default=6, help="runs, each with its own records; default: %(default)s")
    parser.add_argument("--records", type=int, help="records to train on (default: the data set's)")
    parser.add_argument("--holdout", type=int, help="records to hold out (default: the data set's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ratios over staleness, as PNG or SVG")
    return parser


def main(arguments: list[str] | None = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    names = options.datasets or SETS
    for name in names:
        if name not in SETS:
            command.error(f"{name!r} is not one of {', '.join(SETS)}")
    if min(options.seeds, options.block, options.addends or 1) < 1:
        command.error("--seeds, --block and --addends must be 1 or more")
    console, rows, refusals = Console(highlight=False), [], []
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(names, description="training"):
            preset = preset_of(name, options.addends)
            splits = [
                datasets.load(name, records=options.records, holdout=options.holdout, seed=seed)
                for seed in range(options.seeds)
            ]
            ways = [Way(block=options.block)]
            for contexts in options.contexts:
                staleness = options.staleness if options.staleness is not None else () if options.board else DELAYS
                ways += ways_of(((0, 0), *staleness), contexts, options.block)
                for board in options.board:
                    try:
                        ways.append(Way.planned(boards.find(board), preset, contexts))
                    except DoesNotFitError as error:
                        refusals.append(f"{name}, {board}: {error}")
            rows += study(preset, splits, list(dict.fromkeys(ways)), tuple(options.phases or preset.phases))
    console.print(table_of(rows, options.seeds))
    for refusal in refusals:
        console.print(refusal, soft_wrap=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if options.plot:
        plot(rows).savefig(options.plot, dpi=150)
    return 0


def ways_of(staleness: Iterable[tuple[int, ...]], contexts: int, block: int) -> list[Way]:
    """With staleness in records of all contexts."""
    return [Way(tuple(delay // contexts for delay in pair), contexts, block) for pair in staleness]


def plot(rows: list[Row]) -> Figure:
    """The rows of one context: lines over the first layer's delay, and the designs of boards."""
    curves: dict[str, list[tuple[int, float]]] = {}
    designs = []
    for row in rows:
        point = row.way.staleness[0], row.ratio
        if row.way.contexts > 1:
            continue
        if row.way.board:
            designs.append(point)
        else:
            curves.setdefault(row.dataset, []).append(point)
    return plots.staleness(curves, designs)


def preset_of(name: str, addends: int | None) -> Preset:
    preset = presets.find(name)
    inner, outer = preset.network.layers
    if addends is None:
        return preset
    layers = replace(inner, outputs=addends), replace(outer, inputs=addends)
    return replace(preset, network=replace(preset.network, layers=layers))


def table_of(rows: list[Row], seeds: int) -> Table:
    table = Table(title=f"RMSE on unseen records, mean of {seeds} seeds", title_justify="left")
    columns: dict[str, Any] = {
        "data set": lambda row: row.dataset,
        "network": lambda row: row.network.split()[0],
        "schedule": lambda row: row.phases,
        "design": lambda row: f"{row.way.board}: {row.way.design}" if row.way.board else "",
        "contexts": lambda row: str(row.way.contexts),
        "block": lambda row: str(row.way.block),
        "staleness": lambda row: ", ".join(map(str, row.way.staleness)),
        "RMSE": lambda row: f"{row.rmse:.5g}",
        "ratio": lambda row: f"{row.ratio:.3f}",
        "Pearson": lambda row: f"{row.pearson:.5f}",
    }
    for column in columns:
        table.add_column(column, justify="left" if column in LEFT else "right")
    last = None
    for row in rows:
        if last not in (None, row.dataset):
            table.add_section()
        last = row.dataset
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


if __name__ == "__main__":
    sys.exit(main())
