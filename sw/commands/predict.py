"""`kanloom predict`: the rows of a file, with or without targets, through a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.options import TABLE_HELP, add_header, check_suffix, load_model, refuse_own, tell_notes
from sw.commands.progress import TerminalReporter
from sw.datasets.encoding import MISSING_RULES
from sw.outputs import TABLE, Output, add_force, check
from sw.spec.bounds import THREADS
from sw.spec.options import whole

if TYPE_CHECKING:
    import numpy as np

    from sw.datasets.dataset import Selection
    from sw.model import Model

OUTPUTS = (".csv", ".npy", ".parquet")
MOST_COLUMNS = 8  # that a line about them names
EXAMPLES = ("det4.npz new.csv --output predicted.csv", "det4.npz new.csv > predicted.csv")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} The columns that the model needs are found by name, and treated as in training; other "
        "columns are not looked at. If the file has no names, and as many columns as the model needs, they are taken "
        "in order. Every row of the file gives a row of predictions, an empty one if --missing drop says so and a cell "
        "is missing."
    )
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("file", type=Path, help=TABLE_HELP)
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"{', '.join(OUTPUTS)} (default: CSV to stdout)")
    add_force(parser)
    add_header(parser)
    parser.add_argument(
        "--by-position", action="store_true", help="take the file's columns in order, whatever their names are"
    )
    parser.add_argument(
        "--missing",
        choices=MISSING_RULES,
        help="what happens to missing cells: an error, an empty prediction, or the median of the training fills them "
        "(default: as in training)",
    )
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
    from sw.datasets.files import write_csv
    from sw.datasets.inputs import Inputs

    if options.output:
        check_suffix(options.output, OUTPUTS)
    check(Output(options.output, TABLE), inputs=[options.model, options.file], force=options.force)
    model = load_model(options.model, options.file)
    refuse_own(options.file)
    tell = reporter.note if options.output else reporter.aside
    encoding = model.encoding.with_missing(options.missing or model.encoding.missing)
    inputs = Inputs(options.file, encoding, header=options.header, by_position=options.by_position)
    predicted, outside = [], Outside(model)
    with reporter.step("starting") as step:
        from sw.commands.kernels import preparing
        from sw.engine.prediction import Predictor

        step.update(what=preparing(model))
        predictor, rows = Predictor(model, threads=options.threads), 0
        for block in inputs.blocks():
            empty = np.isnan(block).any(axis=1)
            outside.count(block)
            if empty.any():
                block[empty] = model.scaling.feature_low
            predicted.append(predictor.predict(block))
            predicted[-1][empty] = np.nan
            rows += len(block)
            step.update(what="predicting", note=f"{rows:,} rows")
    values = np.concatenate(predicted)
    dropped = int(np.isnan(values[:, 0]).sum())
    tell_notes(
        inputs.name,
        [
            *inputs.notes,
            *seen_in_training(model.selection, inputs.name, rows),
            *inputs.unseen.notes(),
            *outside.notes(),
            *([f"{dropped:,} of {rows:,} rows have missing cells; their predictions are empty"] if dropped else []),
        ],
        tell,
    )
    table = Dataset(inputs.name, np.empty((rows, 0)), values, (), model.target_names)
    if options.output:
        write(table, options.output)
        reporter.note(f"{len(values)} predictions are in {options.output}.")
    else:
        write_csv(table, sys.stdout)
    return 0


def seen_in_training(trained: Selection | None, name: str, rows: int) -> list[str]:
    """Say, if a file looks like the one that a model was trained on, how many of its rows are not new to the model.

    Parameters
    ----------
    trained : Selection or None
        Records that the model was trained on.
    name : str
        The file's name.
    rows : int
        Rows of the file.
    """
    if trained is None or (trained.name, trained.rows) != (name, rows):
        return []
    return [f"by its name and size the model was trained on {trained.records:,} of these {rows:,} rows"]


class Outside:
    """The values beyond the ranges of a model's features, which count as the ends of these ranges.

    Parameters
    ----------
    model : Model
        It knows the ranges.
    """

    def __init__(self, model: Model) -> None:
        import numpy as np

        self._names, self._scaling = model.feature_names, model.scaling
        self._cells = np.zeros(len(model.feature_names), np.int64)
        self._low, self._high = model.scaling.feature_low.copy(), model.scaling.feature_high.copy()

    def count(self, features: np.ndarray) -> None:
        """Count the values of some rows.

        Parameters
        ----------
        features : ndarray of shape (rows, features)
            In the user's units; NaN counts as inside.
        """
        import numpy as np

        if not len(features):
            return
        self._low = np.fmin(self._low, np.fmin.reduce(features))
        self._high = np.fmax(self._high, np.fmax.reduce(features))
        low, high = self._scaling.feature_low, self._scaling.feature_high
        if (self._low < low).any() or (self._high > high).any():
            self._cells += ((features < low) | (features > high)).sum(axis=0)

    def notes(self) -> list[str]:
        """Say in one line, if there are any, in which columns they are."""
        scaling = self._scaling
        columns = [
            f"{self._names[index]} ({self._cells[index]:,}: {self._low[index]:.6g} to {self._high[index]:.6g}, trained "
            f"on {scaling.feature_low[index]:.6g} to {scaling.feature_high[index]:.6g})"
            for index in self._cells.nonzero()[0]
        ]
        more = f", and {len(columns) - MOST_COLUMNS} more columns" if len(columns) > MOST_COLUMNS else ""
        listed = ", ".join(columns[:MOST_COLUMNS])
        return [f"values beyond the range of training count as its ends: {listed}{more}"] if columns else []
