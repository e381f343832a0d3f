"""Networks of two and of three layers on tables, each in fixed point and in float32 from the same start.

    python scripts/studies/deep_tables.py "friedman2" "mixed scales"

A quarter of the records is held out; the error is the RMSE by the deviation of the targets. One network each, by
`sw.presets.by_size.default_preset`, and the same with a second hidden layer of 8 units, by `sw.presets.depth`.
"""

import sys

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.model_selection import train_test_split

from scripts.studies.figures import comparison
from scripts.studies.tabular import SETS
from sw.datasets import MemorySource, Split
from sw.datasets.dataset import Dataset
from sw.engine.strategy import Strategy
from sw.engine.training import Training
from sw.experiment import first_model
from sw.outputs import write_json
from sw.presets.by_size import default_preset
from sw.presets.preset import Preset, shaped

SECOND = 8  # units
ARITHMETICS = ("fixed16", "float32")


def split_of(name: str, seed: int) -> Split:
    """Split the records of a table."""
    features, targets = SETS[name](seed)
    parts = train_test_split(features, targets.reshape(len(targets), -1).astype(float), random_state=seed)
    names = [
        tuple(f"{kind}{index}" for index in range(part.shape[1])) for kind, part in zip("xy", parts[::2], strict=True)
    ]
    train, holdout = (Dataset(name, *columns, *names) for columns in (parts[::2], parts[1::2]))
    return Split(train, holdout)


def error_of(preset: Preset, split: Split, arithmetic: str, seed: int) -> float:
    """Train a network; return its error on the hold-out."""
    source = MemorySource(split)
    strategy = Strategy(phases=preset.phases, arithmetic=arithmetic, seed=seed)
    training = Training(first_model(preset, source, seed=seed), source, strategy)
    for _ in training.run():
        pass
    return float(training.score(lambda: False).rmse / split.holdout.targets.std())


def measure(name: str, seed: int) -> list[float]:
    """Measure the errors of two and of three layers, in each arithmetic."""
    split = split_of(name, seed)
    (records, features), outputs = split.train.features.shape, split.train.targets.shape[1]
    two = default_preset(features, outputs, records)
    three = shaped(two, (features, two.network.layers[0].outputs, SECOND, outputs), None)
    return [error_of(preset, split, arithmetic, seed) for preset in (two, three) for arithmetic in ARITHMETICS]


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = comparison(__doc__, "set", SETS, arguments)
    table = Table(title=f"RMSE / deviation on held-out records, mean of {options.seeds} splits", title_justify="left")
    columns = [f"{depth}, {arithmetic}" for depth in ("two layers", "three") for arithmetic in ARITHMETICS]
    for column in ("data set", *columns, "three / two, fixed16", "three, fixed16 / float32"):
        table.add_column(column, justify="left" if column == "data set" else "right")
    figures = []
    for name in track(options.names, console=Console(stderr=True), transient=True):
        errors = np.array([measure(name, seed) for seed in range(options.seeds)])
        ratios = np.stack([errors[:, 2] / errors[:, 0], errors[:, 2] / errors[:, 3]], axis=1)
        means, ratio = errors.mean(axis=0), ratios.mean(axis=0)
        spread = ratios.std(axis=0)
        figures.append(
            {"set": name, "errors": dict(zip(columns, means.tolist(), strict=True))}
            | {"three_by_two": ratio[0], "three_by_float32": ratio[1], "deviations": spread.tolist()}
        )
        cells = [f"{mean:.4f}" for mean in means]
        table.add_row(name, *cells, *(f"{each:.3f} ± {sd:.3f}" for each, sd in zip(ratio, spread, strict=True)))
    Console(highlight=False, width=160).print(table)
    write_json(options.json, {"sets": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
