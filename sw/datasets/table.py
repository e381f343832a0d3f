"""A table of numbers, and the checks that a file is one."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sw.datasets.dataset import DatasetError


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of numbers.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns.
    values : ndarray of float64, shape (rows, columns)
        The numbers.
    targets : tuple of str
        Columns that are targets unless the user says otherwise.
    """

    columns: tuple[str, ...]
    values: np.ndarray
    targets: tuple[str, ...]


def indices(count: int) -> tuple[str, ...]:
    """Name columns that have no names by their indices."""
    return tuple(map(str, range(count)))


def check_names(path: Path, columns: tuple[str, ...]) -> None:
    """Check that each column of a file has a name of its own.

    Raises
    ------
    DatasetError
        If it has not.
    """
    for index, name in enumerate(columns):
        if not name:
            raise DatasetError(f"{path}: column {index} has no name (a column of row numbers? write the file without)")
        if name in columns[:index]:
            raise DatasetError(f"{path}: two columns are called {name!r}")


def check_finite(path: Path, columns: tuple[str, ...], values: np.ndarray, first_row: int = 0) -> None:
    """Check that all numbers are finite.

    Parameters
    ----------
    path : Path
        The file, for the message.
    columns : tuple of str
        Names of the columns.
    values : ndarray of shape (rows, columns)
        Some rows of the file.
    first_row : int
        Number in the file of the first of these rows.

    Raises
    ------
    DatasetError
        If a number is not finite; the message names its row and column.
    """
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        place = f"row {first_row + row}, column {columns[column]!r}"
        raise DatasetError(f"{path}: {place}: {values[row, column]} is not a finite number")


def check_real(path: Path, what: str, dtype: np.dtype) -> None:
    """Check that an array of a file, which the message calls `what`, is of real numbers.

    Raises
    ------
    DatasetError
        If it is not.
    """
    if dtype.kind not in "biuf":
        raise DatasetError(f"{path}: {what} is of type {dtype}, not of real numbers")


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn a missing file, and errors of the file system, into a DatasetError."""
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


@contextmanager
def numpy_errors(path: Path) -> Iterator[None]:
    """Turn errors of NumPy's reader into a DatasetError."""
    try:
        yield
    except DatasetError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is not a NumPy file of plain arrays: {error}") from error
