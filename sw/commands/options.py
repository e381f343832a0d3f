"""Groups of options that several verbs have, and what they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw import archive
from sw.datasets import NAMES, Source, Split, load, open_source
from sw.spec.bounds import RECORDS, SEED
from sw.spec.options import whole

if TYPE_CHECKING:
    from sw.model import Model

from sw.datasets.encoding import MISSING_RULES, REFUSE
from sw.datasets.reading import FORMATS

TABLE_HELP = f"a table ({', '.join(FORMATS)}), a folder of .parquet files, or - for a pipe"
DATA_HELP = f"{', '.join(NAMES)}; or {TABLE_HELP}"


def add_data(parser: argparse.ArgumentParser, *, of_model: bool = False) -> None:
    """Add the options that say which columns and records of a data set are meant.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    of_model : bool, default=False
        Whether a model says which columns are meant, and which records it was trained on.
    """
    group = parser.add_argument_group("columns of a file")
    if not of_model:
        group.add_argument("--targets", nargs="+", metavar="COLUMN", help="to predict (default: the last)")
        group.add_argument("--features", nargs="+", metavar="COLUMN", help="to predict from (default: all others)")
        group.add_argument("--ignore", nargs="+", default=(), metavar="COLUMN", help="not to use")
        group.add_argument(
            "--missing",
            choices=MISSING_RULES,
            default=REFUSE,
            help="what happens to missing cells: an error, their rows are dropped, or the column's median fills them "
            "(default: %(default)s)",
        )
    add_header(group)
    group = parser.add_argument_group("records")
    count = whole(*RECORDS)
    default = "the model's" if of_model else "the data set's, else {}"
    group.add_argument("--records", type=count, metavar="N", help=f"to train on (default: {default.format('all')})")
    group.add_argument("--holdout", type=count, metavar="N", help=f"held out (default: {default.format('a fifth')})")
    group.add_argument(
        "--seed",
        type=whole(*SEED),
        default=None if of_model else 0,
        metavar="N",
        help="of records (default: the model's)" if of_model else "of records and first nodes (default: %(default)s)",
    )


def add_header(group: argparse._ActionsContainer) -> None:
    """Add the option that says whether a text file has a header.

    Parameters
    ----------
    group : argument parser or group
        Where it is shown.
    """
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--header",
        action="store_const",
        const=True,
        help="the first row of a text file names the columns (default: found out)",
    )
    either.add_argument(
        "--no-header", dest="header", action="store_const", const=False, help="the first row of a text file is data"
    )


def open_data(options: argparse.Namespace, start: Model | None = None) -> Source:
    """Open the data set that `dataset` and the options of `add_data` name.

    Parameters
    ----------
    options : argparse.Namespace
        Of the verb.
    start : Model, optional
        A model that is trained on: it says what is done to the columns of a file.

    Returns
    -------
    Source
        Records to train on and a hold-out.
    """
    return open_source(options.dataset, **_choices(options, start))


def data_file(dataset: str | None) -> Path | None:
    """Return the file that a data set is read from.

    Parameters
    ----------
    dataset : str or None
        A name, or a file.

    Returns
    -------
    Path or None
        None for a named data set, which is made.

    Raises
    ------
    ValueError
        For a model or a checkpoint.
    """
    if dataset is None or dataset in NAMES:
        return None
    refuse_own(dataset)
    return Path(dataset)


def load_data(options: argparse.Namespace, start: Model | None = None) -> Split:
    """Read the data set that `dataset` and the options of `add_data` name.

    Parameters
    ----------
    options : argparse.Namespace
        Of the verb.
    start : Model, optional
        As `open_data` takes it.

    Returns
    -------
    Split
        Records to train on and a hold-out, in memory.
    """
    return load(options.dataset, **_choices(options, start))


def tell_notes(name: str, notes: Sequence[str], tell: Callable[[str], None]) -> None:
    """Tell the user what was assumed, left out and done when a file was read.

    Parameters
    ----------
    name : str
        The file's.
    notes : sequence of str
        A line each.
    tell : callable
        Takes a line.
    """
    for note in notes:
        tell(f"{name}: {note}")


def _choices(options: argparse.Namespace, start: Model | None) -> dict[str, Any]:
    columns = {name: getattr(options, name) for name in ("targets", "features", "ignore", "missing")}
    choices = {name: getattr(options, name) for name in ("records", "holdout", "seed", "header")}
    if start is None or not start.feature_names:
        return choices | columns
    if said := [name for name, value in columns.items() if value and value != REFUSE]:
        raise argparse.ArgumentTypeError(f"--from MODEL says what is done to columns; leave out --{', --'.join(said)}")
    return choices | {"encoding": start.encoding}


def refuse_own(path: str | Path) -> None:
    """Refuse a model or a checkpoint where data are wanted.

    Parameters
    ----------
    path : str or Path
        A file, or the name of a data set.

    Raises
    ------
    ValueError
        For a file of this package's own.
    """
    if kind := archive.own_kind(path):
        raise ValueError(f"{path} is a {kind}, not data")


def load_model(path: Path, data: str | Path | None = None) -> Model:
    """Read a model that a user named.

    Parameters
    ----------
    path : Path
        The file.
    data : str or Path, optional
        What the user named as data.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    ValueError
        For a file that is no model; the message says so if model and data have changed places.
    """
    from sw.model import Model, ModelFileError

    try:
        return Model.load(path)
    except ModelFileError as error:
        if data is not None and archive.own_kind(data) == "kanloom model":
            raise ValueError(f"the model comes first, then the data: {data} {path}; {error}") from error
        raise


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a file for all figures.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to a file")


def history_rows(history: np.ndarray) -> list[dict[str, Any]]:
    """Return a model's history as plain data.

    Parameters
    ----------
    history : array of `sw.model.HISTORY`
        A row for each evaluation.
    """
    return [dict(zip(history.dtype.names or (), row, strict=True)) for row in history.tolist()]


def check_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse a file of a kind that cannot be written.

    Parameters
    ----------
    path : Path
        A file to be written.
    suffixes : tuple of str
        The legal endings.

    Raises
    ------
    ValueError
        For any other ending.
    """
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path} does not end in {', '.join(suffixes)}")
