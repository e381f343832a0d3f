"""How good predictions are, on records that were never trained on."""

import numpy as np


def pearson(predicted: np.ndarray, true: np.ndarray) -> float:
    """Pearson correlation of predictions and targets, (n, outputs): the lowest over the outputs; 0 for constant
    columns."""
    lowest = 1.0
    for p, t in zip(predicted.T, true.T, strict=True):
        p, t = p - p.mean(), t - t.mean()
        norm = np.sqrt((p @ p) * (t @ t))
        lowest = min(lowest, float(p @ t / norm) if norm else 0.0)
    return lowest


def rmse(predicted: np.ndarray, true: np.ndarray) -> float:
    """Root of the mean squared error over all records and outputs, in the targets' units."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))
