"""The interface of what trains a learner's model: compiled kernels, the oracle, a board."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sw.model import Model
from sw.spec.schedule import Rates

Snapshot = tuple[Any, int, float]
"""All that following records changes: the parameters, the chance word, and the sum of errors."""


class Follower(ABC):
    """A model in training on records in the user's units, each of which is predicted before it is trained on.

    All followers of the same model in fixed point give the same bits, except those whose trainer has staleness, a
    block, or contexts.

    Parameters
    ----------
    model : Model
        The model to begin with; it is not changed.
    rates : Rates
        Learning rates of the first records.
    """

    def __init__(self, model: Model, rates: Rates):
        self._model, self._rates = model, rates
        self._features, self._targets = (
            np.zeros((1, count)) for count in (model.network.features, model.network.outputs)
        )
        self._unknown = np.full(self._targets.shape, np.nan)

    @property
    @abstractmethod
    def model(self) -> Model:
        """The model with its present parameters."""

    @property
    @abstractmethod
    def error(self) -> float:
        """The sum of the absolute errors of all predictions before an update, in shares of the targets' ranges."""

    @abstractmethod
    def prepare(self) -> None:
        """Do what takes long before the first record; the first record does it otherwise."""

    @abstractmethod
    def seek(self, records: int) -> None:
        """Set the chance word to that after so many record updates; as `sw.spec.trainer.Trainer.seek`."""

    @abstractmethod
    def set_rates(self, rates: Rates) -> None:
        """Change the learning rates of the next records."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Copy what following records changes."""

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where a snapshot was taken."""

    @abstractmethod
    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets (n, outputs) of features (n, features), in the user's units; values are clipped to ranges."""

    @abstractmethod
    def train(self, features: np.ndarray, targets: np.ndarray, passes: int) -> None:
        """Make passes over records, (n, features) and (n, outputs) in the user's units; all are finite numbers."""

    @abstractmethod
    def follow(
        self, features: np.ndarray, targets: np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Predict each record, then train on it, up to one that cannot be trained on.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units; a record with a target that is NaN is predicted only.
        checking : bool
            Whether to stop at a record with a target that leaves the ranges.

        Returns
        -------
        predictions : ndarray of shape (n, outputs)
            In the user's units; those after the record at which it stopped say nothing.
        totals : ndarray of shape (n,)
            The `error` after each record.
        done : int
            Records that were predicted and trained on. The next one, if there is one, leaves the ranges, and has been
            predicted; or a number of it is not finite.
        learnt : int
            Those of them that had targets.
        """

    def predict_one(self, features: Sequence[float] | np.ndarray) -> np.ndarray:
        """Predict the targets (outputs,) of one record, in the user's units.

        Raises
        ------
        ValueError
            For another number of features, and for one that is not finite.
        """
        self._take(self._features, features)
        prediction, done = self._predict_row()
        if not done:
            raise ValueError(f"features {features} of a record: they must be finite numbers")
        return prediction

    def learn_one(
        self, features: Sequence[float] | np.ndarray, targets: Sequence[float] | np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Predict one record, then train on it, unless it leaves the ranges, or a number is not finite or missing.

        Parameters
        ----------
        features : sequence of float, or ndarray, of length `features`
            In the user's units.
        targets : sequence of float, or ndarray, of length `outputs`
            In the user's units.
        checking : bool
            Whether ranges are looked at.

        Returns
        -------
        features : ndarray of shape (1, features)
            The same, until the next record.
        targets : ndarray of shape (1, outputs)
            The same, until the next record.
        prediction : ndarray of shape (outputs,)
            In the user's units; it says nothing if a number is not finite.
        learnt : bool
            Whether it was trained on.

        Raises
        ------
        ValueError
            For another number of features or targets.
        """
        self._take(self._features, features)
        self._take(self._targets, targets)
        prediction, learnt = self._learn_row(checking)
        return self._features, self._targets, prediction, learnt == 1

    def _predict_row(self) -> tuple[np.ndarray, float]:
        """Predict the record of `_features`; returns the prediction (outputs,), and the records predicted, 1 or 0."""
        predictions, _, done, _ = self.follow(self._features, self._unknown, checking=False)
        return predictions[0], done

    def _learn_row(self, checking: bool) -> tuple[np.ndarray, float]:
        """Follow the record of `_features` and `_targets`; returns the prediction, and the records learnt, 1 or 0."""
        predictions, _, _, learnt = self.follow(self._features, self._targets, checking=checking)
        return predictions[0], learnt

    @staticmethod
    def _take(row: np.ndarray, values: Sequence[float] | np.ndarray) -> None:
        if len(values) != row.shape[1]:
            raise ValueError(f"a record of {len(values)} numbers, where the network has {row.shape[1]}")
        row[0] = values


MakeFollower = Callable[[Model, Rates], Follower]
"""Makes a follower of a model with learning rates; each change of the model's ranges needs a new one."""
