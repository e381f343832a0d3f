"""The fixed-point rules: one arithmetic for oracle, CPU kernels and gateware.

`rounding_shift` and `rounding_product` are written with operators only, so that the same function computes with
Python integers, NumPy arrays and Amaranth values; saturation is `WordFormat.clamp` here and a multiplexer in gateware.

Every layer evaluates its functions by one rule (in NumPy `sw.oracle.fixed.interpolate`). An argument is an unsigned
code of `argument_bits`: the top `segment_bits` name the segment i, the `offset_bits` below are the offset w inside it.
With F0, F1 the nodes i and i+1:

    S_k     = sum_j (F0 << offset_bits) + (F1 - F0) * w_j       exact, fits 2 W bits
    result  = clamp(rounding_shift(S_k, sum_shift))             the mean over the inputs, folded into one shift

and updates them by one rule (`sw.oracle.fixed.update` and `back_propagate`), from the error e_k of its outputs (the
residual, for the last layer):

    step    = rounding_shift(e_k, update_shift)                 (first of several layers: e_k itself)
    t       = rounding_product(step, offset) + c_j              offset as a fraction of W - 1 bits
    F1      = saturate(F1 + (t >> d))
    F0      = saturate(F0 + ((step + 2**d - 1 - t) >> d))
    e_j     = limit(sum_k rounding_shift(e_k * (F1 - F0), back_shift))     the error of its inputs, before the update
    e_j     = max(e_j, 0) where the argument code of input j is 0, min(e_j, 0) where it is the last code

A network may have one layer only, whose error is the residual and has an update shift as any last layer's. In a deeper
one, the error of the first layer has been shifted on its way back (`sw.spec.schedule.shifted_layers`). The first layer
passes no error back. The last rule keeps an argument that is clipped to its domain from being pushed
further out: there the function's slope says nothing about the clipped sum.

The `fine` bits d of a network are bits of a step below a node's last one, cut off by chance: c_j is a number of d bits
that input j has from the record's word (`sw.spec.chance`), the same for all outputs. Without fine bits, c_j is 0 and
nothing is cut off. Residuals and errors are limited to 2**(W-1) - 2**d, so that t and step + 2**d - 1 fit a word.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sw.spec.bounds import shown, whole_number
from sw.spec.chance import FINE

WIDTHS = range(10, 25)


def rounding_shift(value: Any, bits: int) -> Any:
    """Compute `value / 2**bits`, rounded to the nearest, halves up. Truncation would bias every update.

    Parameters
    ----------
    value : int, ndarray of int or Amaranth value
        What is shifted, signed.
    bits : int
        1 or more.

    Returns
    -------
    of the type of `value`
        The rounded quotient.
    """
    return (value + (1 << (bits - 1))) >> bits


def rounding_product(a: Any, fraction: Any, width: int) -> Any:
    """Compute `a * fraction / 2**(width - 1)`, rounded to the nearest, halves up.

    With a width of 16 this is the x86 instruction pmulhrsw; in gateware, one multiplier and an adder.

    Parameters
    ----------
    a : int, ndarray of int or Amaranth value
        A signed word.
    fraction : int, ndarray of int or Amaranth value
        A fraction of `width - 1` bits, 0 or more and less than 1.
    width : int
        Bits of a word.

    Returns
    -------
    of the type of `a`
        The rounded product, a word.
    """
    return rounding_shift(a * fraction, width - 1)


def bits_for(count: int) -> int:
    """Bits that address `count` things: ceil(log2(count))."""
    return (count - 1).bit_length()


@dataclass(frozen=True)
class WordFormat:
    """A signed word, the format of nodes, errors and targets.

    Attributes
    ----------
    width : int
        Bits of the word, one of `WIDTHS`.
    fine : int
        Bits of a step below a node's, one of `sw.spec.chance.FINE`.
    """

    width: int = 16
    fine: int = 0

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise ValueError(f"word width {self.width} is not in {WIDTHS.start}..{WIDTHS.stop - 1}")
        if whole_number(self.fine) not in FINE:
            raise ValueError(f"fine bits {shown(self.fine)}: must be {' or '.join(map(str, FINE))}")

    @property
    def maximum(self) -> int:
        """Largest word."""
        return (1 << (self.width - 1)) - 1

    @property
    def minimum(self) -> int:
        """Smallest word."""
        return -self.maximum - 1

    @property
    def largest_error(self) -> int:
        """Largest error and residual: its negative is a word, too, and so is a step with the largest chance added."""
        return self.maximum + 1 - (1 << self.fine)

    @property
    def update_shifts(self) -> range:
        """Legal update shifts: an error is shifted right by one of these to become a step.

        A step is in units of its finest bit: with fine bits the same shift is a rate that is smaller by 2**fine.
        """
        return range(1, self.width // 2 + 1)

    @property
    def back_shifts(self) -> range:
        """Legal back shifts: a product of error and slope, two words long, is shifted right by one of these."""
        return range(self.width // 2 + 1, 3 * self.width // 2 + 1)

    @property
    def back_window_length(self) -> int:
        """Number of back shifts that a board can make in a layer: it is built for so many of the legal ones."""
        return self.width - self.width // 2

    def back_window(self, first: int) -> range:
        """List the back shifts of a board that was built for those from `first` on."""
        return range(first, first + self.back_window_length)

    def saturate(self, value: Any) -> Any:
        """Clamp to the full two's complement range, as nodes are."""
        return np.clip(value, self.minimum, self.maximum)

    def limit(self, value: Any) -> Any:
        """Clamp to +-largest_error, as errors and residuals are."""
        return np.clip(value, -self.largest_error, self.largest_error)


