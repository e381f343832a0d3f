"""The number rules of `sw.spec.numerics` on rows: rounding shifts, limits, segments and offsets."""

from sw.engine.kernels.fixed.memory import WIDE, WORDS
from sw.engine.simd.arithmetic import maximum, minimum
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import widen
from sw.engine.simd.memory import load, store
from sw.engine.simd.rows import bits, lanes, zeros


@inlined
def rounding_shift(value, bits):
    """Shift right and round, as `sw.spec.numerics` has it."""
    return (value + (1 << (bits - 1))) >> bits


@inlined
def exact_rounding_shift(value, bits):
    """Shift right and round numbers that may fill their type: no step has more bits than they have."""
    return ((value >> (bits - 1)) + 1) >> 1


@inlined
def shifted_back(products, layer, far):
    """Shift products of errors and slopes right and round."""
    if len(far):
        return exact_rounding_shift(products, layer.back_shift)
    return rounding_shift(products, layer.back_shift)


@inlined
def mean_of(sums, layer):
    """Make results of sums."""
    return exact_rounding_shift(sums, layer.sum_shift)


@inlined
def limited(value, lowest, highest):
    """Limit a row's numbers to lowest .. highest."""
    return maximum(minimum(value, highest), lowest)


@inlined
def limited_errors(memory, layer, here, k, errors, limit):
    """Limit the errors of a register of inputs; an argument at an end of its domain passes on none that pushes it out.

    `k`: the first input. `beyond` is the code but for the stride, so that both ends of the domain are found in it.
    """
    starts, sign = load(memory.starts, layer.inputs_at + k, WIDE), 2 * bits(memory.rows) - 1
    beyond = load(memory.places, here, WIDE) - starts + (load(memory.weights, here, WIDE) >> bits(memory.rows))
    last = (layer.nodes - 2) * layer.stride + (1 << layer.offset_bits) - 1
    lowest, highest = (((beyond - 1) >> sign) & limit) - limit, ((beyond - last) >> sign) & limit
    return limited(errors, lowest, highest)


@inlined
def fraction_of(weights, layer, word):
    """Take the offset out of weights, as the fraction that `mulr` multiplies by."""
    return (weights >> word) << (word - 1 - layer.offset_bits)


@inlined
def locate(memory, layer, codes, at, slot, fine, chance):
    """Store the places of a layer's arguments, how their offsets weigh the nodes there, and the inputs' chances."""
    word = bits(memory.rows)
    for k in range(0, layer.padded, lanes(memory.rows)):
        code = (widen(load(codes, at + k, WORDS)) + layer.bias) & ((1 << layer.argument_bits) - 1)
        offset = code & ((1 << layer.offset_bits) - 1)
        here = slot + layer.inputs_at + k
        starts = load(memory.starts, layer.inputs_at + k, WIDE)
        store(memory.places, here, starts + (code >> layer.offset_bits) * layer.stride)
        store(memory.weights, here, offset * ((1 << word) - 1) + (1 << layer.offset_bits))
        if len(fine):
            turned = (zeros(memory.turns, WIDE) + chance) >> load(memory.turns, layer.inputs_at + k, WIDE)
            store(memory.chances, here, (turned & ((1 << len(fine)) - 1)) * ((1 << word) + 1))
            store(memory.fractions, here, (offset << (word - 1 - layer.offset_bits)) * ((1 << word) + 1))
