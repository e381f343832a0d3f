"""Layers in pairs: both nodes of a function side by side, and the inputs of one output in a row."""

import numpy as np

from sw.engine.kernels.fixed.arithmetic import (
    fraction_of,
    limited_errors,
    mean_of,
    rounding_shift,
    shifted_back,
)
from sw.engine.kernels.fixed.memory import SATURATIONS, WIDE
from sw.engine.simd.arithmetic import adds
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import left, narrow, pair, right
from sw.engine.simd.memory import load, load_pairs, store, store_pairs
from sw.engine.simd.rows import bits, lanes, zeros
from sw.engine.simd.sums import differing, total, weighted


@inlined
def find_pairs(memory, layer, output, slot, k):
    """Load the pairs that a register of inputs is at; leaves them in `memory.found` for the update."""
    nodes, here = layer.nodes_at + output * layer.padded * layer.nodes, slot + layer.inputs_at + k
    pairs = load_pairs(memory.pairs, nodes, memory.places, here, WIDE)
    store(memory.found, 2 * (slot + layer.errors_at + output * layer.padded + k), pairs)
    return pairs


@inlined
def weigh_pairs(memory, layer, output, slot, k):
    """Interpolate the functions of a register of inputs, as addends of the sum."""
    pairs = find_pairs(memory, layer, output, slot, k)
    return weighted(pairs, load(memory.weights, slot + layer.inputs_at + k, WIDE))


@inlined
def forward_pairs(memory, layer, output, slot):
    """Compute one result of a layer in pairs, before its limits."""
    sums = zeros(memory.weights, WIDE)
    for k in range(0, layer.padded, lanes(memory.rows)):
        sums = sums + weigh_pairs(memory, layer, output, slot, k)
    return mean_of(np.int64(total(sums)), layer)


@inlined
def update_pairs(memory, layer, slot, far, fine, limit, largest, counting, statistics):
    """Update a layer in pairs for the errors of its outputs; leaves the errors of its inputs in `memory.back`."""
    word = bits(memory.rows)
    if layer.staleness:  # the pairs have changed since the forward pass
        for output in range(layer.outputs):
            for k in range(0, layer.padded, lanes(memory.rows)):
                find_pairs(memory, layer, output, slot, k)
    for k in range(0, layer.padded, lanes(memory.rows)):
        here = slot + layer.inputs_at + k
        fractions, back = fraction_of(load(memory.weights, here, WIDE), layer, word), zeros(memory.errors, WIDE)
        if len(fine):
            chance = load(memory.chances, here, WIDE) & ((1 << len(fine)) - 1)
        for output in range(layer.outputs):
            shown = slot + layer.errors_at + output * layer.padded + k
            error = load(memory.errors, shown, WIDE)
            step = rounding_shift(error, layer.update_shift)
            change = rounding_shift(step * fractions, word - 1)
            nodes = layer.nodes_at + output * layer.padded * layer.nodes
            before = load(memory.found, 2 * shown, WIDE)
            if len(fine):
                change = change + chance
                moves = pair((step + ((1 << len(fine)) - 1) - change) >> len(fine), change >> len(fine))
            else:
                moves = pair(step - change, change)
            after = adds(before, moves, limit)
            store_pairs(memory.pairs, nodes, memory.places, here, after)
            if len(counting):
                statistics[SATURATIONS] += differing(after, before + moves)
            back = back + shifted_back(error * (right(before) - left(before)), layer, far)
        store(memory.back, here, narrow(limited_errors(memory, layer, here, k, back, largest)))
