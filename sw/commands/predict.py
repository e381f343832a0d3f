"""`python -m sw predict`: the rows of a file, with or without targets, through a model.

The model's features are looked for among the file's columns by name. If the file has none of the names, or no names
at all, and as many columns as the model has features, they are the features in order.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from sw.commands.options import check_folders
from sw.datasets import Dataset, write
from sw.datasets.files import read_blocks, write_csv
from sw.datasets.table import indices
from sw.engine.prediction import Predictor
from sw.model import Model

OUTPUTS = (".csv", ".npy", ".parquet")


def declare(parser: argparse.ArgumentParser) -> None:
    parser.description = (__doc__ or "").partition("\n\n")[2]
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("file", type=Path, help=".csv, .npy, .npz or .parquet; other columns are ignored")
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"{', '.join(OUTPUTS)} (default: CSV to stdout)")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    if options.output and options.output.suffix.lower() not in OUTPUTS:
        raise ValueError(f"{options.output} does not end in {', '.join(OUTPUTS)}")
    check_folders(options.output)
    model = Model.load(options.model)
    columns, blocks = read_blocks(options.file)
    chosen = feature_columns(model, options.file.name, columns)
    predictor = Predictor(model, threads=options.threads)
    predicted = np.concatenate([predictor.predict(block[:, chosen]) for block in blocks])
    table = Dataset(options.file.name, np.empty((len(predicted), 0)), predicted, (), model.target_names)
    if options.output:
        write(table, options.output)
        print(f"{len(predicted)} predictions are in {options.output}.")
    else:
        write_csv(table, sys.stdout)
    return 0


def feature_columns(model: Model, name: str, columns: tuple[str, ...]) -> list[int]:
    """Where in the file of that name each feature is, by the rule above. Raises ValueError saying what it lacks."""
    names = model.feature_names
    missing = [feature for feature in names if feature not in columns]
    if not missing:
        return [columns.index(feature) for feature in names]
    if len(columns) == len(names) and (columns == indices(len(columns)) or len(missing) == len(names)):
        return list(range(len(columns)))
    raise ValueError(
        f"{name} has no column {', '.join(missing)}; the model needs the features {', '.join(names)}, and the file has "
        f"the columns {', '.join(columns)}"
    )
