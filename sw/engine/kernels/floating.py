"""Newton-Kaczmarz training in floating point, compiled: `sw.oracle.floating.FloatReference` within rounding.

Built as `sw.engine.kernels.fixed` is, which see. What differs: the domains of hidden functions grow, learning rates are
numbers, there are no limits, and records follow each other without delay.
"""

from typing import NamedTuple

import numpy as np

from sw.engine.kernels.layout import Place
from sw.engine.simd.vectors import (
    add_totals,
    differing,
    inlined,
    kernel,
    lanes,
    left,
    load,
    load_pairs,
    maximum,
    minimum,
    multiply_add,
    number,
    numbers,
    pair,
    put,
    real,
    right,
    spread,
    store,
    store_pairs,
    total,
    whole,
    zeros,
)
from sw.oracle.floating import DOMAIN_MARGIN

WORDS, PAIRS = (0,), (0, 0)  # sizes: a register of numbers; as many pairs
ROW = (0, 0)  # size of a later layer's rows that are worked on at a time
TRAIL = 2  # inputs by which the forward pass trails the update, so as not to wait for what that has just stored

RECORDS, RESIDUAL = range(2)  # places in the statistics
STATISTICS = 2

FIELDS = (0,) * len(Place._fields)


class FloatMemory(NamedTuple):
    """What a pass works on, flat arrays. Those of the second group have a slot for this record and the one before.

    rows, pairs, starts: as `sw.engine.kernels.layout.Layout` has them. rates: the learning rate of each layer.
    arguments, low, high, scale: of the inputs of all layers; the limits of their domains, and segments to the unit.

    places: of the left node that each input is at. offsets: inside the segment. remainders: to its
    end. found: the pairs that a
    forward pass met, (outputs, padded). back: errors of a layer's inputs, and of the outputs. errors: of the outputs of
    a layer in pairs, as each of its inputs sees them, (outputs, padded), zero in the padding.
    """

    rows: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    rates: np.ndarray
    arguments: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    places: np.ndarray
    offsets: np.ndarray
    remainders: np.ndarray
    found: np.ndarray
    back: np.ndarray
    errors: np.ndarray


@inlined
def depth_of(layers):
    return len(layers) // len(FIELDS)


@inlined
def layer_at(layers, index):
    """By value: so that no store of a loop could change it, as far as the compiler knows."""
    return Place(*numbers(layers, index * len(FIELDS), FIELDS))


@inlined
def locate(memory, layer, arguments, at, slot):
    """The places of a layer's arguments, and their offsets inside the segments; arguments outside count as at the
    end."""
    segments, ones = layer.nodes - 1, zeros(memory.offsets, WORDS) + 1
    for k in range(0, layer.padded, lanes(memory.rows)):
        here = layer.inputs_at + k
        scaled = (load(arguments, at + k, WORDS) - load(memory.low, here, WORDS)) * load(memory.scale, here, WORDS)
        position = maximum(minimum(scaled, segments), 0)
        segment = minimum(whole(position), segments - 1)
        store(memory.places, slot + here, load(memory.starts, here, WORDS) + segment * layer.stride)
        offset = position - real(segment)
        store(memory.offsets, slot + here, offset)
        store(memory.remainders, slot + here, ones - offset)


@inlined
def grow(memory, layer):
    """Widen the domains of the arguments that have left theirs."""
    outside = 0
    for k in range(layer.inputs_at, layer.inputs_at + layer.padded, lanes(memory.rows)):
        x = load(memory.arguments, k, WORDS)
        inside = maximum(minimum(x, load(memory.high, k, WORDS)), load(memory.low, k, WORDS))
        outside += differing(x, inside)
    if outside:
        for k in range(layer.inputs_at, layer.inputs_at + layer.inputs):
            x = memory.arguments[k]
            low, high = min(memory.low[k], x), max(memory.high[k], x)
            margin = memory.low.dtype.type(DOMAIN_MARGIN) * (high - low)
            if x < memory.low[k]:
                memory.low[k] = low - margin
            if x > memory.high[k]:
                memory.high[k] = high + margin
            memory.scale[k] = (layer.nodes - 1) / (memory.high[k] - memory.low[k])


@inlined
def update_row(memory, layer, here, at, before, behind, step):
    """Move both nodes of a segment, in the functions of one input."""
    store(memory.rows, at, multiply_add(step, number(memory.remainders, here), before))
    store(memory.rows, at + layer.stride, multiply_add(step, number(memory.offsets, here), behind))


@inlined
def update_first_row(memory, layer, here, lane, size, step):
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + layer.stride, size)
    update_row(memory, layer, here, at, before, behind, step)


@inlined
def add_row(memory, sums, here, lane, stride, size):
    """The sums with one more input."""
    at = number(memory.places, here) + lane
    sums = multiply_add(load(memory.rows, at, size), number(memory.remainders, here), sums)
    return multiply_add(load(memory.rows, at + stride, size), number(memory.offsets, here), sums)


@inlined
def update_and_forward_rows(memory, layer, size, old, new):
    """The first layer: the update of the record in slot `old`, and the forward pass of the one in slot `new`."""
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
    """The first layer's update alone."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        step = load(memory.back, old + layer.results_at + lane, size) * memory.rates[0]
        for j in range(layer.inputs):
            update_first_row(memory, layer, old + j, lane, size, step)


@inlined
def forward_rows(memory, layer, size, slot):
    """The forward pass of a layer in rows. Two sums at a time, since each addition waits for the one before."""
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
    """Update the functions of one input of a later layer in rows; gives error times rise, for each output."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, ROW), load(memory.rows, at + layer.stride, ROW)
    update_row(memory, layer, here, at, before, behind, step)
    return error * (behind - before)


