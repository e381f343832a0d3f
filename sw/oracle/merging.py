"""Merging models that were trained on disjoint records: the paper's second strategy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sw.spec.bounds import RELAXATION, check_real

MERGES = ("mean", "pairs")


@dataclass(frozen=True)
class Merging:
    """The rule by which models are merged after a round.

    Attributes
    ----------
    merge : {"mean", "pairs"}
        "mean": each model becomes the mean of all; "pairs": each becomes the mean of the random pair that it is in.
    relaxation : float
        The step from where the models started to their mean is made this much longer; more than 0, and 2 at most.

    Raises
    ------
    ValueError
        For any other value.
    """

    merge: str = "mean"
    relaxation: float = 1.0

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ValueError(f"merge {self.merge!r} is not one of {', '.join(MERGES)}")
        check_real("relaxation", self.relaxation, *RELAXATION)

    def merged(self, starts: np.ndarray, models: np.ndarray, seed: Sequence[int]) -> np.ndarray:
        """Merge models.

        Parameters
        ----------
        starts : ndarray of shape (models, parameters)
            The models before the round.
        models : ndarray of shape (models, parameters)
            The models after the round.
        seed : sequence of int
            Seed of the pairs of this round.

        Returns
        -------
        ndarray of shape (models, parameters)
            The merged models; integers are rounded, halves up.
        """
        if self.merge == "mean":
            return np.broadcast_to(self._mean(starts, models), models.shape)
        result = np.empty_like(models)
        order = np.random.default_rng(seed).permutation(len(models))
        for at in range(0, len(order), 2):
            pair = order[at : at + 2]
            result[pair] = self._mean(starts[pair], models[pair])
        return result

    def _mean(self, starts: np.ndarray, models: np.ndarray) -> np.ndarray:
        mean = _sum(models) / len(models)
        if self.relaxation != 1:
            start = _sum(starts) / len(starts)
            mean = start + self.relaxation * (mean - start)
        if np.issubdtype(models.dtype, np.integer):
            limits = np.iinfo(models.dtype)
            mean = np.clip(np.floor(mean + 0.5), limits.min, limits.max)
        return mean.astype(models.dtype)


def _sum(rows: np.ndarray) -> np.ndarray:
    """Sum row after row, exactly for integers: the order of NumPy's own sum depends on how the rows lie in memory."""
    total: np.ndarray = np.zeros(rows.shape[1], np.int64 if np.issubdtype(rows.dtype, np.integer) else np.float64)
    for row in rows:
        total += row
    return total
