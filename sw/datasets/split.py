"""The records of a data set in memory, and which of them are held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError, Selection, Split, check_number
from sw.datasets.encoding import REFUSE, Encoding, Unseen
from sw.datasets.reading import FORMATS, PIPE, read
from sw.datasets.synthetic import RECIPES, generate
from sw.spec.bounds import RECORDS, SEED

if TYPE_CHECKING:
    from sw.datasets.fitting import Column, ColumnOptions, Targets

NAMES = tuple(RECIPES)


def load(
    name_or_path: str | Path,
    *,
    records: int | None = None,
    holdout: int | None = None,
    seed: int = 0,
    targets: "Targets" = None,
    features: "Sequence[Column] | None" = None,
    ignore: "Sequence[Column]" = (),
    header: bool | None = None,
    missing: str = REFUSE,
    encoding: Encoding | None = None,
    like: Selection | None = None,
) -> Split:
    """Load training records and hold-out of a known data set, or of a file.

    A shuffle of a file's rows by `seed` chooses first the hold-out, then the training records. The split is by rows: if
    a file repeats a record, its copies may fall on both sides.

    Parameters
    ----------
    name_or_path : str or Path
        One of `NAMES`, or a file as `sw.datasets.reading.read` takes it.
    records : int or None
        Training records; None for the paper's count, or for all rows of a file that the hold-out leaves.
    holdout : int or None
        Records in the hold-out; None for the paper's count, or for a fifth of a file's rows.
    seed : int
        Seed of the generator, or of the shuffle. The same seed gives the same hold-out whatever `records` is.
    targets : str, int, sequence of these, or None
        Target columns of a file, by name or by index from 0 (negative ones count from the end). None for the last
        column, or for `y`.
    features : sequence of str or int, or None
        Columns of a file that are features; None for all that are not targets and can be of use.
    ignore : sequence of str or int
        Columns of a file that are not used.
    header : bool or None
        Whether the first row of a text file holds the names of the columns; None for finding out.
    missing : {"refuse", "drop", "median"}
        What happens to missing cells of a file: an error; their rows are left out; or they are filled with the median
        of their column, in text with a value of its own.
    encoding : Encoding or None
        What is done to the columns of a file, in place of `targets`, `features`, `ignore` and `missing`.
    like : Selection or None
        Records that were chosen before; if the data set has the same name and as many rows, they replace `records`,
        `holdout` and `seed`.

    Returns
    -------
    Split
        Training records and hold-out, float64, in the user's units.

    Raises
    ------
    DatasetError
        If a name, a file or a number is not legal; the message is for the user.
    """
    check_numbers(records, holdout, seed)
    name = str(name_or_path)
    options: dict[str, Any] = {
        "targets": targets,
        "features": features,
        "ignore": ignore,
        "header": header,
        "missing": missing,
    }
    if name in RECIPES:
        known = select_known(name, records, holdout, seed, like, options)
        train = generate(name, known.records, seed=known.seed, split="train")
        return Split(train, generate(name, known.holdout, seed=known.seed, split="holdout"), selection=known)
    check_path(name_or_path)
    from sw.datasets.fitting import ColumnOptions

    table = load_table(name_or_path, ColumnOptions(**options), encoding)
    selection = select(table.records.name, table.rows, len(table.records), records, holdout, seed, like)
    chosen, held = selected_rows(selection, len(table.records))
    return Split(table.records.take(chosen), table.records.take(held), table.encoding, selection, table.notes)


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """A whole file as records.

    Attributes
    ----------
    records : Dataset
        Its rows, without those that missing cells leave out.
    encoding : Encoding
        What was done to its columns.
    rows : int
        Rows of the file.
    notes : tuple of str
        What was assumed, left out and done, a line each.
    """

    records: Dataset
    encoding: Encoding
    rows: int
    notes: tuple[str, ...]


def load_table(path: str | Path, options: "ColumnOptions", encoding: Encoding | None) -> EncodedTable:
    """Read a file into memory.

    Parameters
    ----------
    path : str or Path
        The file.
    options : ColumnOptions
        What the user says about its columns.
    encoding : Encoding or None
        What is done to the columns; None for choosing it.

    Returns
    -------
    EncodedTable
        Its records.

    Raises
    ------
    DatasetError
        If it cannot be read, or its columns cannot be used.
    """
    from sw.datasets.fitting import TableShape, fit

    raw = read(path, header=options.header)
    table, notes = raw.columns, list(raw.notes)
    if encoding is None:
        shape = TableShape(raw.name, table.schema, raw.targets, table.num_rows)
        found = fit(shape, options, iter([(0, table)]), raw.place)
        encoding = found.encoding
        notes += found.notes
    unseen = Unseen()
    values = encoding.matrix(encoding.select(table, raw.name), raw.name, raw.place, targets=True, unseen=unseen)
    kept = complete_rows(values)
    notes += [*unseen.notes(), *rows_left_out(kept, table.num_rows)]
    records = encoding.dataset(values if kept is None else values[kept], Path(raw.name).name)
    return EncodedTable(records, encoding, table.num_rows, tuple(notes))


def complete_rows(values: np.ndarray) -> np.ndarray | None:
    """Find the rows without missing cells; None if that are all."""
    kept = ~np.isnan(values).any(axis=1)
    return None if kept.all() else kept


def rows_left_out(kept: np.ndarray | None, rows: int) -> list[str]:
    """Say, if rows are left out, how many.

    Parameters
    ----------
    kept : ndarray of bool, shape (rows,), or None
        The rows that are kept; None for all.
    rows : int
        Number of rows.
    """
    return (
        [] if kept is None else [f"{rows - int(kept.sum()):,} of {rows:,} rows are left out: they have missing cells"]
    )


def check_numbers(records: int | None, holdout: int | None, seed: int) -> None:
    """Check the counts of records, if they are given, and the seed.

    Raises
    ------
    DatasetError
        If a count is less than 1, or the seed less than 0.
    """
    check_number("records", records, *RECORDS)
    check_number("holdout", holdout, *RECORDS)
    check_number("seed", seed, *SEED)


def check_path(path: str | Path) -> None:
    """Check that a path can be one of a table.

    Raises
    ------
    DatasetError
        If it is neither of a known format, nor one that exists.
    """
    name = str(path)
    if name != PIPE and not name.lower().endswith(FORMATS) and not Path(path).exists():
        raise DatasetError(
            f"unknown data set {name!r}; the known ones are {', '.join(NAMES)}, and files that end in "
            f"{', '.join(FORMATS)} are read"
        )


def select_known(
    name: str, records: int | None, holdout: int | None, seed: int, like: Selection | None, options: dict[str, Any]
) -> Selection:
    """Choose the records of a known data set, by the arguments of `load`.

    Raises
    ------
    DatasetError
        If there are `options`, as of `ColumnOptions`, which are for files only.
    """
    made = RECIPES[name]
    given = [option for option, value in options.items() if value not in (None, (), [], REFUSE)]
    if given:
        raise DatasetError(
            f"{name} is no file, for which alone there is {', '.join(given)}; its targets are "
            f"{', '.join(made.target_names)}"
        )
    if like and (like.name, like.rows) == (name, None):
        return like
    return Selection(name, None, records or made.records, holdout or made.holdout, seed)


def select(
    name: str, rows: int, used: int, records: int | None, holdout: int | None, seed: int, like: Selection | None
) -> Selection:
    """Choose how many records of a file are in each split, by the arguments of `load`.

    Parameters
    ----------
    name : str
        Name of the file.
    rows, used : int
        Rows of the file, and those that missing cells leave.
    records, holdout, seed, like
        As `load` takes them.

    Raises
    ------
    DatasetError
        If there are too few rows.
    """
    if like and (like.name, like.rows) == (name, rows):
        records, holdout, seed = like.records, like.holdout, like.seed
    if holdout is None:
        holdout = max(1, used // 5)
    if records is None:
        records = max(1, used - holdout)
    if records + holdout > used:
        raise DatasetError(f"{name} has {used} records, too few for {records} to train on and {holdout} to hold out")
    return Selection(name, rows, records, holdout, seed)


def selected_rows(selection: Selection, used: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose row numbers by a shuffle.

    Parameters
    ----------
    selection : Selection
        How many there are in each split, and the seed.
    used : int
        Rows to choose from.

    Returns
    -------
    train, holdout : ndarray of int
        Row numbers, disjoint, in the order of the shuffle.
    """
    order = np.random.default_rng(selection.seed).permutation(used)
    return order[selection.holdout : selection.holdout + selection.records], order[: selection.holdout]
