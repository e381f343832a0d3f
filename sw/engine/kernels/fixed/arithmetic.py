"""The number rules of `sw.spec.numerics` on rows: rounding shifts, limits, segments and offsets."""

from sw.engine.kernels.fixed.memory import WIDE, WORDS
from sw.engine.simd.arithmetic import maximum, minimum
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import widen
from sw.engine.simd.memory import load, store
from sw.engine.simd.rows import bits, lanes


@inlined
def rounding_shift(value, bits):
    """Shift right and round, as `sw.spec.numerics` has it."""
    return (value + (1 << (bits - 1))) >> bits


@inlined
def mean_of(sums, layer):
    """Shift sums right and round, with no more bits than the sums have, which may fill theirs."""
    return ((sums >> (layer.sum_shift - 1)) + 1) >> 1


@inlined
def limited(value, lowest, highest):
    """Limit a row's numbers to lowest .. highest."""
    return maximum(minimum(value, highest), lowest)


@inlined
def fraction_of(weights, layer, word):
    """Take the offset out of weights, as the fraction that `mulr` multiplies by."""
    return (weights >> word) << (word - 1 - layer.offset_bits)


@inlined
def locate(memory, layer, codes, at, slot):
    """Store the places of a layer's arguments, and how their offsets weigh the nodes there."""
    word = bits(memory.rows)
    for k in range(0, layer.padded, lanes(memory.rows)):
        code = (widen(load(codes, at + k, WORDS)) + layer.bias) & ((1 << layer.argument_bits) - 1)
        offset = code & ((1 << layer.offset_bits) - 1)
        here = slot + layer.inputs_at + k
        starts = load(memory.starts, layer.inputs_at + k, WIDE)
        store(memory.places, here, starts + (code >> layer.offset_bits) * layer.stride)
        store(memory.weights, here, offset * ((1 << word) - 1) + (1 << layer.offset_bits))
