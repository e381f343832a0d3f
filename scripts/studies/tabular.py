"""Hold-out R2 and fit times of `NKRegressor` beside scikit-learn's regressors.

    python scripts/studies/tabular.py

The data sets are those that scikit-learn ships or generates, a heavy-tailed and a mixed-scale one. All estimators have
their default parameters; the perceptron gets standardised features and targets, and 500 iterations. A quarter of the
records is held out.
"""

import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn import datasets
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scripts.studies.figures import comparison
from sw.estimators import NKRegressor
from sw.outputs import write_json

Samples = tuple[np.ndarray, np.ndarray]


def shipped(load: Callable) -> Callable[[int], Samples]:
    """Make a data set that is the same for all seeds; classes are regressed on their index."""
    return lambda seed: load(return_X_y=True)


def heavy_tailed(seed: int) -> Samples:
    """Make records of log-normal features, some of them products of their logarithms."""
    rng = np.random.default_rng(seed)
    features = rng.lognormal(0, 1.5, (2000, 6))
    logs = np.log(features)
    signal = logs[:, 0] * logs[:, 1] + np.sqrt(features[:, 2]) + 2 * np.log1p(features[:, 3])
    return features, signal + rng.normal(0, 0.3, len(features))


def heavy_target(seed: int) -> Samples:
    """Make records of a log-normal target of normal features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2000, 6))
    signal = np.exp(1.2 * (features[:, 0] + 0.5 * features[:, 1] * features[:, 2]))
    return features, signal + rng.normal(0, 0.3, len(features))


def mixed_scale(seed: int) -> Samples:
    """Make records with features of scales from 1e-12 to 1e20, some far from zero, and a constant one."""
    rng = np.random.default_rng(seed)
    unit = rng.uniform(-1, 1, (2000, 7))
    signal = np.sin(3 * unit[:, 0]) + unit[:, 1] * unit[:, 2] + unit[:, 3] ** 2 + rng.normal(0, 0.1, len(unit))
    features = unit * 10.0 ** np.array([-12, 6, 0, -3, 9, 3, 20]) + np.array([0, 1e7, 0, 1, 0, -5e3, 0])
    return np.column_stack([features, np.full(len(unit), 7.0)]), 1e5 * signal + 3e6


SETS: dict[str, Callable[[int], Samples]] = {
    "diabetes": shipped(datasets.load_diabetes),
    "linnerud": shipped(datasets.load_linnerud),
    "friedman1": lambda seed: datasets.make_friedman1(1000, noise=1.0, random_state=seed),
    "friedman1, 13 333": lambda seed: datasets.make_friedman1(13_333, noise=1.0, random_state=seed),
    "friedman2": lambda seed: datasets.make_friedman2(1000, noise=50.0, random_state=seed),
    "friedman3": lambda seed: datasets.make_friedman3(1000, noise=0.1, random_state=seed),
    "regression": lambda seed: datasets.make_regression(
        1000, 20, n_informative=10, noise=20.0, random_state=seed, coef=False
    ),
    "regression, 4 targets": lambda seed: datasets.make_regression(
        1000, 12, n_informative=8, n_targets=4, noise=10.0, random_state=seed, coef=False
    ),
    "sparse uncorrelated": lambda seed: datasets.make_sparse_uncorrelated(1000, random_state=seed),
    "heavy-tailed features": heavy_tailed,
    "heavy-tailed target": heavy_target,
    "mixed scales": mixed_scale,
    "digits": shipped(datasets.load_digits),
    "wine": shipped(datasets.load_wine),
    "breast cancer": shipped(datasets.load_breast_cancer),
}


def perceptron(seed: int) -> BaseEstimator:
    """Make a perceptron for standardised features and targets."""
    network = MLPRegressor(max_iter=500, random_state=seed)
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler())


CONTENDERS: dict[str, Callable[[int], BaseEstimator]] = {
    "NKRegressor": lambda seed: NKRegressor(random_state=seed),
    "HistGradientBoosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    "MLP": perceptron,
    "RandomForest": lambda seed: RandomForestRegressor(random_state=seed),
}


def measure(name: str, samples: Samples, seed: int) -> tuple[float, float]:
    """Measure the hold-out R2 of a contender, and the seconds of its fit."""
    features, holdout, targets, truth = train_test_split(*samples, random_state=seed)
    estimator = CONTENDERS[name](seed)
    if targets.ndim > 1 and name == "HistGradientBoosting":
        estimator = MultiOutputRegressor(estimator)
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(features, targets)
    seconds = time.perf_counter() - begun
    return r2_score(truth, estimator.predict(holdout)), seconds


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = comparison(__doc__, "set", SETS, arguments, seeds=3)
    console = Console(highlight=False)
    table = Table(
        title=f"R2 on held-out records, mean of {options.seeds} splits, and seconds of a fit, their median",
        title_justify="left",
    )
    table.add_column("data set")
    table.add_column("records", justify="right")
    for name in CONTENDERS:
        table.add_column(name, justify="right")
    figures = []
    for label in track(options.names, console=Console(stderr=True), transient=True):
        measure("NKRegressor", SETS[label](0), 0)  # compiles the kernels, or loads them
        results = {}
        for name in CONTENDERS:
            scores, seconds = zip(
                *(measure(name, SETS[label](seed), seed) for seed in range(options.seeds)), strict=True
            )
            results[name] = float(np.mean(scores)), float(np.median(seconds))
        features, targets = SETS[label](0)
        shape = [*features.shape, targets.size // len(targets)]
        figures.append(
            {"set": label, "records": shape[0], "features": shape[1], "outputs": shape[2]}
            | {name: {"r2": r2, "fit_seconds": median} for name, (r2, median) in results.items()}
        )
        best = max(r2 for r2, _ in results.values())
        cells = [f"{'[bold]' if r2 == best else ''}{r2:.3f}  {median:5.2f} s" for r2, median in results.values()]
        table.add_row(label, f"{shape[0]} x {shape[1]}, {shape[2]}", *cells)
    console.print(table)
    write_json(options.json, {"sets": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
