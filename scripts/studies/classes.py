"""Accuracy and log loss of `NKClassifier` beside gradient boosting and logistic regression.

    python scripts/studies/classes.py

All classifiers have their default parameters; logistic regression gets standardised features. A quarter of the records
is held out.
"""

import sys
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn import datasets
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scripts.studies.figures import comparison
from sw.estimators import NKClassifier
from sw.outputs import write_json

Samples = tuple[np.ndarray, np.ndarray]

SETS: dict[str, Callable[[int], Samples]] = {
    "breast cancer": lambda seed: datasets.load_breast_cancer(return_X_y=True),
    "wine": lambda seed: datasets.load_wine(return_X_y=True),
    "iris": lambda seed: datasets.load_iris(return_X_y=True),
    "digits": lambda seed: datasets.load_digits(return_X_y=True),
    "moons": lambda seed: datasets.make_moons(1000, noise=0.3, random_state=seed),
    "hastie": lambda seed: datasets.make_hastie_10_2(3000, random_state=seed),
    "5 classes": lambda seed: datasets.make_classification(
        3000, 20, n_informative=8, n_classes=5, flip_y=0.1, random_state=seed
    ),
    "a rare class": lambda seed: datasets.make_classification(
        5000, 10, n_informative=5, flip_y=0.2, weights=[0.9], random_state=seed
    ),
}

CONTENDERS: dict[str, Callable[[int], ClassifierMixin]] = {
    "NKClassifier": lambda seed: NKClassifier(random_state=seed),
    "HistGradientBoosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "LogisticRegression": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}


def measure(name: str, contender: str, seed: int) -> tuple[float, float]:
    """Measure the accuracy and the log loss of a contender on records that are held out."""
    features, classes = SETS[name](seed)
    known, unseen, classes, truth = train_test_split(features, classes, stratify=classes, random_state=seed)
    predicted = CONTENDERS[contender](seed).fit(known, classes).predict_proba(unseen)
    labels = np.unique(classes)
    return float(accuracy_score(truth, labels[predicted.argmax(axis=1)])), float(
        log_loss(truth, predicted, labels=labels)
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = comparison(__doc__, "set", SETS, arguments)
    table = Table(
        title=f"accuracy and log loss on held-out records, mean of {options.seeds} splits", title_justify="left"
    )
    for column in ("data set", "records", *CONTENDERS):
        table.add_column(column, justify="left" if column == "data set" else "right")
    figures = []
    for name in track(options.names, console=Console(stderr=True), transient=True):
        scores = {
            contender: np.mean([measure(name, contender, seed) for seed in range(options.seeds)], axis=0).tolist()
            for contender in CONTENDERS
        }
        features, classes = SETS[name](0)
        shape = [*features.shape, len(np.unique(classes))]
        figures.append(
            {"set": name, "records": shape[0], "features": shape[1], "classes": shape[2]}
            | {contender: {"accuracy": accuracy, "log_loss": loss} for contender, (accuracy, loss) in scores.items()}
        )
        cells = [f"{accuracy:.3f}  {loss:.3f}" for accuracy, loss in scores.values()]
        table.add_row(name, f"{shape[0]} x {shape[1]}, {shape[2]}", *cells)
    Console(highlight=False).print(table)
    write_json(options.json, {"sets": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
