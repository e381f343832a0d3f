"""What a pass of floating-point training works on: the arrays and the statistics."""

from typing import NamedTuple

import numpy as np

from sw.engine.kernels.layout import Place
from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import numbers

WORDS, PAIRS = (0,), (0, 0)  # sizes: a register of numbers; as many pairs
ROW = (0, 0)  # size of a later layer's rows that are worked on at a time

STATISTICS = 2
RECORDS, RESIDUAL = range(STATISTICS)  # places in the statistics

FIELDS = (0,) * len(Place._fields)


class FloatMemory(NamedTuple):
    """Flat arrays that a pass works on; from `places` on, with a slot for this record and the one before.

    Attributes
    ----------
    rows, pairs, starts
        As in `sw.engine.kernels.layout.MemoryLayout`.
    rates
        The learning rate of each layer.
    arguments
        The inputs of each layer past the first, and the outputs.
    low, high
        Limits of the domain of each layer's inputs.
    scale
        Segments per unit in these domains.
    places
        Place of the left node at each input.
    offsets, remainders
        From the left node to the input, and from the input to the right node, in segments.
    found
        The pairs (outputs, padded) that a forward pass met.
    back
        Errors of a layer's inputs, and of the outputs.
    errors
        Errors (outputs, padded) of a layer in pairs, as each of its inputs sees them; zero in the padding.
    """

    rows: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    rates: np.ndarray
    arguments: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    places: np.ndarray
    offsets: np.ndarray
    remainders: np.ndarray
    found: np.ndarray
    back: np.ndarray
    errors: np.ndarray


@inlined
def depth_of(layers):
    """Count the layers."""
    return len(layers) // len(FIELDS)


@inlined
def layer_at(layers, index):
    """Load a layer's place by value: no store of a loop could change it, as far as the compiler knows."""
    return Place(*numbers(layers, index * len(FIELDS), FIELDS))
