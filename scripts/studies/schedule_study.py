"""The price of staleness and of contexts in accuracy.

    python scripts/studies/schedule_study.py norm4 det4 --board ulx3s

Each variant of training starts from the same first nodes and makes as many record updates as sequential fixed-point
training by the same schedule of rates. Figures are means over seeds of the error on unseen records, and its ratio to
the sequential one. All are bit for bit what a board would compute (`sw.engine.compiled`), with passes as long as a
board's store.

With `--board`, the variants are the designs that the planner picks, with their staleness and stores.
"""

import argparse
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
from scripts.studies.figures import add_json, check_known, check_outputs
from sw import datasets
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.figures import plots
from sw.figures.picture import save
from sw.oracle.contexts import Contexts
from sw.outputs import PICTURE, Output, write_json
from sw.presets import catalogue as presets
from sw.presets.preset import Preset, schedule
from sw.spec.bounds import EPOCHS, RECORDS, SEEDS, SHIFTS, SIZE
from sw.spec.bounds import STALENESS as LEGAL_STALENESS
from sw.spec.configuration import CONTEXTS
from sw.spec.options import numbers, whole
from sw.spec.schedule import Phase
from sw.spec.trainer import Trainer

SETS = "norm2", "norm4", "norm8", "triangle", "det4"
STALENESS = (2, 1), (4, 2), (6, 3), (8, 4), (16, 8), (24, 12), (50, 25), (100, 50)
LEFT = "data set", "network", "schedule", "design"  # columns of text
BLOCK = 4096  # records of a pass: the store of one of the boards holds as many


@dataclass(frozen=True)
class Variant:
    """A variant of training.

    Attributes
    ----------
    staleness : tuple of int
        Staleness of each layer, in records of one context.
    contexts : int
        Number of interleaved models.
    block : int
        Records of a pass.
    board : str
        The board that trains so; empty if it is none.
    design : str
        The folding of the board's design.
    """

    staleness: tuple[int, ...] = (0, 0)
    contexts: int = 1
    block: int = BLOCK
    board: str = ""
    design: str = ""

    @classmethod
    def planned(cls, board: boards.Board, preset: Preset, contexts: int) -> "Variant":
        """Train as the planner's design does.

        Raises
        ------
        DoesNotFitError
            If there is none.
        """
        design = search(board, preset.network, contexts=contexts).design
        configuration = design.configuration
        lanes = ",".join(str(folding.lanes) for folding in design.foldings)
        text = f"lanes {lanes}, taps {design.taps}, {configuration.initiation_interval} clocks"
        return cls(configuration.staleness, contexts, configuration.block, board.name, text)

    def trainer(self, experiment: Experiment) -> Trainer:
        """Make a trainer of the experiment's model."""
        network, nodes = experiment.model.network, experiment.model.nodes
        trainers = [CompiledFixed(network, nodes, self.staleness, counting=False) for _ in range(self.contexts)]
        return Contexts(trainers, self.block)


@dataclass(frozen=True)
class Row:
    """The figures of a variant on a data set.

    Attributes
    ----------
    dataset, network, phases : str
        What was trained, and the schedule of rates.
    variant : Variant
        How it was trained.
    rmse, pearson : float
        Means over seeds.
    ratio : float
        The ratio of `rmse` to that of sequential training.
    rmse_runs : list of float
        The error of each seed.
    """

    dataset: str
    network: str
    phases: str
    variant: Variant
    rmse: float
    ratio: float
    pearson: float
    rmse_runs: list[float]


def label(phases: tuple[Phase, ...]) -> str:
    """Format a schedule as the option --phases takes it."""
    return ", ".join(f"{phase.epochs}:{phase.rates.update[0]}:{phase.rates.back[0]}" for phase in phases)


def study(
    preset: Preset, splits: list[datasets.Split], variants: list[Variant], phases: tuple[Phase, ...]
) -> list[Row]:
    """Train each variant by `phases`; the ratios are to sequential training by the preset's own phases."""
    experiments = [Experiment.begin(preset, split, seed=seed) for seed, split in enumerate(splits)]
    outcomes = {
        variant: [experiment.run(variant.trainer(experiment), phases) for experiment in experiments]
        for variant in variants
    }
    sequential = [experiment.run(Variant().trainer(experiment), preset.phases).rmse for experiment in experiments]
    rows = []
    for variant, runs in outcomes.items():
        errors = [run.rmse for run in runs]
        rows.append(
            Row(
                splits[0].train.name,
                str(preset.network),
                label(phases),
                variant,
                float(np.mean(errors)),
                float(np.mean(errors) / np.mean(sequential)),
                float(np.mean([run.pearson for run in runs])),
                errors,
            )
        )
    return rows


