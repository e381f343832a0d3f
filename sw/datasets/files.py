"""Tables of numbers in the user's files: .csv, .npy, .npz and .parquet.

`read` turns a file into a `Table`; `write` makes one from a `Dataset` that reads back to the same numbers.
CSV errors name the line of the file, as an editor counts it; the binary formats name the row, counted from 0.
"""

import csv
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError
from sw.datasets.rows import STREAMED, import_pyarrow, open_rows
from sw.datasets.table import Table, check_finite, check_names, check_real, file_errors, indices, numpy_errors

DELIMITERS = (",", ";", "\t")


def read(path: Path) -> Table:
    """Read the table in a file, its format taken from the extension.

    - .csv: delimiter comma, semicolon or tab; UTF-8; cells may be quoted. The first row is a header if any of its cells
      is not a number.
    - .npy: one 2-D array.
    - .npz: arrays `X` (rows, features) and `y` (rows,) or (rows, outputs), named by string arrays `feature_names` and
      `target_names` if present; or one 2-D array; or 1-D arrays, one for each column.
    - .parquet: columns of numbers.

    Columns without names are called by their index: "0", "1", ... The default target is the last column; with `X` and
    `y`, all of `y`.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Table
        All rows, float64.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, of another format, or holds anything but finite numbers.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise DatasetError(f"{path} does not end in {', '.join(FORMATS)}")
    if suffix in STREAMED:
        return open_rows(path).table()
    with file_errors(path):
        table = READERS[suffix](path)
    check_names(path, table.columns)
    check_finite(path, table.columns, table.values)
    return table


def read_blocks(path: Path) -> tuple[tuple[str, ...], Iterator[np.ndarray]]:
    """Read the columns of a file, and its rows block by block if the format allows.

    Parameters
    ----------
    path : Path
        The file, of a format that `read` reads.

    Returns
    -------
    columns : tuple of str
        Names of the columns.
    blocks : iterator of ndarray, shape (rows, columns)
        All rows in the file's order, float64.

    Raises
    ------
    DatasetError
        As `read` does; for a number that is not finite, while the blocks are read.
    """
    if path.suffix.lower() in STREAMED:
        rows = open_rows(path)
        return rows.columns, (block for _, block in rows.blocks())
    table = read(path)
    return table.columns, iter((table.values,))


def write(dataset: Dataset, path: Path) -> None:
    """Write a data set, the targets after the features, in the format of the extension.

    Parameters
    ----------
    dataset : Dataset
        The records.
    path : Path
        The file; it ends in .csv, .npy, .npz or .parquet.

    Raises
    ------
    DatasetError
        If `read` knows no such format, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise DatasetError(f"{path} does not end in {', '.join(FORMATS)}")
    try:
        WRITERS[path.suffix.lower()](dataset, path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error}") from error


def _names(dataset: Dataset) -> tuple[str, ...]:
    return dataset.feature_names + dataset.target_names


def _matrix(dataset: Dataset) -> np.ndarray:
    return np.hstack([dataset.features, dataset.targets])


# CSV


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _delimiter(stream: TextIO) -> str:
    line = next((line for line in stream if line.strip()), "")
    stream.seek(0)
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def _read_csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            delimiter = _delimiter(stream)
            first = next((row for row in csv.reader(stream, delimiter=delimiter) if any(map(str.strip, row))), [])
            header = any(cell.strip() and not _is_number(cell) for cell in first)
            columns = tuple(map(str.strip, first)) if header else indices(len(first))
            if not header:
                stream.seek(0)
            values = _parse_csv(path, stream, delimiter)
            if values is None or values.shape[1] != len(columns) or not np.isfinite(values).all():
                stream.seek(0)
                raise DatasetError(f"{path}: {_csv_fault(stream, delimiter, columns, header)}")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV file: {error}") from error
    return Table(columns, values, columns[-1:])


