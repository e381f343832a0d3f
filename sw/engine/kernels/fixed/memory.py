"""What a pass of fixed-point training works on: the layers' fields, the arrays and the statistics."""

from collections import namedtuple
from typing import NamedTuple

import numpy as np

from sw.engine.kernels.layout import Place
from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import numbers
from sw.spec.numerics import LayerFormat

WORDS, WIDE = (0,), (0, 0)  # sizes: a register of words; as many wide numbers, or pairs
ROW = WORDS  # size of a later layer's rows that are worked on at a time

STATISTICS = 5
RECORDS, RESIDUAL, SATURATIONS, CLIPS, ZERO_STEPS = range(STATISTICS)  # places in the statistics

# A layer's place and its number format, biases, rates and staleness.
LayerFields = namedtuple(
    "LayerFields",
    [
        *Place._fields,
        "offset_bits",
        "argument_bits",
        "bias",  # added to a result of the layer before, makes it an argument
        "sum_shift",
        "lowest",  # limits of results
        "highest",
        "update_shift",
        "back_shift",
        "staleness",  # in records
        "hidden",  # 1 if the results are the arguments of another layer, else 0
    ],
)

FIELDS = (0,) * len(LayerFields._fields)


def layer_of(place: Place, form: LayerFormat, *, bias: int, staleness: int, hidden: bool) -> tuple[int, ...]:
    """Make the fields of a layer, its rates zero."""
    bits, (lowest, highest) = (form.offset_bits, form.argument_bits), form.result_limits
    return LayerFields(*place, *bits, bias, form.sum_shift, lowest, highest, 0, 0, staleness, hidden)


class FixedMemory(NamedTuple):
    """Flat arrays that a pass works on; from `arguments` to `chances`, with a slot for each record in flight.

    Attributes
    ----------
    rows, pairs, starts
        As in `sw.engine.kernels.layout.MemoryLayout`.
    inside
        Of an input, -1; of one that fills up a register, 0.
    turns
        By how many bits each input shifts the record's chance word right; empty without fine bits.
    arguments
        Words: the inputs of each layer past the first, and the outputs, signed.
    places
        Place of the left node at each input.
    weights
        Of an input's two nodes: 2**offset_bits - offset in the low half, offset in the high half.
    fractions
        The offset as `mulr` multiplies by it, twice side by side.
    found
        Words (outputs, padded): the pairs that a forward pass met.
    totals
        Errors of inputs before their limits.
    back
        Words: errors of a layer's inputs, and of the outputs.
    errors, steps
        Of a layer in pairs (outputs, padded), as each of its inputs sees them: -error in the low half, error in the
        high half; the step, twice side by side. Zero in the padding.
    chances
        Of each input, twice side by side; empty without fine bits.
    """

    rows: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    inside: np.ndarray
    turns: np.ndarray

    arguments: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    fractions: np.ndarray
    found: np.ndarray
    totals: np.ndarray
    back: np.ndarray
    errors: np.ndarray
    steps: np.ndarray
    chances: np.ndarray


@inlined
def depth_of(layers):
    """Count the layers."""
    return len(layers) // len(FIELDS)


@inlined
def layer_at(layers, index):
    """Load a layer's fields by value: no store of a loop could change them, as far as the compiler knows."""
    return LayerFields(*numbers(layers, index * len(FIELDS), FIELDS))
