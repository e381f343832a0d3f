"""What delays cost in accuracy, and what models that train apart do: `python scripts/schedule_study.py norm4 det4`.

Each way of training starts from the same first nodes and visits as many records as sequential fixed-point training by
the same schedule of rates. Figures are means over seeds of the error on unseen records, and its ratio to the sequential
one. All are bit for bit what a board would compute (`sw.compiled`), with passes as long as a board's store is.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sw import datasets, presets
from sw.compiled import CompiledFixed
from sw.machine import Machine, Phase, Rates, Statistics
from sw.merging import Merging
from sw.network import Network, Records
from sw.presets import Preset, schedule
from sw.session import Session

SETS = "norm2", "norm4", "norm8", "triangle", "det4"
DELAYS = (2, 1), (4, 2), (6, 3), (8, 4), (16, 8), (24, 12), (50, 25), (100, 50)
MODELS = 2, 4, 8
BLOCK = 4096  # records that the nodes settle after: some board's store holds as many


class Apart(Machine):
    """Models that share the records, the m-th of M taking records m, m + M, ... of each block, and are their mean after
    it. Their updates come as late as those of one model that has them all."""

    def __init__(self, network: Network, nodes: list[np.ndarray], models: int, delays: tuple[int, ...], block: int):
        self.network, self._block = network, block
        share = tuple(delay // models for delay in delays)
        self._machines = [CompiledFixed(network, nodes, share, counting=False) for _ in range(models)]

    @property
    def nodes(self) -> list[np.ndarray]:
        return self._machines[0].nodes

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        for machine in self._machines:
            machine.nodes = nodes

    def _train(self, records: Records, rates: Rates) -> Statistics:
        total = Statistics()
        for block in records.blocks(self._block):
            starts = self._parameters()
            for index, machine in enumerate(self._machines):
                share = slice(index, None, len(self._machines))
                total += machine.train(Records(block.arguments[share], block.targets[share]), rates)
            merged = Merging().merged(starts, self._parameters(), ())
            for machine, parameters in zip(self._machines, merged, strict=True):
                machine.parameters[:] = parameters
        return total

    def _parameters(self) -> np.ndarray:
        return np.stack([machine.parameters for machine in self._machines])

    def _predict(self, records: Records) -> np.ndarray:
        return self._machines[0].predict(records.arguments)


@dataclass(frozen=True)
class Way:
    """Of training: on so many models, with these delays in all."""

    delays: tuple[int, ...] = (0, 0)
    models: int = 1

    def machine(self, session: Session, block: int) -> Machine:
        network, nodes = session.model.network, session.model.nodes
        if self.models == 1:
            return CompiledFixed(network, nodes, self.delays, block, counting=False)
        return Apart(network, nodes, self.models, self.delays, block)


@dataclass(frozen=True)
class Row:
    """Means over seeds; `rmse_runs`: of each. `ratio`: of the mean error to that of sequential training."""

    dataset: str
    network: str
    phases: str
    delays: tuple[int, ...]
    models: int
    rmse: float
    ratio: float
    pearson: float
    rmse_runs: list[float]


def label(phases: tuple[Phase, ...]) -> str:
    return ", ".join(f"{phase.epochs}:{phase.rates.update[0]}:{phase.rates.back[0]}" for phase in phases)


def study(
    preset: Preset, splits: list[datasets.Split], ways: list[Way], phases: tuple[Phase, ...], block: int
) -> list[Row]:
    """A row for each way, trained by `phases`; the ratios are to sequential training by the preset's own."""
    sessions = [Session.begin(preset, split, seed=seed) for seed, split in enumerate(splits)]
    outcomes = {way: [session.run(way.machine(session, block), phases) for session in sessions] for way in ways}
    sequential = [session.run(Way().machine(session, block), preset.phases).rmse for session in sessions]
    rows = []
    for way, runs in outcomes.items():
        errors = [run.rmse for run in runs]
        rows.append(
            Row(
                splits[0].train.name,
                str(preset.network),
                label(phases),
                way.delays,
                way.models,
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
        "--delays", type=pair, nargs="*", default=DELAYS, metavar="FIRST,LAST", help="in records; default %(default)s"
    )
    parser.add_argument(
        "--models", type=int, nargs="*", default=[], metavar="M", help=f"that train apart, such as {MODELS}"
    )
    parser.add_argument("--addends", type=int, help="of the network; default: the preset's")
    parser.add_argument(
        "--phases",
        type=phase_of,
        nargs="+",
        metavar="EPOCHS:UPDATE:BACK",
        help="schedule of rates to train with delays by; default: the preset's, as that of sequential training is",
    )
    parser.add_argument("--block", type=int, default=BLOCK, help="records of a pass, default %(default)s")
    parser.add_argument("--seeds", type=int, default=6, help="runs, each with its own records; default: %(default)s")
    parser.add_argument("--records", type=int, help="records to train on (default: the data set's)")
    parser.add_argument("--holdout", type=int, help="records to hold out (default: the data set's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser


def main(arguments: list[str] | None = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    names = options.datasets or SETS
    for name in names:
        if name not in SETS:
            command.error(f"{name!r} is not one of {', '.join(SETS)}")
    if min(options.seeds, options.block, *options.models, options.addends or 1) < 1:
        command.error("--seeds, --block, --models and --addends must be 1 or more")
    ways = [Way(), *map(Way, options.delays)]
    ways += [Way(way.delays, models) for way in ways for models in options.models]
    console, rows = Console(highlight=False), []
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(names, description="training"):
            preset = preset_of(name, options.addends)
            splits = [
                datasets.load(name, records=options.records, holdout=options.holdout, seed=seed)
                for seed in range(options.seeds)
            ]
            phases = tuple(options.phases or preset.phases)
            rows += study(preset, splits, ways, phases, options.block)
    console.print(table_of(rows, options.seeds))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


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
        "models": lambda row: str(row.models),
        "delays": lambda row: ", ".join(map(str, row.delays)),
        "RMSE": lambda row: f"{row.rmse:.5g}",
        "ratio": lambda row: f"{row.ratio:.3f}",
        "Pearson": lambda row: f"{row.pearson:.5f}",
    }
    for column in columns:
        table.add_column(column, justify="left" if column in ("data set", "network", "schedule") else "right")
    last = None
    for row in rows:
        if last not in (None, row.dataset):
            table.add_section()
        last = row.dataset
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


if __name__ == "__main__":
    sys.exit(main())
