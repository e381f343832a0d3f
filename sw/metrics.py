"""How good predictions are, on records that were never trained on."""

import numpy as np


def pearson(predicted: np.ndarray, true: np.ndarray) -> float:
    """Pearson correlation of predictions and targets, (n, outputs): the lowest over the outputs; 0 for constant
    columns."""
    lowest = 1.0
    for p, t in zip(predicted.T, true.T, strict=True):
        p, t = p - p[0], t - t[0]  # so that what is constant is exactly zero
        p, t = p - p.mean(), t - t.mean()
        norm = np.sqrt((p @ p) * (t @ t))
        lowest = min(lowest, float(p @ t / norm) if norm else 0.0)
    return lowest


def rmse(predicted: np.ndarray, true: np.ndarray) -> float:
    """Root of the mean squared error over all records and outputs, in the targets' units."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


class Score:
    """Predictions against targets, (n, outputs), added shard by shard: the figures of all of them together.

    Means and products of deviations are joined as Chan, Golub and LeVeque do. All are taken from the first record on,
    so that no digits are lost to large means, and what is constant is exactly zero.
    """

    def __init__(self) -> None:
        self.records = 0
        self._first: np.ndarray = np.zeros((2, 1))
        self._means: np.ndarray = np.zeros((2, 1))
        self._products: np.ndarray = np.zeros((2, 2, 1))

    def add(self, predicted: np.ndarray, true: np.ndarray) -> None:
        """One record or more."""
        both = np.stack([predicted, true]).astype(float)
        if not self.records:
            self._first = both[:, 0].copy()
        both -= self._first[:, None]
        count, means = both.shape[1], both.mean(axis=1)
        deviations = both - means[:, None]
        products = np.einsum("ano,bno->abo", deviations, deviations)
        if self.records:
            apart, total = means - self._means, self.records + count
            between = np.einsum("ao,bo->abo", apart, apart) * (self.records * count / total)
            products = self._products + products + between
            means = self._means + apart * (count / total)
        self.records, self._means, self._products = self.records + count, means, products

    @property
    def _squared_error(self) -> np.ndarray:
        """The mean of (predicted - true)**2 of each output."""
        (pp, pt), (_, tt) = self._products
        predicted, true = self._means + self._first
        return np.maximum(pp - 2 * pt + tt, 0) / self.records + (predicted - true) ** 2

    @property
    def pearson(self) -> float:
        """As `pearson`: the lowest over the outputs."""
        (pp, pt), (_, tt) = self._products
        norm = np.sqrt(pp * tt)
        return float(np.min(np.divide(pt, norm, out=np.zeros_like(pt), where=norm > 0)))

    @property
    def rmse(self) -> float:
        """As `rmse`, in the targets' units."""
        return float(np.sqrt(self._squared_error.mean()))

    @property
    def r2(self) -> float:
        """The coefficient of determination, averaged over the outputs; 0 for a constant target."""
        variance = self._products[1, 1] / self.records
        shares = np.divide(self._squared_error, variance, out=np.ones_like(variance), where=variance > 0)
        return float(np.mean(1 - shares))
