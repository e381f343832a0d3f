"""Samples with weights: distinct ones, in an order that does not depend on the order that they came in."""

from dataclasses import dataclass

import numpy as np

from sw.engine.order import visits

MOST_VISITS = 100  # of a sample in an epoch, on average: larger whole weights are scaled as fractions are


@dataclass(frozen=True, eq=False)
class Samples:
    """Distinct samples, each with the number of its visits in an epoch.

    Attributes
    ----------
    features : ndarray of shape (n, features)
        In the user's units.
    targets : ndarray of shape (n, outputs)
        In the user's units.
    weights : ndarray of shape (n,)
        Visits of each sample in an epoch, more than 0; a fraction is visited now and then.
    """

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> "Samples":
        """Join samples that are equal, and leave out those of weight 0.

        Weights that are whole numbers count visits, so that a sample of weight 2 is the same as two samples. Others are
        scaled to a mean of 1.

        Parameters
        ----------
        features, targets : ndarray of shape (n, features) and (n, outputs)
            In the user's units.
        weights : ndarray of shape (n,)
            None negative.

        Raises
        ------
        ValueError
            If all weights are 0.
        """
        if not weights.any():
            raise ValueError("the weights of all samples are 0; at least one must be above 0")
        keys = _hashes(np.hstack([features, targets]))
        order = np.argsort(keys, kind="stable")
        order = order[weights[order] > 0]
        keys = keys[order]
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        rows, joined = order[starts], np.add.reduceat(weights[order], starts)
        if (joined % 1).any() or joined.mean() > MOST_VISITS:
            joined = joined / joined.mean()
        return cls(features[rows], targets[rows], joined)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def epoch_visits(self) -> int:
        """Visits of all samples in an epoch."""
        return max(1, round(float(self.weights.sum())))

    def expanded(self) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets, each sample as often as its weight says."""
        rows = visits(self.weights, 0.5)
        return self.features[rows], self.targets[rows]


def _hashes(rows: np.ndarray) -> np.ndarray:
    """Compute a 64-bit hash of each row of numbers."""
    bits = (rows + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    hashes = np.zeros(len(rows), np.uint64)
    for column in bits.T:
        hashes = (hashes ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    return hashes
