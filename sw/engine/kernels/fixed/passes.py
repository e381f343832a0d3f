"""Passes over records: training, bit for bit as `sw.oracle.fixed.FixedReference.run`, and prediction."""

import numpy as np

from sw.engine.kernels.compiling import kernel
from sw.engine.kernels.fixed.arithmetic import limit_errors, locate, mean_of, rounding_shift
from sw.engine.kernels.fixed.memory import (
    CLIPS,
    RECORDS,
    RESIDUAL,
    ROW,
    WORDS,
    ZERO_STEPS,
    depth_of,
    layer_at,
)
from sw.engine.kernels.fixed.pairs import doubled, forward_pairs, opposite, show, update_pairs, weigh_pairs
from sw.engine.kernels.fixed.rows import forward_rows, update_and_forward_rows, update_hidden_rows, update_rows
from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import number, put, spread, store
from sw.engine.simd.rows import lanes
from sw.engine.simd.tuning import keep_dot_products


@inlined
def around(place, end):
    """Wrap a place in a ring that ends at `end`."""
    return place if place >= 0 else place + end


@inlined
def forward_layer(memory, layer, size, slot, fine, chance, counting, statistics):
    """Forward a record through a layer past the first; `size`: of the rows in which its inputs were stored."""
    if layer.stride > 1:
        locate(memory, layer, size, layer.stride, memory.arguments, slot + layer.inputs_at, slot, fine, chance)
        forward_rows(memory, layer, ROW, slot, counting, statistics)
    else:
        locate(memory, layer, size, 1, memory.arguments, slot + layer.inputs_at, slot, fine, chance)
        for output in range(layer.outputs):
            mean = forward_pairs(memory, layer, output, size, slot)
            result = min(max(mean, layer.lowest), layer.highest)
            if len(counting):
                statistics[CLIPS] += layer.hidden * (result != mean)
            put(memory.arguments, slot + layer.results_at + output, result)


@inlined
def forward(memory, layers, second, size, slot, fine, chance, counting, statistics):
    """Forward a record from the first layer's results to the network's."""
    if depth_of(layers) > 1:
        forward_layer(memory, second, size, slot, fine, chance, counting, statistics)
    for index in range(2, depth_of(layers)):
        forward_layer(memory, layer_at(layers, index), ROW, slot, fine, chance, counting, statistics)


@inlined
def count_step(layer, error, statistics):
    """Count the step of an error if it is zero; the first of several layers has an update shift of 0."""
    statistics[ZERO_STEPS] += -1 << layer.update_shift <= 2 * error < 1 << layer.update_shift


@inlined
def backward(memory, layer, before, size, slot, fine, limit, largest, counting, statistics):
    """Update a layer past the first; shows the layer before it, whose rows are of `size`, the errors of its outputs."""
    if layer.stride > 1:
        update_hidden_rows(memory, layer, slot, fine, limit, counting, statistics)
    else:
        update_pairs(memory, layer, size, slot, fine, limit, counting, statistics)
    limit_errors(memory, layer, slot, size, largest)
    if len(counting):
        for output in range(before.outputs):
            count_step(before, np.int64(number(memory.back, slot + before.results_at + output)), statistics)
    if before.stride == 1:
        for output in range(before.outputs):
            show(memory, before, output, np.int64(number(memory.back, slot + before.results_at + output)), slot)


@inlined
def residual_of(layer, target, result, largest, counting, statistics):
    """Compute a result's limited residual; count it and its step."""
    residual = min(max(target - result, -largest), largest)
    statistics[RESIDUAL] += abs(residual)
    if len(counting):
        count_step(layer, residual, statistics)
    return residual


@inlined
def judge_groups(memory, layer, output, target, groups, slot, largest, counting, statistics):
    """Compute the residual of each group of addends alone, its sum divided as if it were of all addends."""
    at = slot + layer.errors_at + output * layer.padded
    for k in range(0, layer.padded, lanes(memory.rows)):
        store(memory.errors, at + k, weigh_pairs(memory, layer, output, WORDS, slot, k))
    for g in range(len(groups) - 1):
        group_sum = np.int64(0)
        for k in range(groups[g], groups[g + 1]):
            group_sum += number(memory.errors, at + k)
        result = min(max(mean_of(group_sum, layer), layer.lowest), layer.highest)
        residual = residual_of(layer, target, result, largest, counting, statistics)
        step = rounding_shift(residual, layer.update_shift)
        spread(memory.errors, at + groups[g], groups[g + 1] - groups[g], opposite(memory, residual))
        spread(memory.steps, at + groups[g], groups[g + 1] - groups[g], doubled(memory, step))


