"""R2 of `NKRegressor` on tables of many features, beside gradient boosting and ridge regression.

    python scripts/studies/wide_tables.py

Most features of these tables say nothing. All estimators have their default parameters; a quarter of the records is
held out. The rule that is judged is `sw.presets.by_size.default_preset`.
"""

import sys
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn import datasets
from sklearn.base import RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from scripts.studies.figures import comparison
from sw.estimators import NKRegressor
from sw.outputs import write_json

Samples = tuple[np.ndarray, np.ndarray]


def linear(records: int, features: int, weights: tuple[float, ...], noise: float) -> Callable[[int], Samples]:
    """Make a maker of normal features, of which the first few say all, by a weighted sum."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(records, features))
        return x, x[:, : len(weights)] @ np.array(weights) + noise * rng.normal(size=records)

    return make


SETS: dict[str, Callable[[int], Samples]] = {
    "2 x0": linear(1000, 400, (2.0,), 0.1),
    "x0 + x1": linear(2000, 300, (1.0, 1.0), 0.0),
    "friedman1 among 20": lambda seed: datasets.make_friedman1(1000, 20, noise=1.0, random_state=seed),
    "friedman1 among 30": lambda seed: datasets.make_friedman1(1000, 30, noise=1.0, random_state=seed),
    "friedman1 among 100": lambda seed: datasets.make_friedman1(2000, 100, noise=1.0, random_state=seed),
    "friedman1 among 300": lambda seed: datasets.make_friedman1(5000, 300, noise=1.0, random_state=seed),
    "regression": lambda seed: datasets.make_regression(1500, 100, n_informative=20, noise=20.0, random_state=seed),
    "digits": lambda seed: datasets.load_digits(return_X_y=True),
}

CONTENDERS: dict[str, Callable[[int], RegressorMixin]] = {
    "NKRegressor": lambda seed: NKRegressor(random_state=seed),
    "HistGradientBoosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    "RidgeCV": lambda seed: RidgeCV(),
}


def measure(name: str, contender: str, seed: int) -> float:
    """Measure the R2 of a contender on records that are held out."""
    features, holdout, targets, truth = train_test_split(*SETS[name](seed), random_state=seed)
    return r2_score(truth, CONTENDERS[contender](seed).fit(features, targets).predict(holdout))


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = comparison(__doc__, "set", SETS, arguments)
    table = Table(title=f"R2 on held-out records, mean of {options.seeds} splits", title_justify="left")
    for column in ("data set", "records", *CONTENDERS):
        table.add_column(column, justify="left" if column == "data set" else "right")
    figures = []
    for name in track(options.names, console=Console(stderr=True), transient=True):
        scores = {
            contender: float(np.mean([measure(name, contender, seed) for seed in range(options.seeds)]))
            for contender in CONTENDERS
        }
        records, features = SETS[name](0)[0].shape
        figures.append({"set": name, "records": records, "features": features, "r2": scores})
        table.add_row(name, f"{records} x {features}", *(f"{score:.3f}" for score in scores.values()))
    Console(highlight=False).print(table)
    write_json(options.json, {"sets": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