def staleness_of(text: str) -> tuple[int, int]:
    """Parse the option --staleness."""
    first, *others = numbers(*LEGAL_STALENESS, 2)(text)
    if len(others) != 1 or others[0] > first:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be two numbers with a comma between them, the first the larger"
        )
    return first, others[0]


def phase_of(text: str) -> Phase:
    """Parse the option --phases."""
    found = text.split(":")
    if len(found) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} must be epochs:update:back, such as 8:3:15")
    epochs, update, back = found
    return schedule((whole(*EPOCHS)(epochs), whole(*SHIFTS)(update), whole(*SHIFTS)(back)))[0]


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"with presets of 2 layers; default {SETS}")
    parser.add_argument(
        "--staleness",
        type=staleness_of,
        nargs="*",
        metavar="FIRST,LAST",
        help=f"in records of all contexts; default: {STALENESS}, but none with --board",
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
        help="interleaved models, which become their mean after each pass",
    )
    parser.add_argument("--addends", type=whole(*SIZE), help="of the network; default: the preset's")
    parser.add_argument(
        "--phases",
        type=phase_of,
        nargs="+",
        metavar="EPOCHS:UPDATE:BACK",
        help="schedule of rates to train with staleness by; default: the preset's, as that of sequential training is",
    )
    parser.add_argument(
        "--block", type=whole(*RECORDS), default=BLOCK, help="records of a pass without a board, default %(default)s"
    )
    parser.add_argument(
        "--seeds", type=whole(*SEEDS), default=6, help="runs, each with its own records; default: %(default)s"
    )
    parser.add_argument("--records", type=whole(*RECORDS), help="records to train on (default: the data set's)")
    parser.add_argument("--holdout", type=whole(*RECORDS), help="records to hold out (default: the data set's)")
    add_json(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ratios over staleness, as PNG or SVG")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    command = parser()
    options = command.parse_args(arguments)
    names = options.datasets or SETS
    check_known(command, names, SETS)
    check_outputs(command, options, Output(options.plot, PICTURE, "--plot"))
    console, rows, refusals = Console(highlight=False), [], []
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(names, description="training"):
            preset = preset_of(name, options.addends)
            splits = [
                datasets.load(name, records=options.records, holdout=options.holdout, seed=seed)
                for seed in range(options.seeds)
            ]
            variants = [Variant(block=options.block)]
            for contexts in options.contexts:
                staleness = options.staleness if options.staleness is not None else () if options.board else STALENESS
                variants += variants_of(((0, 0), *staleness), contexts, options.block)
                for board in options.board:
                    try:
                        variants.append(Variant.planned(boards.find(board), preset, contexts))
                    except DoesNotFitError as error:
                        refusals.append(f"{name}, {board}: {error}")
            rows += study(preset, splits, list(dict.fromkeys(variants)), tuple(options.phases or preset.phases))
    console.print(table_of(rows, options.seeds))
    for refusal in refusals:
        console.print(refusal, soft_wrap=True)
    write_json(options.json, {"rows": [asdict(row) for row in rows]})
    if options.plot:
        save(plot(rows), options.plot, dpi=150)
    return 0


def variants_of(staleness: Iterable[tuple[int, ...]], contexts: int, block: int) -> list[Variant]:
    """Make variants from staleness in records of all contexts."""
    return [Variant(tuple(records // contexts for records in each), contexts, block) for each in staleness]


def plot(rows: list[Row]) -> Figure:
    """Draw the rows of one context: lines over the first layer's staleness, and the designs of boards."""
    curves: dict[str, list[tuple[int, float]]] = {}
    designs = []
    for row in rows:
        point = row.variant.staleness[0], row.ratio
        if row.variant.contexts > 1:
            continue
        if row.variant.board:
            designs.append(point)
        else:
            curves.setdefault(row.dataset, []).append(point)
    return plots.staleness(curves, designs)


def preset_of(name: str, addends: int | None) -> Preset:
    """Find a preset, with another number of addends if there is one."""
    preset = presets.find(name)
    inner, outer = preset.network.layers
    if addends is None:
        return preset
    layers = replace(inner, outputs=addends), replace(outer, inputs=addends)
    return replace(preset, network=replace(preset.network, layers=layers))


def table_of(rows: list[Row], seeds: int) -> Table:
    """Make the table of all rows."""
    table = Table(title=f"RMSE on unseen records, mean of {seeds} seeds", title_justify="left")
    columns: dict[str, Any] = {
        "data set": lambda row: row.dataset,
        "network": lambda row: row.network.split()[0],
        "schedule": lambda row: row.phases,
        "design": lambda row: f"{row.variant.board}: {row.variant.design}" if row.variant.board else "",
        "contexts": lambda row: str(row.variant.contexts),
        "block": lambda row: str(row.variant.block),
        "staleness": lambda row: ", ".join(map(str, row.variant.staleness)),
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