def _parse_csv(path: Path, stream: TextIO, delimiter: str) -> np.ndarray | None:
    """Parse the numbers from here to the end of the stream; None if there is anything else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input contained no data", category=UserWarning)
        try:
            values = np.loadtxt(stream, delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
        except UnicodeDecodeError:
            raise
        except ValueError:
            return None
    if not len(values):
        raise DatasetError(f"{path} has no records")
    return values


def _csv_fault(stream: TextIO, delimiter: str, columns: tuple[str, ...], header: bool) -> str:
    """Say what is wrong with a CSV file that could not be parsed, by a second and slower reading."""
    reader = csv.reader(stream, delimiter=delimiter)
    rows = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    if header:
        next(rows)
    for line, row in rows:
        if len(row) != len(columns):
            return f"line {line} has {len(row)} cells, the first row has {len(columns)}"
        for name, cell in zip(columns, row, strict=True):
            place = f"line {line}, column {name!r}"
            if not cell.strip():
                return f"{place}: the cell is empty"
            if not _is_number(cell):
                return f"{place}: {cell!r} is not a number"
            if not math.isfinite(float(cell)):
                return f"{place}: {cell!r} is not a finite number"
    return f"the cells between the delimiters {delimiter!r} are not all plain numbers"


def write_csv(dataset: Dataset, stream: TextIO) -> None:
    """Write a data set to a stream as `write` does to a .csv file; NaN becomes an empty cell."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_names(dataset))
    values = _matrix(dataset)
    if np.isnan(values).any():
        writer.writerows(["" if cell != cell else f"{cell:.17g}" for cell in row] for row in values.tolist())
    else:
        np.savetxt(stream, values, fmt="%.17g", delimiter=",")


def _write_csv(dataset: Dataset, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(dataset, stream)


# NumPy


def _numbers(path: Path, what: str, array: np.ndarray) -> np.ndarray:
    check_real(path, what, array.dtype)
    return array.astype(np.float64)


def _read_npz(path: Path) -> Table:
    with numpy_errors(path):
        archive = np.load(path)
        if isinstance(archive, np.ndarray):
            raise DatasetError(f"{path} holds a single array; call it .npy")
        with archive:
            arrays = {name: archive[name] for name in archive.files}
    if {"X", "y"} <= arrays.keys():
        return _features_and_targets(path, arrays)
    shapes = [array.shape for array in arrays.values()]
    if len(arrays) == 1 and len(shapes[0]) == 2:
        (array,) = arrays.values()
        columns = indices(array.shape[1])
        return Table(columns, _numbers(path, "the array", array), columns[-1:])
    if not arrays or len(shapes[0]) != 1 or len(set(shapes)) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise DatasetError(f"{path} holds {held}; expected X and y, one 2-D array, or 1-D arrays of one length")
    columns = tuple(arrays)
    values = np.column_stack([_numbers(path, f"column {name!r}", array) for name, array in arrays.items()])
    return Table(columns, values, columns[-1:])


def _features_and_targets(path: Path, arrays: dict[str, np.ndarray]) -> Table:
    features = _numbers(path, "X", arrays["X"])
    targets = _numbers(path, "y", arrays["y"])
    if targets.ndim == 1:
        targets = targets[:, None]
    if features.ndim != 2 or targets.ndim != 2 or len(features) != len(targets):
        raise DatasetError(
            f"{path}: X {arrays['X'].shape} and y {arrays['y'].shape} are not (rows, features) and (rows, outputs)"
        )
    names = []
    for key, count, letter in (("feature_names", features.shape[1], "x"), ("target_names", targets.shape[1], "y")):
        given = arrays[key].ravel().tolist() if key in arrays else [f"{letter}{index}" for index in range(count)]
        if len(given) != count:
            raise DatasetError(f"{path}: {key} has {len(given)} names for {count} columns")
        names.append(tuple(map(str, given)))
    return Table(names[0] + names[1], np.hstack([features, targets]), names[1])


def _write_npy(dataset: Dataset, path: Path) -> None:
    np.save(path, _matrix(dataset))


def _write_npz(dataset: Dataset, path: Path) -> None:
    feature_names, target_names = np.array(dataset.feature_names), np.array(dataset.target_names)
    np.savez(path, X=dataset.features, y=dataset.targets, feature_names=feature_names, target_names=target_names)


# Parquet


def _write_parquet(dataset: Dataset, path: Path) -> None:
    pyarrow = import_pyarrow(path)
    columns = [*dataset.features.T, *dataset.targets.T]
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(_names(dataset), columns, strict=True))), path)


READERS = {".csv": _read_csv, ".npz": _read_npz}
WRITERS = {".csv": _write_csv, ".npy": _write_npy, ".npz": _write_npz, ".parquet": _write_parquet}
FORMATS = tuple(WRITERS)
