"""Scores of predictions, on records that were never trained on."""

import numpy as np


def pearson(predicted: np.ndarray, true: np.ndarray) -> float:
    """Compute the Pearson correlation of predictions and targets.

    Parameters
    ----------
    predicted, true : ndarray of shape (n, outputs)
        Predictions and targets.

    Returns
    -------
    float
        The lowest correlation over the outputs; 0 for a constant column.
    """
    lowest = 1.0
    for p, t in zip(predicted.T, true.T, strict=True):
        p, t = p - p[0], t - t[0]  # so that what is constant is exactly zero
        p, t = p - p.mean(), t - t.mean()
        norm = np.sqrt((p @ p) * (t @ t))
        lowest = min(lowest, float(p @ t / norm) if norm else 0.0)
    return lowest


def rmse(predicted: np.ndarray, true: np.ndarray) -> float:
    """Compute the root of the mean squared error over all records and outputs, in the targets' units.

    Parameters
    ----------
    predicted, true : ndarray of shape (n, outputs)
        Predictions and targets.

    Returns
    -------
    float
        The error.
    """
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


class Score:
    """The score of predictions that are added shard by shard.

    Means and products of deviations are joined as Chan, Golub and LeVeque do. All values are taken relative to the
    first record, so that no digits are lost to large means, and constants are exactly zero.

    Attributes
    ----------
    records : int
        Records that were added.
    """

    def __init__(self) -> None:
        self.records = 0
        self._first: np.ndarray = np.zeros((2, 1))
        self._means: np.ndarray = np.zeros((2, 1))
        self._products: np.ndarray = np.zeros((2, 2, 1))

    def add(self, predicted: np.ndarray, true: np.ndarray) -> None:
        """Add predictions and targets, (n, outputs), of one record or more."""
        both = np.stack([predicted, true]).astype(float)
        if not self.records:
            self._first = both[:, 0].copy()
        both -= self._first[:, None]
        count, means = both.shape[1], both.mean(axis=1)
        deviations = both - means[:, None]
        products = np.einsum("ano,bno->abo", deviations, deviations)
        if self.records:
            difference, total = means - self._means, self.records + count
            between = np.einsum("ao,bo->abo", difference, difference) * (self.records * count / total)
            products = self._products + products + between
            means = self._means + difference * (count / total)
        self.records, self._means, self._products = self.records + count, means, products

    def arrays(self) -> dict[str, np.ndarray]:
        """Collect all that was added in arrays, for `from_arrays`."""
        return {
            "records": np.array(self.records),
            "first": self._first,
            "means": self._means,
            "products": self._products,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Score":
        """Make the score that `arrays` was called of."""
        score = cls()
        score.records = int(arrays["records"])
        score._first, score._means, score._products = (arrays[name] for name in ("first", "means", "products"))
        return score

    @property
    def _squared_error(self) -> np.ndarray:
        """The mean of (predicted - true)**2 of each output."""
        (pp, pt), (_, tt) = self._products
        predicted, true = self._means + self._first
        return np.maximum(pp - 2 * pt + tt, 0) / self.records + (predicted - true) ** 2

    @property
    def pearson_of_targets(self) -> np.ndarray:
        """The Pearson correlation of each target, (outputs,)."""
        (pp, pt), (_, tt) = self._products
        norm = np.sqrt(pp * tt)
        return np.divide(pt, norm, out=np.zeros_like(pt), where=norm > 0)

    @property
    def rmse_of_targets(self) -> np.ndarray:
        """The root of the mean squared error of each target, (outputs,), in its units."""
        return np.sqrt(self._squared_error)

    @property
    def r2_of_targets(self) -> np.ndarray:
        """The coefficient of determination of each target, (outputs,); 0 for a constant target."""
        variance = self._products[1, 1] / self.records
        return 1 - np.divide(self._squared_error, variance, out=np.ones_like(variance), where=variance > 0)

    @property
    def pearson(self) -> float:
        """The Pearson correlation, the lowest over the outputs, as `pearson` computes it."""
        return float(np.min(self.pearson_of_targets))

    @property
    def rmse(self) -> float:
        """The root of the mean squared error, in the targets' units, as `rmse` computes it."""
        return float(np.sqrt(self._squared_error.mean()))

    @property
    def r2(self) -> float:
        """The coefficient of determination, averaged over the outputs; 0 for a constant target."""
        return float(np.mean(self.r2_of_targets))
