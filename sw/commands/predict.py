"""`kanloom predict`: the rows of a file, with or without targets, through a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.options import check_suffix, load_model, refuse_own
from sw.commands.progress import TerminalReporter
from sw.outputs import TABLE, Output, add_force, check
from sw.spec.bounds import THREADS
from sw.spec.options import whole

if TYPE_CHECKING:
    from sw.model import Model

OUTPUTS = (".csv", ".npy", ".parquet")
EXAMPLES = ("det4.npz new.csv --output predicted.csv", "det4.npz new.csv > predicted.csv")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} The model's features are looked for among the file's columns by name. If the file has "
        "none of the names, or no names at all, and as many columns as the model has features, the columns are the "
        "features in order."
    )
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("file", type=Path, help=".csv, .npy, .npz or .parquet; other columns are ignored")
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"{', '.join(OUTPUTS)} (default: CSV to stdout)")
    add_force(parser)
    parser.add_argument(
        "--threads", type=whole(*THREADS), default=1, metavar="N", help="that work at a time (default: %(default)s)"
    )


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Predict and write the predictions.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    int
        The exit status.
    """
    import numpy as np

    from sw.datasets import Dataset, write
    from sw.datasets.files import read_blocks, write_csv

    if options.output:
        check_suffix(options.output, OUTPUTS)
    check(Output(options.output, TABLE), inputs=[options.model, options.file], force=options.force)
    model = load_model(options.model, options.file)
    refuse_own(options.file)
    columns, blocks = read_blocks(options.file)
    chosen = feature_columns(model, options.file.name, columns)
    predicted, rows = [], 0
    with reporter.step("starting") as step:
        from sw.commands.kernels import preparing
        from sw.engine.prediction import Predictor

        step.update(what=preparing(model))
        predictor = Predictor(model, threads=options.threads)
        for block in blocks:
            predicted.append(predictor.predict(block[:, chosen]))
            rows += len(block)
            step.update(what="predicting", note=f"{rows:,} rows")
    values = np.concatenate(predicted)
    table = Dataset(options.file.name, np.empty((len(values), 0)), values, (), model.target_names)
    if options.output:
        write(table, options.output)
        reporter.note(f"{len(values)} predictions are in {options.output}.")
    else:
        write_csv(table, sys.stdout)
    return 0


def feature_columns(model: Model, name: str, columns: tuple[str, ...]) -> list[int]:
    """Find each feature of a model in a file, by the rule that the help states.

    Parameters
    ----------
    model : Model
        It knows the names of its features.
    name : str
        The file's name, for the message.
    columns : tuple of str
        The names of its columns.

    Returns
    -------
    list of int
        The column of each feature.

    Raises
    ------
    ValueError
        If columns are missing; it names them.
    """
    from sw.datasets.table import indices

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
