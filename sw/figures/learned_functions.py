"""The learned functions of a model, each over the range of its domain where its argument falls."""

from dataclasses import dataclass

import numpy as np

from sw.model import Model
from sw.oracle.floating import Unquantised
from sw.spec.network import Layer

SAMPLES = 512
POINTS = 64
TAILS = 0.005  # of the arguments on either side are left out: nodes beyond them were hardly ever trained


@dataclass(frozen=True, eq=False)
class Functions:
    """The functions of a layer.

    Attributes
    ----------
    curves : ndarray of shape (POINTS, inputs, outputs)
        Values of each function at equal steps, in units of the layer's own.
    """

    curves: np.ndarray

    @property
    def extent(self) -> np.ndarray:
        """Difference between the highest and the lowest value of each function, (inputs, outputs)."""
        return np.ptp(self.curves, axis=0)


def functions(model: Model) -> list[Functions]:
    """Evaluate the functions of each layer, for features that are independent and uniform in their ranges.

    Parameters
    ----------
    model : Model
        The network and its nodes.

    Returns
    -------
    list of Functions
        The functions of each layer.
    """
    domains = model.domains or Unquantised(model.network).domains
    low, high = domains[0].T
    arguments = np.random.default_rng(0).uniform(low, high, (SAMPLES, model.network.features))
    limits, found = domains[0].T, []
    for layer, nodes, domain in zip(model.network.layers, model.nodes, domains, strict=True):
        found.append(Functions(_values(layer, nodes, domain, np.linspace(limits[0], limits[1], POINTS))))
        arguments = _values(layer, nodes, domain, arguments).sum(axis=1) / layer.divisor
        limits = np.quantile(arguments, (TAILS, 1 - TAILS), axis=0)
    return found


def _values(layer: Layer, nodes: np.ndarray, domain: np.ndarray, arguments: np.ndarray) -> np.ndarray:
    """Evaluate all functions of a layer at arguments (n, inputs), to (n, inputs, outputs)."""
    low, high = domain.T
    position = np.clip((arguments - low) / (high - low) * layer.segments, 0, layer.segments)
    segment = np.minimum(position.astype(int), layer.segments - 1)
    offset, inputs = (position - segment)[:, :, None], np.arange(layer.inputs)
    return nodes[inputs, segment] * (1 - offset) + nodes[inputs, segment + 1] * offset
