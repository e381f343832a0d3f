"""Records in the user's own units: what every data set and every file turns into."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.spec.bounds import check_whole

if TYPE_CHECKING:
    from sw.datasets.encoding import Encoding


class DatasetError(ValueError):
    """Raised for a data set that cannot be read, made or written; the message says what is wrong and what is legal."""


def check_number(what: str, value: int | None, least: int, most: int) -> None:
    """Check that a number, if it is given, is whole and within the bounds.

    Raises
    ------
    DatasetError
        If it is not; the message calls the number `what`.
    """
    if value is not None:
        try:
            check_whole(what, value, least, most)
        except ValueError as error:
            raise DatasetError(str(error)) from error


@dataclass(frozen=True, eq=False)
class Dataset:
    """Records in the user's own units; a model scales them to its own.

    Attributes
    ----------
    name : str
        Name of the known data set, or of the file.
    features : ndarray of float64, shape (records, features)
        What a network takes.
    targets : ndarray of float64, shape (records, outputs)
        What a network should predict.
    feature_names, target_names : tuple of str
        One name for each column.
    """

    name: str
    features: np.ndarray
    targets: np.ndarray
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

    def __post_init__(self) -> None:
        expected = (len(self), len(self.feature_names)), (len(self), len(self.target_names))
        if (self.features.shape, self.targets.shape) != expected:
            raise ValueError(
                f"features {self.features.shape} and targets {self.targets.shape} do not fit each other or their "
                f"{len(self.feature_names)} and {len(self.target_names)} names"
            )

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: slice | np.ndarray) -> Dataset:
        """Take some of the records: a slice gives views, an array of row numbers gives copies in its order."""
        return replace(self, features=self.features[rows], targets=self.targets[rows])


@dataclass(frozen=True)
class Selection:
    """Which records of a data set are trained on and which are held out.

    Attributes
    ----------
    name : str
        Name of the known data set, or of the file.
    rows : int or None
        Rows of the file; None for a known data set.
    records, holdout : int
        Records in each split.
    seed : int
        Seed of the shuffle, or of the generator.
    """

    name: str
    rows: int | None
    records: int
    holdout: int
    seed: int

    def plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Selection:
        """Make a selection from what `plain` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            For anything else.
        """
        for name in ("rows", "records", "holdout", "seed"):
            value = plain[name]
            if not (type(value) is int and value >= 0) and not (name == "rows" and value is None):
                raise ValueError(f"{name} of the training's data is {value!r}")
        if not isinstance(plain["name"], str):
            raise TypeError(f"{plain['name']!r} is no name")
        return cls(**plain)


@dataclass(frozen=True, eq=False)
class Split:
    """Records to train on, and disjoint ones that nothing is trained on.

    Attributes
    ----------
    train : Dataset
        Training records.
    holdout : Dataset
        Records that predictions are judged by.
    encoding : Encoding or None
        What was done to the columns of a file.
    selection : Selection or None
        Which records these are.
    notes : tuple of str
        What was assumed, left out and done when the file was read, a line each.
    """

    train: Dataset
    holdout: Dataset
    encoding: Encoding | None = None
    selection: Selection | None = None
    notes: tuple[str, ...] = ()
