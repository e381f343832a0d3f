"""The learned functions of a model, each over the range of its arguments."""

from dataclasses import dataclass

import numpy as np

from sw.model import Model
from sw.oracle.floating import Unquantised, interpolate, place

SAMPLES = 512
POINTS = 64
TAILS = 0.005  # of the arguments on either side are left out: nodes out there were hardly ever trained


@dataclass(frozen=True, eq=False)
class Functions:
    """Those of a layer.

    curves: values at `POINTS` equal steps, (points, inputs, outputs), in units of the layer's own.
    reach: between the highest and the lowest value, (inputs, outputs).
    """

    curves: np.ndarray

    @property
    def reach(self) -> np.ndarray:
        return np.ptp(self.curves, axis=0)


def functions(model: Model) -> list[Functions]:
    """Of each layer, for features that are independent and uniform in their ranges."""
    domains = model.domains or Unquantised(model.network).domains
    low, high = domains[0].T
    arguments = np.random.default_rng(0).uniform(low, high, (SAMPLES, model.network.features))
    limits, found = domains[0].T, []
    for layer, nodes, domain in zip(model.network.layers, model.nodes, domains, strict=True):
        points = np.linspace(limits[0], limits[1], POINTS)
        found.append(Functions(interpolate(nodes, place(points, domain, layer.segments))))
        arguments = interpolate(nodes, place(arguments, domain, layer.segments)).sum(axis=1) / layer.divisor
        limits = np.quantile(arguments, (TAILS, 1 - TAILS), axis=0)
    return found
