"""Layers in rows: all functions of one input side by side."""

from sw.engine.kernels.floating.memory import ROW, WORDS
from sw.engine.simd.arithmetic import multiply_add
from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import load, number, put, spread, store
from sw.engine.simd.rows import lanes, zeros
from sw.engine.simd.sums import add_totals, total

TRAIL = 2  # inputs by which the forward pass trails the update, so as not to wait for what that has just stored


@inlined
def update_row(memory, layer, here, at, before, behind, step):
    """Move both nodes of a segment, in the functions of one input."""
    store(memory.rows, at, multiply_add(step, number(memory.remainders, here), before))
    store(memory.rows, at + layer.stride, multiply_add(step, number(memory.offsets, here), behind))


@inlined
def update_first_row(memory, layer, here, lane, size, step):
    """Update the first layer's functions of one input."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + layer.stride, size)
    update_row(memory, layer, here, at, before, behind, step)


@inlined
def add_row(memory, sums, here, lane, stride, size):
    """Add one input's functions to the sums."""
    at = number(memory.places, here) + lane
    sums = multiply_add(load(memory.rows, at, size), number(memory.remainders, here), sums)
    return multiply_add(load(memory.rows, at + stride, size), number(memory.offsets, here), sums)


@inlined
def update_and_forward_rows(memory, layer, size, old, new):
    """Update the first layer for the record in slot `old`; forward the record in slot `new`."""
    inputs, stride = layer.inputs, layer.stride
    trail = min(TRAIL, inputs)
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        step = load(memory.back, old + layer.results_at + lane, size) * memory.rates[0]
        sums = zeros(memory.rows, size)
        for j in range(trail):
            update_first_row(memory, layer, old + j, lane, size, step)
        for j in range(trail, inputs):
            update_first_row(memory, layer, old + j, lane, size, step)
            sums = add_row(memory, sums, new + j - trail, lane, stride, size)
        for j in range(inputs - trail, inputs):
            sums = add_row(memory, sums, new + j, lane, stride, size)
        store(memory.arguments, layer.results_at + lane, sums * (1 / layer.divisor))


@inlined
def update_rows(memory, layer, size, old):
    """Update the first layer for the record in slot `old`."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        step = load(memory.back, old + layer.results_at + lane, size) * memory.rates[0]
        for j in range(layer.inputs):
            update_first_row(memory, layer, old + j, lane, size, step)


@inlined
def forward_rows(memory, layer, size, slot):
    """Forward a record through a layer in rows: two sums at a time, since additions wait for each other."""
    first = slot + layer.inputs_at
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        sums = others = zeros(memory.rows, size)
        for j in range(first + layer.inputs % 2, first + layer.inputs, 2):
            sums = add_row(memory, sums, j, lane, layer.stride, size)
            others = add_row(memory, others, j + 1, lane, layer.stride, size)
        if layer.inputs % 2:
            sums = add_row(memory, sums, first, lane, layer.stride, size)
        store(memory.arguments, layer.results_at + lane, (sums + others) * (1 / layer.divisor))


@inlined
def update_hidden_row(memory, layer, here, lane, error, step):
    """Update a later layer's functions of one input; returns error times rise, for each output."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, ROW), load(memory.rows, at + layer.stride, ROW)
    update_row(memory, layer, here, at, before, behind, step)
    return error * (behind - before)


@inlined
def update_hidden_rows(memory, layer, rate, slot):
    """Update a later layer for the errors of its outputs; leaves the errors of its inputs in `memory.back`."""
    first, end = slot + layer.inputs_at, slot + layer.inputs_at + layer.inputs
    spread(memory.back, first, layer.padded, 0)
    for lane in range(0, layer.width, len(ROW) * lanes(memory.rows)):
        error = load(memory.back, slot + layer.results_at + lane, ROW)
        step = error * rate
        for j in range(first, end - 3, 4):
            add_totals(
                memory.back,
                j,
                update_hidden_row(memory, layer, j, lane, error, step),
                update_hidden_row(memory, layer, j + 1, lane, error, step),
                update_hidden_row(memory, layer, j + 2, lane, error, step),
                update_hidden_row(memory, layer, j + 3, lane, error, step),
            )
        for j in range(end - layer.inputs % 4, end):
            back = total(update_hidden_row(memory, layer, j, lane, error, step))
            put(memory.back, j, number(memory.back, j) + back)
    for k in range(0, layer.padded, lanes(memory.rows)):
        scale = load(memory.scale, layer.inputs_at + k, WORDS)
        store(memory.back, first + k, load(memory.back, first + k, WORDS) * scale)
