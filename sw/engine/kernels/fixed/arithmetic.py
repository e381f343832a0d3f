"""The number rules of `sw.spec.numerics` on rows: rounding shifts, limits, segments and offsets."""

from sw.engine.simd.arithmetic import maximum, minimum, mulr
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import saturated, widen
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
def mean_of(sums, layer):
    """Make results of sums."""
    return exact_rounding_shift(sums, layer.sum_shift)


@inlined
def limited(value, lowest, highest):
    """Limit a row's numbers to lowest .. highest."""
    return maximum(minimum(value, highest), lowest)


@inlined
def limit_errors(memory, layer, slot, size, largest):
    """Limit the errors of a layer's inputs: an argument at an end of its domain passes on none that pushes it out.

    `size`: of the rows that the layer before loads its errors in. What was stored by narrower registers would not be
    at hand for them.
    """
    first = slot + layer.inputs_at
    for k in range(first, first + layer.padded, len(size) * lanes(memory.rows)):
        arguments = load(memory.arguments, k, size)
        lowest, highest = (arguments > -layer.bias) & -largest, (arguments < layer.bias - 1) & largest
        errors = saturated(load(memory.totals, k, size + size))
        store(memory.back, k, limited(errors, lowest, highest))


@inlined
def moves_of(step, fractions, chances, fine):
    """Compute how far a step moves the left and the right nodes."""
    change = mulr(step, fractions)
    if len(fine):
        change = change + chances
        return (step + ((1 << len(fine)) - 1) - change) >> len(fine), change >> len(fine)
    return step - change, change


@inlined
def locate(memory, layer, size, stride, codes, at, slot, fine, chance):
    """Store the places of a layer's arguments, how their offsets weigh the nodes there, and the inputs' chances.

    `stride`: the layer's, written out where it is 1, so that nothing is multiplied by it.
    """
    word = bits(memory.rows)
    for k in range(0, layer.padded, len(size) * lanes(memory.rows)):
        code = (widen(load(codes, at + k, size)) + layer.bias) & ((1 << layer.argument_bits) - 1)
        offset = code & ((1 << layer.offset_bits) - 1)
        here = slot + layer.inputs_at + k
        starts = load(memory.starts, layer.inputs_at + k, size + size)
        store(memory.places, here, starts + (code >> layer.offset_bits) * stride)
        store(memory.weights, here, offset * ((1 << word) - 1) + (1 << layer.offset_bits))
        store(memory.fractions, here, (offset * ((1 << word) + 1)) << (word - 1 - layer.offset_bits))
        if len(fine):
            turned = (zeros(memory.turns, size + size) + chance) >> load(memory.turns, layer.inputs_at + k, size + size)
            store(memory.chances, here, (turned & ((1 << len(fine)) - 1)) * ((1 << word) + 1))
