"""Layers in pairs: both nodes of a function side by side, and the inputs of one output in a row."""

from sw.engine.kernels.floating.memory import PAIRS, WORDS
from sw.engine.simd.arithmetic import multiply_add
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import left, pair, right
from sw.engine.simd.memory import load, load_pairs, store, store_pairs
from sw.engine.simd.rows import lanes, zeros
from sw.engine.simd.sums import total


@inlined
def interpolate(memory, layer, output, slot, k):
    """Interpolate a register of functions of one output; leaves the pairs in `memory.found` for the update."""
    nodes, here = layer.nodes_at + output * layer.padded * layer.nodes, slot + layer.inputs_at + k
    pairs = load_pairs(memory.pairs, nodes, memory.places, here, PAIRS)
    store(memory.found, 2 * (slot + layer.errors_at + output * layer.padded + k), pairs)
    return multiply_add(right(pairs) - left(pairs), load(memory.offsets, here, WORDS), left(pairs))


@inlined
def forward_pairs(memory, layer, output, slot):
    """Compute one result of a layer in pairs."""
    sums = zeros(memory.offsets, WORDS)
    for k in range(0, layer.padded, lanes(memory.rows)):
        sums = sums + interpolate(memory, layer, output, slot, k)
    return total(sums) / layer.divisor


@inlined
def update_pairs(memory, layer, rate, slot):
    """Update a layer in pairs for the errors of its outputs; leaves the errors of its inputs in `memory.back`."""
    for k in range(0, layer.padded, lanes(memory.rows)):
        here = slot + layer.inputs_at + k
        offsets, back = load(memory.offsets, here, WORDS), zeros(memory.errors, WORDS)
        for output in range(layer.outputs):
            shown = slot + layer.errors_at + output * layer.padded + k
            error, before = load(memory.errors, shown, WORDS), load(memory.found, 2 * shown, PAIRS)
            step = error * rate
            change = step * offsets
            nodes = layer.nodes_at + output * layer.padded * layer.nodes
            store_pairs(memory.pairs, nodes, memory.places, here, before + pair(step - change, change))
            back = multiply_add(error, right(before) - left(before), back)
        store(memory.back, here, back * load(memory.scale, layer.inputs_at + k, WORDS))
