"""A rule for networks of one layer and of three or more: gains, first nodes, headroom and rates by the layers' sizes.

The anchor of deep networks is the preset of Tetra, which was found by search; other sizes follow from what the layers
compute. The rule was checked on tables of other data and other seeds than the reported ones (docs/results.md).

A single layer adds up its functions: its gain makes a sum of the mean, as far as there is an update shift for so large
a gain, and headroom takes over the rest. So one function alone can span twice the range of the targets. Its nodes begin
at zero: no random directions are needed where nothing comes after them, and a segment that is seldom met keeps what it
began with.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log2

from sw.spec.network import Layer
from sw.spec.numerics import WordFormat, bits_for
from sw.spec.schedule import Rates

HEADROOM = 1
FIRST_SEGMENTS = 4  # at least, unless functions are to be linear
FIRST_SPREAD, OTHER_SPREAD = 0.125, 0.25
MIDDLE_UPDATE, LAST_UPDATE = 4, 3  # the last one beside the layer's gain
MIDDLE_BACK, LAST_BACK = -2, -6  # beside the width and the gains of the layer and of the one before it
DEEPER_BACK = -2  # of each middle layer, for each middle layer beyond the first
SINGLE_FUNCTIONS = 32  # outer ones, which have as many segments as all functions of an output of a single layer at most
SINGLE_UPDATE = 2  # beside the gain, of a single layer


def gain_of(inputs: int) -> int:
    """Choose the gain of a layer: a mean of n functions is smaller than each of them by the square root of n.

    Parameters
    ----------
    inputs : int
        Inputs of the layer.
    """
    return round(log2(inputs) / 2)


def single_segments(features: int, segments: int) -> int:
    """Choose the segments of a single layer: those of outer functions, fewer where there are many features.

    Parameters
    ----------
    features : int
        Inputs of the layer.
    segments : int
        Segments of the outer functions that as many records settle.
    """
    most = max(SINGLE_FUNCTIONS * segments // features, FIRST_SEGMENTS)
    return min(segments, 1 << most.bit_length() - 1)


def deep_layers(sizes: Sequence[int], segments: Sequence[int], word: WordFormat) -> tuple[Layer, ...]:
    """Make the layers of a network.

    Parameters
    ----------
    sizes : sequence of int
        Features, outputs of each hidden layer, outputs.
    segments : sequence of int
        Segments of each layer's functions.
    word : WordFormat
        Limits the gain of a single layer: the largest update shift must still make small steps.
    """
    gains = [gain_of(size) for size in sizes[:-1]]
    if len(gains) == 1:
        gains = [min(bits_for(sizes[0]), word.update_shifts.stop - SINGLE_UPDATE)]
    return tuple(map(Layer, sizes, sizes[1:], segments, gains))


def deep_headroom(layers: Sequence[Layer]) -> int:
    """Choose the bits of a word above the targets.

    Parameters
    ----------
    layers : sequence of Layer
        Of `deep_layers`.
    """
    first, *others = layers
    return HEADROOM if others else HEADROOM + bits_for(first.inputs) - first.gain


def deep_spreads(layers: int) -> tuple[float, ...]:
    """Choose the spreads of so many layers: the sums of several grow to a multiple in training.

    Parameters
    ----------
    layers : int
        Layers of the network.
    """
    return (0.0,) if layers == 1 else (FIRST_SPREAD, *(OTHER_SPREAD,) * (layers - 1))


def deep_rates(layers: Sequence[Layer], word: WordFormat, phase: int) -> Rates:
    """Choose the rates of a phase.

    An update moves a result by its step times the gain, so that the last update shift follows the gain. An error that
    is handed back has the effect of both gains, and is a product with a slope, which is twice as large in a word of one
    bit more. Several middle layers make it ever smaller, so that their back shifts are smaller in turn. Each phase has
    half the rates of the one before. With fine bits, errors of middle layers are twice as large, and those of the first
    layer larger by all fine bits.

    Parameters
    ----------
    layers : sequence of Layer
        Of `deep_layers`.
    word : WordFormat
        Limits the shifts.
    phase : int
        Number of the phase, from 0.
    """
    if len(layers) == 1:
        return Rates(_legal([layers[0].gain + SINGLE_UPDATE - word.fine], phase, word.update_shifts), ())
    *middle, last = layers[1:]
    update = [*(MIDDLE_UPDATE - word.fine for _ in middle), last.gain + LAST_UPDATE - word.fine]
    middle_back = word.width + MIDDLE_BACK + DEEPER_BACK * (len(middle) - 1)
    back = [middle_back + before.gain + layer.gain for before, layer in pairwise(layers)]
    back[-1] += word.width + LAST_BACK - middle_back
    back[0] -= word.fine
    if word.fine and middle:
        update[:-1] = [shift + 1 for shift in update[:-1]]
        back[-1], back[0] = back[-1] - 1, back[0] + 1
    return Rates(_legal(update, phase, word.update_shifts), _legal(back, phase, word.back_shifts))


def _legal(shifts: list[int], more: int, legal: range) -> tuple[int, ...]:
    return tuple(min(max(shift + more, legal.start), legal.stop - 1) for shift in shifts)
