"""A training that goes on far beyond its schedule: does it stay where it came to?

    python scripts/studies/soak.py norm2 --updates 1e10

A model is trained by its data set's preset, and then on at the preset's last rates, in each arithmetic. Ten times, from
the end of the preset's schedule on, the hold-out is predicted, and what was counted since is shown. The study fails if
a parameter is not finite, or if the last error is more than `TOLERANCE` times the least.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scripts.studies.figures import add_json, check_outputs
from scripts.studies.word_length import Variant, variants_of
from sw import datasets
from sw.datasets import Split
from sw.engine.encoder import Encoder
from sw.experiment import Experiment
from sw.outputs import write_json
from sw.presets import catalogue as presets
from sw.presets.preset import Preset
from sw.spec.bounds import SEED
from sw.spec.options import real, whole
from sw.spec.schedule import EpochLoop
from sw.spec.trainer import Statistics

REPORTS = 10
TOLERANCE = 1.1
UPDATES = 1e4, 1e12
MILLION = 1_000_000
COUNTS = "saturations", "clips", "zero_steps"


@dataclass(frozen=True)
class Report:
    """What a training has come to.

    Attributes
    ----------
    variant : str
        Its arithmetic.
    updates : int
        Records that it was trained on, each counted as often as it was.
    rmse : float
        On the hold-out, in the user's units.
    saturations, clips, zero_steps : float
        Since the report before, in a million updates; 0 in floating point.
    finite : bool
        Whether all parameters are.
    """

    variant: str
    updates: int
    rmse: float
    saturations: float
    clips: float
    zero_steps: float
    finite: bool


def soak(preset: Preset, split: Split, variant: Variant, updates: int, seed: int) -> Iterator[Report]:
    """Train by a preset, then on for so many updates; the first report is of the preset's end."""
    model, trainer = variant.begin(Experiment.begin(preset, split, seed=seed).model, counting=True)
    encoder, train = Encoder(model, trainer), split.train
    records, holdout = encoder.records(train.features, train.targets), encoder.arguments(split.holdout.features)
    counts = Statistics()
    for epoch in EpochLoop(preset.phases):
        counts += trainer.run(records, epoch.phase.rates)
    rates, order = preset.phases[-1].rates, np.random.default_rng(seed)
    epochs = max(1, updates // (REPORTS * len(train)))
    for done in itertools.count():
        errors = model.decode(trainer.results(holdout)) - split.holdout.targets
        yield Report(
            str(variant),
            done * epochs * len(train),
            float(np.sqrt(np.mean(errors**2))),
            finite=bool(np.isfinite(trainer.parameters).all()),
            **{name: MILLION * getattr(counts, name) / max(1, counts.records) for name in COUNTS},
        )
        if done == REPORTS:
            return
        shuffled, counts = records.take(order.permutation(len(train))), Statistics()
        for _ in range(epochs):
            counts += trainer.run(shuffled, rates)


def table_of(reports: list[Report]) -> Table:
    """Show the reports, a row each."""
    columns = "arithmetic", "updates", "RMSE", "saturations in a million", "clips", "zero steps", "finite"
    table = Table(*columns, title="a training that goes on")
    for report in reports:
        counts = (f"{getattr(report, name):.4g}" for name in COUNTS)
        table.add_row(
            report.variant, f"{report.updates:,}", f"{report.rmse:.6g}", *counts, "yes" if report.finite else "NO"
        )
    return table


def faults(reports: list[Report]) -> list[str]:
    """Say what is wrong, a line each."""
    lines = [
        f"{report.variant}: a parameter is not finite after {report.updates:,} updates"
        for report in reports
        if not report.finite
    ]
    for variant, group in itertools.groupby(reports, key=lambda report: report.variant):
        errors = [report.rmse for report in group]
        if not errors[-1] <= TOLERANCE * min(errors):
            lines.append(f"{variant}: the last RMSE is {errors[-1] / min(errors):.2f} times the least")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default=presets.DEFAULT, choices=list(presets.PRESETS))
    parser.add_argument(
        "--updates", type=real(*UPDATES), default=1e8, metavar="N", help="of each arithmetic (default: %(default)g)"
    )
    parser.add_argument("--seed", type=whole(*SEED), default=0, metavar="N")
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)
    console = Console(stderr=True)
    reports: list[Report] = []
    preset, split = presets.find(options.dataset), datasets.load(options.dataset, seed=options.seed)
    for variant in variants_of(preset, [preset.network.width], None):
        steps = soak(variant.preset(preset), split, variant, int(options.updates), options.seed)
        reports += track(steps, str(variant), total=REPORTS + 1, console=console)
    Console().print(table_of(reports))
    write_json(options.json, {"dataset": options.dataset, "rows": [asdict(report) for report in reports]})
    wrong = faults(reports)
    for line in wrong:
        Console().print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
