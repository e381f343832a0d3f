"""Bounds on the distance between a fixed-point trainer and its unquantised model, from the number format alone.

They add half a unit for each rounding and carry it on through the steepest segment. They are valid where nothing
saturates or is clipped, and no argument is nearer to a node than its own bound: beyond the node the slope is another.
"""

import numpy as np

from sw.spec.network import Network
from sw.spec.schedule import Rates, shifted_layers


def forward_bounds(network: Network, nodes: list[np.ndarray]) -> list[float]:
    """Return the bound of the results of each layer, in their units.

    The units are argument codes of the next layer, and words after the last layer.
    """
    bounds, argument = [], 0.0
    for layer, form, values in zip(network.layers, network.formats, nodes, strict=True):
        carried = argument * layer.inputs * _steepest(values) * 2.0**-form.sum_shift
        bounds.append(argument := carried + 0.5)
    return bounds


def update_bounds(network: Network, nodes: list[np.ndarray], rates: Rates, residual: float) -> list[float]:
    """Return the bound of the nodes of each layer after one update, in words.

    A node moves by step * (1 - distance to the argument in segments). The step differs by the bound of the error and a
    rounding, the distance by the bound of the argument, and the product has another rounding. Fine bits make all of
    these smaller, and chance moves a node by another word at most.

    Parameters
    ----------
    network : Network
        The network.
    nodes : list of ndarray
        The nodes before the update.
    rates : Rates
        Of the update.
    residual : float
        The largest magnitude of the residuals.
    """
    results = forward_bounds(network, nodes)
    bounds: list[float] = []
    error, error_bound = residual, results[-1]  # of the outputs of a layer: magnitude, and bound of the difference
    fine, shifts = 2.0**-network.fine, dict(zip(shifted_layers(len(network.layers)), rates.update, strict=True))
    for index in reversed(range(len(network.layers))):
        argument, rounding, shrink = (
            results[index - 1] if index else 0,
            0.5 * (index in shifts),
            2.0 ** -shifts.get(index, 0),
        )
        distance = argument * 2.0 ** -network.formats[index].offset_bits * error * shrink
        bounds.insert(0, (error_bound * shrink + rounding + distance + 0.5) * fine + (network.fine > 0))
        if index:
            passed = _steepest(nodes[index]) * 2.0 ** -rates.back[index - 1]
            outputs = network.layers[index].outputs
            error, error_bound = outputs * passed * error, outputs * (0.5 + passed * error_bound)
    return bounds


def _steepest(nodes: np.ndarray) -> float:
    """Return the largest difference of neighbouring nodes."""
    return float(np.abs(np.diff(nodes, axis=1)).max())
