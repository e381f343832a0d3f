"""Cells of a table that are not finite numbers: counted column by column, and named all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from sw.datasets.dataset import DatasetError

HINT = (
    "--missing drop leaves out such rows, --missing median fills the cells (text: a value of its own), --ignore COLUMN "
    "leaves out a column"
)

HINT_FOR_PREDICTIONS = "--missing drop leaves the predictions of such rows empty"

Place = Callable[[int], str]
"""Takes the number of a row, gives its place in the file."""


class Faults:
    """Cells that are not finite, found column by column, to be named at once.

    Parameters
    ----------
    name : str
        The table's name, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._missing: Counter[str] = Counter()
        self._infinite: Counter[str] = Counter()
        self._first: dict[str, tuple[int, str, float]] = {}  # row, column and value of the first cell of each kind

    def add(self, column: str, values: np.ndarray, missing: np.ndarray, row: int, *, refuse: bool) -> None:
        """Count a column's faults.

        Parameters
        ----------
        column : str
            Its name.
        values : ndarray of shape (rows,)
            Some of its numbers.
        missing : ndarray of bool, shape (rows,)
            Where they are missing.
        row : int
            Number of the first of them.
        refuse : bool
            Whether missing cells are faults.
        """
        infinite = np.isinf(values)
        for kind, counts, faulty in (
            ("infinite", self._infinite, infinite),
            ("missing", self._missing, missing if refuse else np.zeros(0, bool)),
        ):
            if faulty.any():
                counts[column] += int(faulty.sum())
                at = int(faulty.argmax())
                first = (row + at, column, float(values[at]))
                self._first[kind] = min(self._first.get(kind, first), first)

    @classmethod
    def joined(cls, name: str, parts: Iterable[Faults]) -> Faults:
        """Join the faults of several columns of the table `name`."""
        faults = cls(name)
        for part in parts:
            faults._missing += part._missing
            faults._infinite += part._infinite
            for kind, first in part._first.items():
                faults._first[kind] = min(faults._first.get(kind, first), first)
        return faults

    def check(self, place: Place, hint: str = HINT) -> None:
        """Refuse a table with faults.

        Parameters
        ----------
        place : callable
            Takes the number of a row, gives its place in the file.
        hint : str
            What can be done about missing cells.

        Raises
        ------
        DatasetError
            If there are any; it names all columns.
        """
        if self._infinite:
            row, column, value = self._first["infinite"]
            raise DatasetError(
                f"{self._name}: {place(row)}, column {column!r}: {value} is not a finite number; such numbers are "
                f"in {_counted(self._infinite)}"
            )
        if self._missing:
            row, column, _ = self._first["missing"]
            raise DatasetError(
                f"{self._name}: cells are missing in {_counted(self._missing)}; the first is in {place(row)}, column "
                f"{column!r}; {hint}"
            )


def all_finite(values: np.ndarray) -> bool:
    """Whether no number is missing or infinite; perhaps False, too, where only the sum of all is too large."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(values.sum()))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{column} ({count:,})" for column, count in counts.items())
