"""Which columns are targets, and which records are held out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sw.datasets.dataset import ColumnChoice, Dataset, DatasetError, Split, check_number
from sw.datasets.files import FORMATS, read
from sw.datasets.synthetic import RECIPES, generate
from sw.spec.bounds import RECORDS, SEED

NAMES = tuple(RECIPES)

Targets = str | int | Sequence[str | int] | None


def load(
    name_or_path: str | Path,
    *,
    records: int | None = None,
    holdout: int | None = None,
    seed: int = 0,
    targets: Targets = None,
) -> Split:
    """Load training records and hold-out of a known data set, or of a file.

    A shuffle of a file's rows by `seed` chooses first the hold-out, then the training records. The split is by rows: if
    a file repeats a record, its copies may fall on both sides.

    Parameters
    ----------
    name_or_path : str or Path
        One of `NAMES`, or a file that ends in .csv, .npy, .npz or .parquet, as `sw.datasets.files.read` takes it.
    records : int or None
        Training records; None for the paper's count, or for all rows of a file that the hold-out leaves.
    holdout : int or None
        Records in the hold-out; None for the paper's count, or for a fifth of a file's rows.
    seed : int
        Seed of the generator, or of the shuffle. The same seed gives the same hold-out whatever `records` is.
    targets : str, int, sequence of these, or None
        Target columns of a file, by name or by index from 0 (negative ones count from the end); all others are
        features. None for the last column, or for `y`.

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
    if name in RECIPES:
        counts = known_counts(name, records, holdout, targets)
        return Split(**{split: generate(name, count, seed=seed, split=split) for split, count in counts.items()})
    path = Path(name_or_path)
    if path.suffix.lower() not in FORMATS:
        raise DatasetError(
            f"unknown data set {name!r}; the known ones are {', '.join(NAMES)}, and files that end in "
            f"{', '.join(FORMATS)} are read"
        )
    dataset = _read(path, targets)
    train, held = choose_rows(path.name, len(dataset), records, holdout, seed)
    return Split(dataset.take(train), dataset.take(held))


def _read(path: Path, targets: Targets) -> Dataset:
    table = read(path)
    return choose_columns(path, table.columns, table.targets if targets is None else targets).dataset(table.values)


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


def known_counts(name: str, records: int | None, holdout: int | None, targets: Targets) -> dict[str, int]:
    """Give the number of records in each split of a known data set.

    Raises
    ------
    DatasetError
        If there are `targets`, which can be chosen in files only.
    """
    made = RECIPES[name]
    if targets is not None:
        raise DatasetError(f"targets are chosen in files only; {name} has {', '.join(made.target_names)}")
    return {"train": records or made.records, "holdout": holdout or made.holdout}


def choose_columns(path: Path, columns: tuple[str, ...], targets: str | int | Sequence[str | int]) -> ColumnChoice:
    """Choose which columns of a file are targets; all others are features.

    Parameters
    ----------
    path : Path
        The file, for the message; its name becomes the data set's.
    columns : tuple of str
        Names of all columns.
    targets : str, int or sequence of these
        Targets in the order wanted, by name or by index; negative indices count from the end.

    Returns
    -------
    ColumnChoice
        Features and targets.

    Raises
    ------
    DatasetError
        If the targets are not distinct columns of the file, or leave no feature.
    """
    if isinstance(targets, str | int):
        targets = (targets,)
    chosen = [_column(path, columns, target) for target in targets]
    features = [index for index in range(len(columns)) if index not in chosen]
    listed = ", ".join(columns)
    if len(set(chosen)) != len(chosen) or not chosen:
        raise DatasetError(f"{path}: targets {list(targets)} are not distinct columns; the file has {listed}")
    if not features:
        raise DatasetError(f"{path}: targets {list(targets)} leave no column as a feature; the file has {listed}")
    return ColumnChoice(path.name, columns, tuple(features), tuple(chosen))


def _column(path: Path, columns: tuple[str, ...], target: str | int) -> int:
    if isinstance(target, str) and target in columns:
        return columns.index(target)
    if not isinstance(target, str) and -len(columns) <= target < len(columns):
        return target % len(columns)
    raise DatasetError(f"{path} has no column {target!r}; it has {', '.join(columns)}")


def choose_rows(
    name: str, rows: int, records: int | None, holdout: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose row numbers by a shuffle.

    Parameters
    ----------
    name : str
        Name of the file, for the message.
    rows : int
        Rows of the file.
    records, holdout : int or None
        Rows in each split, with the defaults of `load`.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    train, holdout : ndarray of int
        Row numbers, disjoint, in the order of the shuffle.

    Raises
    ------
    DatasetError
        If there are too few rows.
    """
    if holdout is None:
        holdout = max(1, rows // 5)
    if records is None:
        records = max(1, rows - holdout)
    if records + holdout > rows:
        raise DatasetError(f"{name} has {rows} records, too few for {records} to train on and {holdout} to hold out")
    order = np.random.default_rng(seed).permutation(rows)
    return order[holdout : holdout + records], order[:holdout]
