"""Records from lines of text: numbers between delimiters, under a header that names them."""

import csv
from collections.abc import Sequence

import numpy as np

DELIMITERS = ",;\t"


class LineError(ValueError):
    """A header that does not say what is needed."""


class RecordLines:
    """The columns of a stream of lines, and how a line becomes a record.

    Parameters
    ----------
    header : str
        The first line, which names the columns.
    features : sequence of str, optional
        Columns to predict from; by default all that are neither targets nor ignored.
    targets : sequence of str, optional
        Columns to predict; by default the last one.
    ignored : sequence of str, optional
        Columns that are not looked at.

    Attributes
    ----------
    feature_names, target_names : tuple of str
        Names of the columns.

    Raises
    ------
    LineError
        For a header without the columns, or with names twice; the message names them.
    """

    def __init__(
        self,
        header: str,
        features: Sequence[str] = (),
        targets: Sequence[str] = (),
        ignored: Sequence[str] = (),
    ):
        self._delimiter = max(DELIMITERS, key=header.count)
        names = [name.strip() for name in next(csv.reader([header], delimiter=self._delimiter), [])]
        self._columns = len(names)
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise LineError(f"the header names columns twice: {', '.join(twice)}")
        if missing := [name for name in (*features, *targets, *ignored) if name not in names]:
            raise LineError(f"the header lacks {', '.join(missing)}; it names {', '.join(names)}")
        used = [name for name in names if name not in ignored]
        self.target_names = tuple(targets or used[-1:])
        self.feature_names = tuple(features or (name for name in used if name not in self.target_names))
        if not self.feature_names:
            raise LineError(f"the header names no column to predict from: {', '.join(names)}")
        self._features = [names.index(name) for name in self.feature_names]
        self._targets = [names.index(name) for name in self.target_names]

    def records(self, lines: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """Read records.

        Parameters
        ----------
        lines : sequence of str
            Lines after the header.

        Returns
        -------
        features : ndarray of shape (n, features)
            Finite numbers.
        targets : ndarray of shape (n, targets)
            Finite numbers; NaN for each target of a record of which one is empty.
        places : ndarray of shape (n,)
            The number of each record's line, from 0.
        faults : list of str
            What is wrong with the lines that are no record, empty ones excepted.
        """
        rows, places, faults = [], [], []
        for place, cells in enumerate(csv.reader(lines, delimiter=self._delimiter)):
            if not any(cell.strip() for cell in cells):
                continue
            try:
                rows.append(self._record(cells))
                places.append(place)
            except ValueError as error:
                faults.append(str(error))
        values = np.array(rows, np.float64).reshape(len(rows), len(self._features) + len(self._targets))
        features, targets = np.split(values, [len(self._features)], axis=1)
        targets[np.isnan(targets).any(axis=1)] = np.nan
        return features, targets, np.array(places, np.int64), faults

    def _record(self, cells: list[str]) -> list[float]:
        if len(cells) != self._columns:
            raise ValueError(f"{len(cells)} cells, where the header names {self._columns}")
        features = [self._number(cells[index]) for index in self._features]
        return features + [self._number(cells[index]) if cells[index].strip() else np.nan for index in self._targets]

    def _number(self, cell: str) -> float:
        text = cell.replace(",", ".") if self._delimiter == ";" else cell
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{cell!r} is no number") from None
        if not np.isfinite(value):
            raise ValueError(f"{cell!r} is not finite")
        return value