@kernel
def train(
    memory, layers, size, slot_size, arguments, targets, groups, fine, words, limit, counting, statistics, results
):
    """Train on records: one pass.

    Parameters
    ----------
    memory
        The network, as `FixedMemory`.
    layers
        Flat array of `LayerFields`.
    size
        Of the first layer's rows that are worked on at a time; divides them.
    slot_size
        Numbers that are kept of a record in flight.
    arguments
        Words (n, features), flat, and a register more.
    targets
        Words (n, outputs).
    groups
        The first addend of each group that has a residual of its own, and the number of addends; without groups, only
        the number of addends.
    fine
        A size of as many numbers as the network has fine bits.
    words
        The chance word of each record, twice side by side; empty without fine bits.
    limit
        The largest word.
    counting
        A size that is not zero if saturations, clips and zero steps are to be counted.
    statistics
        int64, added to: records, sum of |residual|, saturations, clips, zero steps.
    results
        Array (n, outputs) for the result of each record before its own update, or None, which is compiled apart.
    """
    keep_dot_products()
    count, first, last = len(targets), layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    end = (first.staleness + 2) * slot_size
    second = layer_at(layers, min(1, depth_of(layers) - 1))
    largest, hidden = limit + 1 - (1 << len(fine)), depth_of(layers) > 1  # a first layer is shown steps, not errors
    memory.back[:] = 0  # errors of records before the first
    old, new = slot_size, 0  # slots of the records whose update and whose forward pass are due in the first layer
    for r in range(count + first.staleness + 1):
        for index in range(depth_of(layers) - 1, 1, -1):
            layer, before = layer_at(layers, index), layer_at(layers, index - 1)
            if 0 <= r - 1 - layer.staleness < count:
                slot = around(new - (1 + layer.staleness) * slot_size, end)
                backward(memory, layer, before, ROW, slot, fine, limit, largest, counting, statistics)
        if hidden and 0 <= r - 1 - second.staleness < count:
            slot = around(new - (1 + second.staleness) * slot_size, end)
            backward(memory, second, first, size, slot, fine, limit, largest, counting, statistics)
        if r < count:
            chance = number(words, r) if len(fine) else 0
            locate(memory, first, WORDS, first.stride, arguments, r * first.inputs, new, fine, chance)
            update_and_forward_rows(memory, first, size, old, new, fine, limit, counting, statistics)
            forward(memory, layers, second, size, new, fine, chance, counting, statistics)
            for output in range(last.outputs):
                target = np.int64(targets[r, output])
                if results is not None:
                    results[r, output] = number(memory.arguments, new + last.results_at + output)
                if len(groups) > 1:
                    judge_groups(memory, last, output, target, groups, new, largest, counting, statistics)
                else:
                    result = np.int64(number(memory.arguments, new + last.results_at + output))
                    residual = residual_of(last, target, result, largest, counting, statistics)
                    if last.stride == 1:
                        show(memory, last, output, residual, new)
                    else:
                        error = residual if hidden else rounding_shift(residual, last.update_shift)
                        put(memory.back, new + last.results_at + output, error)
        else:
            update_rows(memory, first, size, old, fine, limit, counting, statistics)
        old, new = around(old + slot_size - end, end), around(new + slot_size - end, end)
    statistics[RECORDS] += count


@kernel
def predict(memory, layers, size, arguments, results):
    """Predict the results of records.

    Parameters
    ----------
    memory, layers, size, arguments
        As `train` takes them.
    results
        Array (n, outputs) for the results.
    """
    keep_dot_products()
    first, last = layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    second = layer_at(layers, min(1, depth_of(layers) - 1))
    for r in range(len(results)):
        locate(memory, first, WORDS, first.stride, arguments, r * first.inputs, 0, (), 0)
        forward_rows(memory, first, size, 0, (), ())
        forward(memory, layers, second, size, 0, (), 0, (), ())
        for output in range(last.outputs):
            results[r, output] = number(memory.arguments, last.results_at + output)
