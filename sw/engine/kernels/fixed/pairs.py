"""Layers in pairs: both nodes of a function side by side, and the inputs of one output in a row."""

import numpy as np

from sw.engine.kernels.fixed.arithmetic import (
    exact_rounding_shift,
    mean_of,
    moves_of,
    rounding_shift,
)
from sw.engine.kernels.fixed.memory import SATURATIONS, WIDE
from sw.engine.simd.arithmetic import adds
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import halves, left_and_right
from sw.engine.simd.memory import load, load_pairs, store, store_pairs
from sw.engine.simd.rows import bits, lanes, zeros
from sw.engine.simd.sums import differing, total, weighted


@inlined
def find_pairs(memory, layer, output, size, slot, k):
    """Load the pairs that a register of inputs is at; leaves them in `memory.found` for the update."""
    nodes, here = layer.nodes_at + output * layer.padded * layer.nodes, slot + layer.inputs_at + k
    pairs = load_pairs(memory.pairs, nodes, memory.places, here, size + size)
    store(memory.found, 2 * (slot + layer.errors_at + output * layer.padded + k), pairs)
    return pairs


@inlined
def weigh_pairs(memory, layer, output, size, slot, k):
    """Interpolate the functions of a register of inputs, as addends of the sum."""
    pairs = find_pairs(memory, layer, output, size, slot, k)
    return weighted(pairs, load(memory.weights, slot + layer.inputs_at + k, size + size))


@inlined
def forward_pairs(memory, layer, output, size, slot):
    """Compute one result of a layer in pairs, before its limits."""
    sums = zeros(memory.weights, size + size)
    for k in range(0, layer.padded, len(size) * lanes(memory.rows)):
        sums = sums + weigh_pairs(memory, layer, output, size, slot, k)
    return mean_of(np.int64(total(sums)), layer)


@inlined
def opposite(memory, error):
    """Join -error and the error to a wide number, as the weights of a slope."""
    word = bits(memory.rows)
    return (error << word) + (-error & ((1 << word) - 1))


@inlined
def doubled(memory, number):
    """Join a number twice side by side to a wide number."""
    word = bits(memory.rows)
    return (number << word) + (number & ((1 << word) - 1))


@inlined
def show(memory, layer, output, error, slot):
    """Put the error of an output, and its step, to where the update of a layer in pairs looks for them."""
    at = slot + layer.errors_at + output * layer.padded
    errors, steps = opposite(memory, error), doubled(memory, rounding_shift(error, layer.update_shift))
    for k in range(0, layer.padded, lanes(memory.rows)):
        inside = load(memory.inside, layer.inputs_at + k, WIDE)
        store(memory.errors, at + k, inside & errors)
        store(memory.steps, at + k, inside & steps)


@inlined
def update_pairs(memory, layer, size, slot, fine, limit, counting, statistics):
    """Update a layer in pairs for the errors of its outputs; leaves the errors of its inputs in `memory.totals`."""
    if layer.staleness:  # the pairs have changed since the forward pass
        for output in range(layer.outputs):
            for k in range(0, layer.padded, len(size) * lanes(memory.rows)):
                find_pairs(memory, layer, output, size, slot, k)
    for k in range(0, layer.padded, len(size) * lanes(memory.rows)):
        here = slot + layer.inputs_at + k
        fractions = halves(load(memory.fractions, here, size + size))
        chances = halves(load(memory.chances, here, size + size))
        back = zeros(memory.errors, size + size)
        for output in range(layer.outputs):
            shown = slot + layer.errors_at + output * layer.padded + k
            step, before = halves(load(memory.steps, shown, size + size)), load(memory.found, 2 * shown, size + size)
            moves = left_and_right(*moves_of(step, fractions, chances, fine))
            after = adds(before, moves, limit)
            nodes = layer.nodes_at + output * layer.padded * layer.nodes
            store_pairs(memory.pairs, nodes, memory.places, here, after)
            if len(counting):
                statistics[SATURATIONS] += differing(after, before + moves)
            errors = weighted(before, load(memory.errors, shown, size + size))
            back = back + exact_rounding_shift(errors, layer.back_shift)
        store(memory.totals, here, back)
