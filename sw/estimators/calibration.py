"""Probabilities of classes from the networks' results, which are least-squares estimates of them."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

UNKNOWN_SHARPNESS = 6.0  # where there is no hold-out to find it from; about what most data sets have
SHARPNESSES = 0.1, 100.0


def probabilities(estimates: np.ndarray, sharpness: float) -> np.ndarray:
    """Compute the softmax of estimates times the sharpness, the inverse of a temperature.

    Parameters
    ----------
    estimates : ndarray of shape (n, classes)
        1 for a class that is certain, 0 for one that is impossible.
    sharpness : float
        What the estimates are multiplied by.

    Returns
    -------
    ndarray of shape (n, classes)
        Probabilities, which sum to 1.
    """
    result: np.ndarray = softmax(sharpness * estimates, axis=1)
    return result


def fitted_sharpness(estimates: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Find the sharpness with the least log loss on records that were not trained on.

    Parameters
    ----------
    estimates : ndarray of shape (n, classes)
        What the networks say.
    targets : ndarray of shape (n, classes)
        1 for the class of a record, 0 for the others.
    weights : ndarray of shape (n,)
        Weights of the records.

    Returns
    -------
    float
        The sharpness.
    """

    def loss(logarithm: float) -> float:
        return -float(weights @ np.sum(targets * log_softmax(np.exp(logarithm) * estimates, axis=1), axis=1))

    return float(np.exp(minimize_scalar(loss, bounds=np.log(SHARPNESSES), method="bounded").x))
