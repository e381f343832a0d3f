"""Nodes and records for which every trainer must give the same bits: ordinary ones, and the ends of every range."""

import numpy as np

from sw.oracle.fixed import FixedReference
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.numerics import LayerFormat
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers

RATES = Rates((2,), (13,))
"""Rates for two layers."""


def rates_of(network: Network, update: int, back: int | None = None) -> Rates:
    """Return rates with the same shifts in all layers; the back shift is a middle one by default."""
    layers = len(network.layers)
    backs = (network.width - 3 if back is None else back,) * (layers - 1)
    return Rates((update,) * len(shifted_layers(layers)), backs)


def edge_codes(form: LayerFormat) -> list[int]:
    """Return argument codes at both ends of the domain and of its first and last segments."""
    top, segment = (1 << form.argument_bits) - 1, 1 << form.offset_bits
    return [0, top, segment, segment - 1, top - segment + 1]


def ordinary(network: Network, count: int, seed: int = 0) -> tuple[list[np.ndarray], Records]:
    """Return nodes and records well inside the word."""
    rng = np.random.default_rng(seed)
    top = 1 << network.formats[0].argument_bits
    reach = network.word.maximum // 4
    arguments = rng.integers(0, top, (count, network.features))
    return random_nodes(network, rng), Records(arguments, rng.integers(-reach, reach, (count, network.outputs)))


def extreme(network: Network, count: int, seed: int = 0) -> tuple[list[np.ndarray], Records]:
    """Return nodes over the whole word, and records at the ends of ranges.

    Targets are at the ends of the word or near zero; arguments are at the ends of the domain and of segments, random,
    or all zero.
    """
    rng = np.random.default_rng(seed)
    form, word = network.formats[0], network.word
    top = (1 << form.argument_bits) - 1
    arguments = rng.integers(0, top + 1, (count, network.features))
    at_edge = rng.random(arguments.shape) < 0.5
    arguments[at_edge] = rng.choice(edge_codes(form), int(at_edge.sum()))
    arguments[::7] = 0
    targets = rng.choice([word.minimum, word.maximum, 0, 1, -1], (count, network.outputs))
    nodes = [rng.choice([word.minimum, word.maximum, 0], layer.shape, p=[0.2, 0.2, 0.6]) for layer in network.layers]
    scattered = random_nodes(network, rng, spread=1.0)
    return [np.where(pick == 0, other, pick) for pick, other in zip(nodes, scattered, strict=True)], Records(
        arguments, targets
    )


def zeros(network: Network, count: int, seed: int = 0) -> tuple[list[np.ndarray], Records]:
    """Return nodes and records of zeros."""
    arguments = np.zeros((count, network.features), dtype=np.int64)
    nodes = [np.zeros(layer.shape, dtype=np.int64) for layer in network.layers]
    return nodes, Records(arguments, np.zeros((count, network.outputs), dtype=np.int64))


def faint(network: Network, count: int) -> tuple[list[np.ndarray], Records]:
    """Return nodes with little slope and records of small residuals: some steps of all layers are zero."""
    nodes, records = ordinary(network, count)
    nodes = [values // 32 for values in nodes]
    results = FixedReference(network, nodes).predict(records.arguments)
    residuals = np.random.default_rng(1).integers(-9, 10, results.shape) << np.arange(len(results))[:, None] % 5
    return nodes, Records(records.arguments, network.word.limit(results + residuals))


KINDS = {"ordinary": ordinary, "extreme": extreme, "zeros": zeros}
"""Makers of nodes and records, by name."""
