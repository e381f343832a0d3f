"""Data sets by name, and the user's own files, with a true hold-out.

`load` gives records to train on and records never to train on; `chunks` streams what does not fit in memory.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError, Split
from sw.datasets.files import FORMATS, read, write
from sw.datasets.synthetic import RECIPES, chunks, generate
from sw.datasets.table import Table

__all__ = ["NAMES", "Dataset", "DatasetError", "Split", "chunks", "generate", "load", "write"]

NAMES = tuple(RECIPES)


def load(
    name_or_path: str | Path,
    *,
    records: int | None = None,
    holdout: int | None = None,
    seed: int = 0,
    targets: str | int | Sequence[str | int] | None = None,
) -> Split:
    """Training and hold-out records of a known data set, or of the user's file.

    Of a file (formats: `sw.datasets.files.read`), a shuffle of the rows by `seed` chooses first the hold-out, then the
    training records. The split is by rows, as users expect it: if a file repeats a record, its copies may fall on
    both sides.

    Parameters
    ----------
    name_or_path: one of `NAMES`, or a file that ends in .csv, .npy, .npz or .parquet.
    records: to train on. Default: the paper's count; of a file, all that the hold-out leaves.
    holdout: never to be trained on. Default: the paper's count; of a file, a fifth of its rows.
    seed: of the generator, or of the shuffle. The same seed gives the same hold-out whatever `records` is.
    targets: of a file only: columns by name or by index from 0 (negative ones count from the end); all others are
        features. Default: the last column, or `y`.

    Raises
    ------
    DatasetError: with a message for the user, for everything that can be wrong with a name, a file or a number.
    """
    for what, value, least in (("records", records, 1), ("holdout", holdout, 1), ("seed", seed, 0)):
        if value is not None and value < least:
            raise DatasetError(f"{what} must be at least {least}, not {value}")
    name = str(name_or_path)
    if name in RECIPES:
        if targets is not None:
            raise DatasetError(f"targets are chosen in files only; {name} has {', '.join(RECIPES[name].target_names)}")
        return Split(
            generate(name, records or RECIPES[name].records, seed=seed, part="train"),
            generate(name, holdout or RECIPES[name].holdout, seed=seed, part="holdout"),
        )
    path = Path(name_or_path)
    if path.suffix.lower() not in FORMATS:
        raise DatasetError(
            f"unknown data set {name!r}; the known ones are {', '.join(NAMES)}, and files that end in "
            f"{', '.join(FORMATS)} are read"
        )
    return _split(_choose_targets(read(path), path, targets), records, holdout, seed)


def _choose_targets(table: Table, path: Path, targets: str | int | Sequence[str | int] | None) -> Dataset:
    if targets is None:
        targets = table.targets
    elif isinstance(targets, str | int):
        targets = (targets,)
    chosen = [_column(table, path, target) for target in targets]
    features = [index for index in range(len(table.columns)) if index not in chosen]
    listed = ", ".join(table.columns)
    if len(set(chosen)) != len(chosen) or not chosen:
        raise DatasetError(f"{path}: targets {list(targets)} are not distinct columns; the file has {listed}")
    if not features:
        raise DatasetError(f"{path}: targets {list(targets)} leave no column as a feature; the file has {listed}")
    return Dataset(
        path.name,
        table.values[:, features],
        table.values[:, chosen],
        tuple(table.columns[index] for index in features),
        tuple(table.columns[index] for index in chosen),
    )


def _column(table: Table, path: Path, target: str | int) -> int:
    columns = table.columns
    if isinstance(target, str) and target in columns:
        return columns.index(target)
    if not isinstance(target, str) and -len(columns) <= target < len(columns):
        return target % len(columns)
    raise DatasetError(f"{path} has no column {target!r}; it has {', '.join(columns)}")


def _split(table: Dataset, records: int | None, holdout: int | None, seed: int) -> Split:
    rows = len(table)
    if holdout is None:
        holdout = max(1, rows // 5)
    if records is None:
        records = max(1, rows - holdout)
    if records + holdout > rows:
        raise DatasetError(
            f"{table.name} has {rows} records, too few for {records} to train on and {holdout} to hold out"
        )
    order = np.random.default_rng(seed).permutation(rows)

    def part(chosen: np.ndarray) -> Dataset:
        features, targets = table.features[chosen], table.targets[chosen]
        return Dataset(table.name, features, targets, table.feature_names, table.target_names)

    return Split(part(order[holdout : holdout + records]), part(order[:holdout]))
