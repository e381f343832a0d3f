"""Records in the user's own units: what every data set and every file turns into."""

from dataclasses import dataclass, replace

import numpy as np


class DatasetError(ValueError):
    """A data set that cannot be had; the message says what is wrong and what is legal."""


def check_least(what: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise DatasetError(f"{what} must be at least {least}, not {value}")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Records in the user's own units; normalisation lives with the model.

    Attributes
    ----------
    name: of the generator, or the file's.
    features: float64, shape (records, features).
    targets: float64, shape (records, outputs).
    feature_names, target_names: one a column.
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
        """The records of a slice, as views; those of row numbers, copied in their order."""
        return replace(self, features=self.features[rows], targets=self.targets[rows])


@dataclass(frozen=True, eq=False)
class Split:
    """Records to train on, and disjoint ones never to train on."""

    train: Dataset
    holdout: Dataset


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns of a table of numbers, by index, are features and which are targets.

    `name`: of the data set that its rows make.
    """

    name: str
    columns: tuple[str, ...]
    features: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(self.columns[index] for index in self.features)

    @property
    def target_names(self) -> tuple[str, ...]:
        return tuple(self.columns[index] for index in self.targets)

    def dataset(self, values: np.ndarray) -> Dataset:
        """The records of (rows, columns), copied."""
        features, targets = values.take(self.features, axis=1), values.take(self.targets, axis=1)
        return Dataset(self.name, features, targets, self.feature_names, self.target_names)