@dataclass(frozen=True)
class LayerFormat:
    """Bit fields of one layer, derived by `layer_formats` from the geometry.

    Attributes
    ----------
    word : WordFormat
        Format of the layer's nodes.
    segment_bits : int
        Upper bits of an argument code, which number the segment.
    offset_bits : int
        Lower bits of an argument code: the offset inside the segment.
    sum_shift : int
        Right shift that makes the mean of an exact sum, and puts it in the format of the result.
    result_bits : int
        Bits of a result: a word, or as many as the next layer's argument code has.
    """

    word: WordFormat
    segment_bits: int
    offset_bits: int
    sum_shift: int
    result_bits: int

    @property
    def argument_bits(self) -> int:
        """Bits of an argument code."""
        return self.segment_bits + self.offset_bits

    @property
    def segments(self) -> int:
        """Segments of a function."""
        return 1 << self.segment_bits

    @property
    def result_limits(self) -> tuple[int, int]:
        """Smallest and largest result."""
        return -(1 << (self.result_bits - 1)), (1 << (self.result_bits - 1)) - 1

    @property
    def result_bias(self) -> int:
        """What is added to a signed result to make the next layer's unsigned argument code."""
        return 1 << (self.result_bits - 1)

    @property
    def last_code(self) -> int:
        """Largest argument code, the end of the domain; the domain begins with code 0."""
        return (1 << self.argument_bits) - 1

    def segment(self, code: Any) -> Any:
        """Extract the segment from an argument code."""
        return code >> self.offset_bits

    def offset(self, code: Any) -> Any:
        """Extract the offset from an argument code."""
        return code & ((1 << self.offset_bits) - 1)

    def fraction(self, offset: Any) -> Any:
        """Scale an offset to the fraction of W - 1 bits that `rounding_product` takes."""
        return offset << (self.word.width - 1 - self.offset_bits)


def offset_bits(word: WordFormat, inputs: int, segments: int) -> int:
    """Count the offset bits of a layer: as many as the word, and an exact sum over `inputs` in 2 W bits, allow.

    The last bound, W - 2, keeps both weights of a segment (w and its complement) inside a signed word.

    Parameters
    ----------
    word : WordFormat
        Format of the nodes.
    inputs : int
        Inputs that a mean is over.
    segments : int
        Segments of a function.
    """
    return min(word.width - bits_for(segments), word.width - bits_for(inputs), word.width - 2)


def layer_formats(word: WordFormat, geometry: list[tuple[int, int, int]]) -> tuple[LayerFormat, ...]:
    """Derive the formats of a chain of layers.

    A layer's result is its mean over the next power of two of inputs, times 2**gain, in the next layer's argument
    format; the last layer's result is a full word.

    Parameters
    ----------
    word : WordFormat
        Format of the nodes of all layers.
    geometry : list of (int, int, int)
        Inputs, segments and gain in bits of each layer.

    Returns
    -------
    tuple of LayerFormat
        One format for each layer.

    Raises
    ------
    ValueError
        If a gain leaves no rounding shift.
    """
    offsets = [offset_bits(word, inputs, segments) for inputs, segments, _ in geometry]
    arguments = [offset + bits_for(segments) for offset, (_, segments, _) in zip(offsets, geometry, strict=True)]
    formats = []
    for index, (inputs, segments, gain) in enumerate(geometry):
        result_bits = arguments[index + 1] if index + 1 < len(geometry) else word.width
        shift = offsets[index] + bits_for(inputs) + word.width - result_bits - gain
        if shift < 1:
            raise ValueError(
                f"layer {index}: a gain of {gain} bits leaves no rounding shift; at most {gain + shift - 1}"
            )
        formats.append(LayerFormat(word, bits_for(segments), offsets[index], shift, result_bits))
    return tuple(formats)
