"""Records in the user's own units: what every data set and every file turns into."""

from dataclasses import dataclass, replace

import numpy as np

from sw.spec.bounds import check_whole


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

    def take(self, rows: slice | np.ndarray) -> "Dataset":
        """Take some of the records: a slice gives views, an array of row numbers gives copies in its order."""
        return replace(self, features=self.features[rows], targets=self.targets[rows])


@dataclass(frozen=True, eq=False)
class Split:
    """Records to train on, and disjoint ones that nothing is trained on.

    Attributes
    ----------
    train : Dataset
        Training records.
    holdout : Dataset
        Records that predictions are judged by.
    """

    train: Dataset
    holdout: Dataset


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns of a table of numbers are features and which are targets.

    Attributes
    ----------
    name : str
        Name of the data set that the table's rows make.
    columns : tuple of str
        Names of all columns.
    features, targets : tuple of int
        Indices of the columns.
    """

    name: str
    columns: tuple[str, ...]
    features: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns that are features."""
        return tuple(self.columns[index] for index in self.features)

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the columns that are targets."""
        return tuple(self.columns[index] for index in self.targets)

    def dataset(self, values: np.ndarray) -> Dataset:
        """Copy a table of shape (rows, columns) into records."""
        features, targets = values.take(self.features, axis=1), values.take(self.targets, axis=1)
        return Dataset(self.name, features, targets, self.feature_names, self.target_names)
