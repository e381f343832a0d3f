"""Layers in rows: all functions of one input side by side, in the vector operations' order of outputs."""

from sw.engine.kernels.fixed.arithmetic import (
    exact_rounding_shift,
    limited,
    mean_of,
    moves_of,
    rounding_shift,
)
from sw.engine.kernels.fixed.memory import CLIPS, ROW, SATURATIONS
from sw.engine.simd.arithmetic import adds
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import narrow, widen
from sw.engine.simd.memory import load, number, put, repeated, spread, store
from sw.engine.simd.rows import lanes
from sw.engine.simd.sums import add_totals, differing, no_sums, saturated_sums, total, weigh

TRAIL = 4  # inputs by which the forward pass trails the update, so as not to wait for what that has just stored


@inlined
def update_row(memory, layer, here, at, before, behind, step, fine, limit, counting, statistics):
    """Move both nodes of a segment, in the functions of one input."""
    fractions, chances = repeated(memory.fractions, here, step), repeated(memory.chances, here, step)
    left, right = moves_of(step, fractions, chances, fine)
    moved, pushed = adds(before, left, limit), adds(behind, right, limit)
    store(memory.rows, at, moved)
    store(memory.rows, at + layer.stride, pushed)
    if len(counting):
        statistics[SATURATIONS] += differing(moved, before + left) + differing(pushed, behind + right)


@inlined
def update_first_row(memory, layer, here, lane, size, error, fine, limit, counting, statistics):
    """Update the first layer's functions of one input; the step is the error itself."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + layer.stride, size)
    update_row(memory, layer, here, at, before, behind, error, fine, limit, counting, statistics)


@inlined
def add_row(memory, sums, here, lane, stride, size):
    """Add one input's functions to the sums."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + stride, size)
    return weigh(sums, before, behind, number(memory.weights, here))


@inlined
def finish_row(memory, layer, slot, lane, sums, counting, statistics):
    """Store the results of sums."""
    mean = mean_of(sums, layer)
    if len(counting):
        statistics[CLIPS] += layer.hidden * differing(mean, limited(mean, layer.lowest, layer.highest))
    result = limited(saturated_sums(mean), layer.lowest, layer.highest)
    store(memory.arguments, slot + layer.results_at + lane, result)


@inlined
def update_and_add(memory, layer, sums, old, new, lane, size, error, fine, limit, counting, statistics):
    """Update the first layer's functions of the input at `old`; add those of the input at `new` to the sums."""
    update_first_row(memory, layer, old, lane, size, error, fine, limit, counting, statistics)
    return add_row(memory, sums, new, lane, layer.stride, size)


@inlined
def update_and_forward_rows(memory, layer, size, old, new, fine, limit, counting, statistics):
    """Update the first layer for the record in slot `old`; forward the record in slot `new`."""
    inputs = layer.inputs
    trail = min(TRAIL, inputs)
    in_fours = trail + (inputs - trail) // 4 * 4  # what follows is one by one
    new -= trail
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        error = load(memory.back, old + layer.results_at + lane, size)
        sums = no_sums(memory.rows, size)
        same = lane, size, error, fine, limit, counting, statistics
        for j in range(trail):
            update_first_row(memory, layer, old + j, *same)
        for j in range(trail, in_fours, 4):
            sums = update_and_add(memory, layer, sums, old + j, new + j, *same)
            sums = update_and_add(memory, layer, sums, old + j + 1, new + j + 1, *same)
            sums = update_and_add(memory, layer, sums, old + j + 2, new + j + 2, *same)
            sums = update_and_add(memory, layer, sums, old + j + 3, new + j + 3, *same)
        for j in range(in_fours, inputs):
            sums = update_and_add(memory, layer, sums, old + j, new + j, *same)
        for j in range(inputs, inputs + trail):
            sums = add_row(memory, sums, new + j, lane, layer.stride, size)
        finish_row(memory, layer, new + trail, lane, sums, counting, statistics)


@inlined
def update_rows(memory, layer, size, old, fine, limit, counting, statistics):
    """Update the first layer for the record in slot `old`."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        error = load(memory.back, old + layer.results_at + lane, size)
        for j in range(layer.inputs):
            update_first_row(memory, layer, old + j, lane, size, error, fine, limit, counting, statistics)


@inlined
def forward_rows(memory, layer, size, slot, counting, statistics):
    """Forward a record through a layer in rows."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        sums = no_sums(memory.rows, size)
        for j in range(slot + layer.inputs_at, slot + layer.inputs_at + layer.inputs):
            sums = add_row(memory, sums, j, lane, layer.stride, size)
        finish_row(memory, layer, slot, lane, sums, counting, statistics)


@inlined
def update_hidden_row(memory, layer, here, lane, error, step, fine, limit, counting, statistics):
    """Update a later layer's functions of one input; returns the errors of the outputs, shifted back."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, ROW), load(memory.rows, at + layer.stride, ROW)
    update_row(memory, layer, here, at, before, behind, step, fine, limit, counting, statistics)
    return exact_rounding_shift(error * (widen(behind) - widen(before)), layer.back_shift)


@inlined
def update_hidden_rows(memory, layer, slot, fine, limit, counting, statistics):
    """Update a later layer for the errors of its outputs; leaves the errors of its inputs in `memory.totals`."""
    first, end = slot + layer.inputs_at, slot + layer.inputs_at + layer.inputs
    spread(memory.totals, first, layer.padded, 0)
    for lane in range(0, layer.width, lanes(memory.rows)):
        error = widen(load(memory.back, slot + layer.results_at + lane, ROW))
        step = narrow(rounding_shift(error, layer.update_shift))
        for j in range(first, end - 3, 4):
            add_totals(
                memory.totals,
                j,
                update_hidden_row(memory, layer, j, lane, error, step, fine, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 1, lane, error, step, fine, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 2, lane, error, step, fine, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 3, lane, error, step, fine, limit, counting, statistics),
            )
        for j in range(end - layer.inputs % 4, end):
            back = total(update_hidden_row(memory, layer, j, lane, error, step, fine, limit, counting, statistics))
            put(memory.totals, j, number(memory.totals, j) + back)
