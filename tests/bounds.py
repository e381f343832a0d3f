"""How far a fixed-point trainer may be from its unquantised network, derived from the number format alone.

Half a unit for each rounding, carried on through the steepest segment. Valid where nothing saturates or is clipped, and
no argument is nearer to a node than its own bound: beyond the node another slope would count.
"""

import numpy as np

from sw.spec.network import Network
from sw.spec.schedule import Rates


def forward_bounds(network: Network, nodes: list[np.ndarray]) -> list[float]:
    """Of each layer's results, in their units: the next layer's argument codes, words after the last."""
    bounds, argument = [], 0.0
    for layer, form, values in zip(network.layers, network.formats, nodes, strict=True):
        carried = argument * layer.inputs * _steepest(values) * 2.0**-form.sum_shift
        bounds.append(argument := carried + 0.5)
    return bounds


def update_bounds(network: Network, nodes: list[np.ndarray], rates: Rates, residual: float) -> list[float]:
    """Of each layer's nodes after one update from a residual of at most `residual` in magnitude, in words.

    A node moves by step * (1 - distance to the argument in segments): the step has its error and a rounding, the
    distance the argument's error, the product another rounding.
    """
    results = forward_bounds(network, nodes)
    bounds: list[float] = []
    wrong = results[-1]  # the bound of the error that comes from above; `residual` is how large that is itself
    for index in reversed(range(len(network.layers))):
        argument, rounding, shrink = (results[index - 1], 0.5, 2.0 ** -rates.update[index - 1]) if index else (0, 0, 1)
        moved = argument * 2.0 ** -network.formats[index].offset_bits * residual * shrink
        bounds.insert(0, wrong * shrink + rounding + moved + 0.5)
        if index:
            passed = _steepest(nodes[index]) * 2.0 ** -rates.back[index - 1]
            outputs = network.layers[index].outputs
            wrong, residual = outputs * (0.5 + passed * wrong), outputs * passed * residual
    return bounds


def _steepest(nodes: np.ndarray) -> float:
    """Largest difference of neighbouring nodes."""
    return float(np.abs(np.diff(nodes, axis=1)).max())
