"""Passes over records: training, equal to `sw.oracle.floating.FloatReference` within rounding, and prediction."""

from sw.engine.kernels.compiling import kernel
from sw.engine.kernels.floating.domains import grow, locate
from sw.engine.kernels.floating.memory import RECORDS, RESIDUAL, ROW, depth_of, layer_at
from sw.engine.kernels.floating.pairs import forward_pairs, interpolate, update_pairs
from sw.engine.kernels.floating.rows import forward_rows, update_and_forward_rows, update_hidden_rows, update_rows
from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import number, put, spread, store
from sw.engine.simd.rows import lanes


@inlined
def forward(memory, layers, slot, growing, margin):
    """Forward a record from the first layer's results to the network's; domains grow by `margin`, if `growing`."""
    for index in range(1, depth_of(layers)):
        layer = layer_at(layers, index)
        if growing:
            grow(memory, layer, margin)
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
    """Update all layers past the first; leaves the errors of the first layer's outputs."""
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
    """Compute the residual of each group of addends alone, its sum divided as if it were of all addends."""
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
def train(memory, layers, size, slot_size, arguments, targets, groups, margin, statistics, results):
    """Train on records: one pass.

    Parameters
    ----------
    memory
        The network, as `FloatMemory`.
    layers
        Flat array of `sw.engine.kernels.layout.Place`.
    size
        Of the first layer's rows that are worked on at a time; divides them.
    slot_size
        Numbers that are kept of a record in flight.
    arguments
        Numbers (n, features), flat, and a register more.
    targets
        Numbers (n, outputs).
    groups
        The first addend of each group that has a residual of its own, and the number of addends; without groups, only
        the number of addends.
    margin
        By how much of its new width a domain that grows exceeds the argument.
    statistics
        float64, added to: records, sum of |residual|.
    results
        Array (n, outputs) for the result of each record before its own update, or None, which is compiled apart.
    """
    count, first, last = len(targets), layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    old, new = slot_size, 0
    memory.back[old : old + slot_size] = 0
    for r in range(count):
        locate(memory, first, arguments, r * first.inputs, new)
        update_and_forward_rows(memory, first, size, old, new)
        forward(memory, layers, new, True, margin)
        for output in range(last.outputs):
            target = targets[r, output]
            if results is not None:
                results[r, output] = number(memory.arguments, last.results_at + output)
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
    """Predict the results of records.

    Parameters
    ----------
    memory, layers, size, arguments
        As `train` takes them.
    results
        Array (n, outputs) for the results.
    """
    first, last = layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    for r in range(len(results)):
        locate(memory, first, arguments, r * first.inputs, 0)
        forward_rows(memory, first, size, 0)
        forward(memory, layers, 0, False, 0.0)
        for output in range(last.outputs):
            results[r, output] = number(memory.arguments, last.results_at + output)
