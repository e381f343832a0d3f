"""What a file must hold to be a table of numbers, and how it says that it does not."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sw.datasets.dataset import DatasetError


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns, float64 (rows, columns), and those of them which are targets unless the user says otherwise."""

    columns: tuple[str, ...]
    values: np.ndarray
    targets: tuple[str, ...]


def indices(count: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(map(str, range(count)))


def check_names(path: Path, columns: tuple[str, ...]) -> None:
    for index, name in enumerate(columns):
        if not name:
            raise DatasetError(f"{path}: column {index} has no name (a column of row numbers? write the file without)")
        if name in columns[:index]:
            raise DatasetError(f"{path}: two columns are called {name!r}")


def check_finite(path: Path, columns: tuple[str, ...], values: np.ndarray, first_row: int = 0) -> None:
    """`first_row`: the number in the file of the first row of `values`."""
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        place = f"row {first_row + row}, column {columns[column]!r}"
        raise DatasetError(f"{path}: {place}: {values[row, column]} is not a finite number")


def check_real(path: Path, what: str, dtype: np.dtype) -> None:
    if dtype.kind not in "biuf":
        raise DatasetError(f"{path}: {what} is of type {dtype}, not of real numbers")


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """A missing file, and errors of the file system, in the user's words."""
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


@contextmanager
def numpy_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is not a NumPy file of plain arrays: {error}") from error