@inlined
def update_hidden_rows(memory, layer, rate, slot):
    """Update a later layer in rows for the errors of its outputs; leaves the errors of its inputs."""
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


@inlined
def interpolate(memory, layer, output, slot, k):
    """A register of functions of one output, in pairs; leaves the pairs for the update."""
    nodes, here = layer.nodes_at + output * layer.padded * layer.nodes, slot + layer.inputs_at + k
    pairs = load_pairs(memory.pairs, nodes, memory.places, here, PAIRS)
    store(memory.found, 2 * (slot + layer.errors_at + output * layer.padded + k), pairs)
    return multiply_add(right(pairs) - left(pairs), load(memory.offsets, here, WORDS), left(pairs))


@inlined
def forward_pairs(memory, layer, output, slot):
    """One result of a layer in pairs."""
    sums = zeros(memory.offsets, WORDS)
    for k in range(0, layer.padded, lanes(memory.rows)):
        sums = sums + interpolate(memory, layer, output, slot, k)
    return total(sums) / layer.divisor


@inlined
def update_pairs(memory, layer, rate, slot):
    """Update a layer in pairs for the errors of its outputs; leaves the errors of its inputs."""
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


@inlined
def forward(memory, layers, slot, growing):
    """The forward pass from the first layer's results to the network's."""
    for index in range(1, depth_of(layers)):
        layer = layer_at(layers, index)
        if growing:
            grow(memory, layer)
        locate(memory, layer, memory.arguments, layer.inputs_at, slot)
        if layer.stride > 1:
            forward_rows(memory, layer, ROW, slot)
        else:
            for output in range(layer.outputs):
                put(memory.arguments, layer.results_at + output, forward_pairs(memory, layer, output, slot))


@inlined
def show(memory, layer, output, error, slot):
    """Put the error of an output to where the layer's update looks for it."""
    if layer.stride > 1:
        put(memory.back, slot + layer.results_at + output, error)
    else:
        spread(memory.errors, slot + layer.errors_at + output * layer.padded, layer.inputs, error)


@inlined
def backward(memory, layers, slot):
    """The updates of all layers past the first; leaves the errors of the first layer's outputs."""
    for index in range(depth_of(layers) - 1, 0, -1):
        layer = layer_at(layers, index)
        if layer.stride > 1:
            update_hidden_rows(memory, layer, memory.rates[index], slot)
        else:
            update_pairs(memory, layer, memory.rates[index], slot)
        before = layer_at(layers, index - 1)
        if before.stride == 1:
            for output in range(before.outputs):
                show(memory, before, output, number(memory.back, slot + before.results_at + output), slot)


@inlined
def judge_groups(memory, layer, output, target, groups, slot, statistics):
    """The residual of each group of addends alone, its sum divided as if it were all of them."""
    at = slot + layer.errors_at + output * layer.padded
    for k in range(0, layer.padded, lanes(memory.rows)):
        store(memory.errors, at + k, interpolate(memory, layer, output, slot, k))
    for g in range(len(groups) - 1):
        group_sum = memory.errors.dtype.type(0)
        for k in range(groups[g], groups[g + 1]):
            group_sum += number(memory.errors, at + k)
        residual = target - group_sum / layer.divisor
        statistics[RESIDUAL] += abs(residual)
        spread(memory.errors, at + groups[g], groups[g + 1] - groups[g], residual)


@kernel
def train(memory, layers, size, slot_size, arguments, targets, groups, statistics):
    """One pass over records.

    Parameters
    ----------
    memory, layers: the network, as `FloatMemory` and a flat array of `sw.engine.kernels.layout.Place`.
    size: of the first layer's rows that are worked on at a time; divides them.
    slot_size: numbers that are kept of a record.
    arguments: flat, (n, features) and a register more. targets: (n, outputs).
    groups: the first addend of each group that has a residual of its own, and the number of addends; only that, if
    there are none.
    statistics: float64, added to: records, sum of |residual|.
    """
    count, first, last = len(targets), layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    old, new = slot_size, 0
    memory.back[old : old + slot_size] = 0
    for r in range(count):
        locate(memory, first, arguments, r * first.inputs, new)
        update_and_forward_rows(memory, first, size, old, new)
        forward(memory, layers, new, True)
        for output in range(last.outputs):
            target = targets[r, output]
            if len(groups) > 1:
                judge_groups(memory, last, output, target, groups, new, statistics)
            else:
                residual = target - number(memory.arguments, last.results_at + output)
                statistics[RESIDUAL] += abs(residual)
                show(memory, last, output, residual, new)
        backward(memory, layers, new)
        old, new = new, old
    update_rows(memory, first, size, old)
    statistics[RECORDS] += count


@kernel
def predict(memory, layers, size, arguments, results):
    """Results (n, outputs) of records of arguments as `train` takes them."""
    first, last = layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    for r in range(len(results)):
        locate(memory, first, arguments, r * first.inputs, 0)
        forward_rows(memory, first, size, 0)
        forward(memory, layers, 0, False)
        for output in range(last.outputs):
            results[r, output] = number(memory.arguments, last.results_at + output)
