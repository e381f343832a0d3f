"""Records in the user's own units: what every data set and every file turns into."""

from dataclasses import dataclass

import numpy as np


class DatasetError(ValueError):
    """A data set that cannot be had; the message says what is wrong and what is legal."""


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


@dataclass(frozen=True, eq=False)
class Split:
    """Records to train on, and disjoint ones never to train on."""

    train: Dataset
    holdout: Dataset
