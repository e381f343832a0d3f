"""The values of each function of a model on records, without rounding."""

import numpy as np

from sw.model import Model
from sw.oracle.floating import Unquantised, interpolate, place

MOST_LAYERS = 2


def check_depth(model: Model) -> None:
    """Check that a model has one layer or two.

    Raises
    ------
    ValueError
        For a deeper model.
    """
    if len(model.network.layers) > MOST_LAYERS:
        raise ValueError(
            f"{model.network} has {len(model.network.layers)} layers; only models of 1 or {MOST_LAYERS} are pruned or "
            "written as formulas"
        )


def contributions(model: Model, features: np.ndarray) -> list[np.ndarray]:
    """Compute the value of every function.

    Parameters
    ----------
    model : Model
        The model.
    features : ndarray of shape (n, features)
        In the user's units.

    Returns
    -------
    list of ndarray
        One array (n, inputs, outputs) a layer, in units of its nodes.
    """
    domains = model.domains or Unquantised(model.network).domains
    arguments, found = model.encode_features(features), []
    for layer, nodes, domain in zip(model.network.layers, model.nodes, domains, strict=True):
        found.append(interpolate(nodes, place(arguments, domain, layer.segments)))
        arguments = found[-1].sum(axis=1) / layer.divisor
    return found


def predictions(model: Model, features: np.ndarray) -> np.ndarray:
    """Predict targets (n, outputs) in the user's units, without rounding; features are (n, features)."""
    means = contributions(model, features)[-1].sum(axis=1) / model.network.layers[-1].divisor
    return model.decode(means * Unquantised(model.network).result_scale)
