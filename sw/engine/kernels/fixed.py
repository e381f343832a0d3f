"""Fixed-point Newton-Kaczmarz training, compiled: the rules of `sw.spec.numerics`, record by record.

`train` is `sw.oracle.fixed.FixedReference.run` in the vocabulary of `sw.engine.simd.vectors`, bit for bit, staleness
included.

The first layer has its functions of one input side by side: a row goes over the outputs, and the place in it is found
once an input. The update of an earlier record goes through the rows together with the forward pass of the present one.
Later layers of many outputs lie in rows, too. Those of few have the nodes of a function side by side, as pairs: a row
goes over the inputs of one output (`sw.engine.kernels.layout`).
"""

from collections import namedtuple
from typing import NamedTuple

import numpy as np

from sw.engine.kernels.layout import Place
from sw.engine.simd.vectors import (
    add_totals,
    adds,
    bits,
    differing,
    inlined,
    kernel,
    lanes,
    left,
    load,
    load_pairs,
    maximum,
    minimum,
    mulr,
    narrow,
    no_sums,
    number,
    numbers,
    pair,
    put,
    right,
    spread,
    store,
    store_pairs,
    total,
    weigh,
    weighted,
    widen,
    words,
    zeros,
)
from sw.spec.numerics import LayerFormat

WORDS, WIDE = (0,), (0, 0)  # sizes: a register of words; as many wide numbers, or pairs
ROW = WORDS  # size of a later layer's rows that are worked on at a time
TRAIL = 4  # inputs by which the forward pass trails the update, so as not to wait for what that has just stored

STATISTICS = 4
RECORDS, RESIDUAL, SATURATIONS, CLIPS = range(STATISTICS)

LayerFields = namedtuple(
    "LayerFields",
    [
        *Place._fields,
        "offset_bits",
        "argument_bits",
        "bias",  # makes an argument of a result of the layer before
        "sum_shift",
        "lowest",  # result
        "highest",
        "update_shift",
        "back_shift",
        "delay",  # in records, until an update is made
        "hidden",  # 1 if the results are the arguments of another layer, else 0
    ],
)

FIELDS = (0,) * len(LayerFields._fields)


def layer_of(place: Place, form: LayerFormat, *, bias: int, delay: int, hidden: bool) -> tuple[int, ...]:
    """A layer without its rates."""
    bits, (lowest, highest) = (form.offset_bits, form.argument_bits), form.result_limits
    return LayerFields(*place, *bits, bias, form.sum_shift, lowest, highest, 0, 0, delay, hidden)


class FixedMemory(NamedTuple):
    """What a pass works on, flat arrays. Those of the second group have a slot for each record in flight.

    rows, pairs, starts: as `sw.engine.kernels.layout.Layout` has them. arguments: of each layer past the first, signed
    words.

    places: of the left node that each input is at. weights: of its two nodes, 2**offset_bits - offset and offset, in
    the low and in the high half. found: the pairs that a forward pass met, (outputs, padded), words. totals: errors
    that come back, before their limits. back: errors of a layer's inputs, and of the outputs, words. errors: of the
    outputs of a layer in pairs, as each of its inputs sees them, (outputs, padded), zero in the padding.
    """

    rows: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    arguments: np.ndarray

    places: np.ndarray
    weights: np.ndarray
    found: np.ndarray
    totals: np.ndarray
    back: np.ndarray
    errors: np.ndarray


@inlined
def depth_of(layers):
    return len(layers) // len(FIELDS)


@inlined
def layer_at(layers, index):
    """By value: so that no store of a loop could change it, as far as the compiler knows."""
    return LayerFields(*numbers(layers, index * len(FIELDS), FIELDS))


@inlined
def around(place, end):
    """The same place in a ring that ends there."""
    return place if place >= 0 else place + end


@inlined
def rounding_shift(value, bits):
    """As in `sw.spec.numerics`."""
    return (value + (1 << (bits - 1))) >> bits


@inlined
def mean_of(sums, layer):
    """A rounding shift that needs no more bits than the sums, which may fill theirs."""
    return ((sums >> (layer.sum_shift - 1)) + 1) >> 1


@inlined
def limited(value, lowest, highest):
    return maximum(minimum(value, highest), lowest)


@inlined
def fraction_of(weights, layer, word):
    """The offset as `mulr` takes it."""
    return (weights >> word) << (word - 1 - layer.offset_bits)


@inlined
def locate(memory, layer, codes, at, slot):
    """The places of a layer's arguments, and how their offsets weigh the nodes there."""
    word = bits(memory.rows)
    for k in range(0, layer.padded, lanes(memory.rows)):
        code = (widen(load(codes, at + k, WORDS)) + layer.bias) & ((1 << layer.argument_bits) - 1)
        offset = code & ((1 << layer.offset_bits) - 1)
        here = slot + layer.inputs_at + k
        starts = load(memory.starts, layer.inputs_at + k, WIDE)
        store(memory.places, here, starts + (code >> layer.offset_bits) * layer.stride)
        store(memory.weights, here, offset * ((1 << word) - 1) + (1 << layer.offset_bits))


@inlined
def update_row(memory, layer, here, at, before, behind, step, limit, counting, statistics):
    """Move both nodes of a segment, in the functions of one input."""
    change = mulr(step, fraction_of(number(memory.weights, here), layer, bits(memory.rows)))
    moved, pushed = adds(before, step - change, limit), adds(behind, change, limit)
    store(memory.rows, at, moved)
    store(memory.rows, at + layer.stride, pushed)
    if len(counting):
        statistics[SATURATIONS] += differing(moved, before + (step - change)) + differing(pushed, behind + change)


@inlined
def update_first_row(memory, layer, here, lane, size, error, limit, counting, statistics):
    """In the first layer, the step is the error itself."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + layer.stride, size)
    update_row(memory, layer, here, at, before, behind, error, limit, counting, statistics)


@inlined
def add_row(memory, sums, here, lane, stride, size):
    """The sums with one more input."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, size), load(memory.rows, at + stride, size)
    return weigh(sums, before, behind, number(memory.weights, here))


@inlined
def finish_row(memory, layer, lane, sums, counting, statistics):
    """The results of a layer in rows."""
    mean = mean_of(sums, layer)
    result = limited(mean, layer.lowest, layer.highest)
    if len(counting):
        statistics[CLIPS] += layer.hidden * differing(mean, result)
    store(memory.arguments, layer.results_at + lane, words(result))


@inlined
def update_and_forward_rows(memory, layer, size, old, new, limit, counting, statistics):
    """The first layer: the update of the record in slot `old`, and the forward pass of the one in slot `new`."""
    inputs, stride = layer.inputs, layer.stride
    trail = min(TRAIL, inputs)
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        error = load(memory.back, old + layer.results_at + lane, size)
        sums = no_sums(memory.rows, size)
        for j in range(trail):
            update_first_row(memory, layer, old + j, lane, size, error, limit, counting, statistics)
        for j in range(trail, inputs):
            update_first_row(memory, layer, old + j, lane, size, error, limit, counting, statistics)
            sums = add_row(memory, sums, new + j - trail, lane, stride, size)
        for j in range(inputs - trail, inputs):
            sums = add_row(memory, sums, new + j, lane, stride, size)
        finish_row(memory, layer, lane, sums, counting, statistics)


@inlined
def update_rows(memory, layer, size, old, limit, counting, statistics):
    """The first layer's update alone."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        error = load(memory.back, old + layer.results_at + lane, size)
        for j in range(layer.inputs):
            update_first_row(memory, layer, old + j, lane, size, error, limit, counting, statistics)


@inlined
def forward_rows(memory, layer, size, slot, counting, statistics):
    """The forward pass of a layer in rows."""
    for lane in range(0, layer.width, len(size) * lanes(memory.rows)):
        sums = no_sums(memory.rows, size)
        for j in range(slot + layer.inputs_at, slot + layer.inputs_at + layer.inputs):
            sums = add_row(memory, sums, j, lane, layer.stride, size)
        finish_row(memory, layer, lane, sums, counting, statistics)


@inlined
def update_hidden_row(memory, layer, here, lane, error, step, limit, counting, statistics):
    """Update the functions of one input of a later layer in rows; gives the errors of the outputs, shifted back."""
    at = number(memory.places, here) + lane
    before, behind = load(memory.rows, at, ROW), load(memory.rows, at + layer.stride, ROW)
    update_row(memory, layer, here, at, before, behind, step, limit, counting, statistics)
    return rounding_shift(error * (widen(behind) - widen(before)), layer.back_shift)


@inlined
def update_hidden_rows(memory, layer, slot, limit, counting, statistics):
    """Update a later layer in rows for the errors of its outputs; leaves the errors of its inputs."""
    first, end = slot + layer.inputs_at, slot + layer.inputs_at + layer.inputs
    spread(memory.totals, first, layer.padded, 0)
    for lane in range(0, layer.width, lanes(memory.rows)):
        error = widen(load(memory.back, slot + layer.results_at + lane, ROW))
        step = narrow(rounding_shift(error, layer.update_shift))
        for j in range(first, end - 3, 4):
            add_totals(
                memory.totals,
                j,
                update_hidden_row(memory, layer, j, lane, error, step, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 1, lane, error, step, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 2, lane, error, step, limit, counting, statistics),
                update_hidden_row(memory, layer, j + 3, lane, error, step, limit, counting, statistics),
            )
        for j in range(end - layer.inputs % 4, end):
            back = total(update_hidden_row(memory, layer, j, lane, error, step, limit, counting, statistics))
            put(memory.totals, j, number(memory.totals, j) + back)
    for k in range(first, first + layer.padded, lanes(memory.rows)):
        store(memory.back, k, narrow(limited(load(memory.totals, k, WIDE), -limit, limit)))


@inlined
def find_pairs(memory, layer, output, slot, k):
    """The pairs that a register of inputs of a layer in pairs is at; leaves them for the update."""
    nodes, here = layer.nodes_at + output * layer.padded * layer.nodes, slot + layer.inputs_at + k
    pairs = load_pairs(memory.pairs, nodes, memory.places, here, WIDE)
    store(memory.found, 2 * (slot + layer.errors_at + output * layer.padded + k), pairs)
    return pairs


@inlined
def weigh_pairs(memory, layer, output, slot, k):
    """What a register of inputs adds to the sum of a layer in pairs."""
    pairs = find_pairs(memory, layer, output, slot, k)
    return weighted(pairs, load(memory.weights, slot + layer.inputs_at + k, WIDE))


@inlined
def forward_pairs(memory, layer, output, slot):
    """One result of a layer in pairs, before its limits."""
    sums = zeros(memory.weights, WIDE)
    for k in range(0, layer.padded, lanes(memory.rows)):
        sums = sums + weigh_pairs(memory, layer, output, slot, k)
    return mean_of(np.int64(total(sums)), layer)


@inlined
def update_pairs(memory, layer, slot, limit, counting, statistics):
    """Update a layer in pairs for the errors of its outputs; leaves the errors of its inputs."""
    word = bits(memory.rows)
    if layer.delay:  # the pairs have changed since the forward pass
        for output in range(layer.outputs):
            for k in range(0, layer.padded, lanes(memory.rows)):
                find_pairs(memory, layer, output, slot, k)
    for k in range(0, layer.padded, lanes(memory.rows)):
        here = slot + layer.inputs_at + k
        fractions, back = fraction_of(load(memory.weights, here, WIDE), layer, word), zeros(memory.errors, WIDE)
        for output in range(layer.outputs):
            shown = slot + layer.errors_at + output * layer.padded + k
            error = load(memory.errors, shown, WIDE)
            step = rounding_shift(error, layer.update_shift)
            change = rounding_shift(step * fractions, word - 1)
            nodes = layer.nodes_at + output * layer.padded * layer.nodes
            before = load(memory.found, 2 * shown, WIDE)
            moves = pair(step - change, change)
            after = adds(before, moves, limit)
            store_pairs(memory.pairs, nodes, memory.places, here, after)
            if len(counting):
                statistics[SATURATIONS] += differing(after, before + moves)
            back = back + rounding_shift(error * (right(before) - left(before)), layer.back_shift)
        store(memory.back, here, narrow(limited(back, -limit, limit)))


@inlined
def forward(memory, layers, slot, counting, statistics):
    """The forward pass from the first layer's results to the network's."""
    for index in range(1, depth_of(layers)):
        layer = layer_at(layers, index)
        locate(memory, layer, memory.arguments, layer.inputs_at, slot)
        if layer.stride > 1:
            forward_rows(memory, layer, ROW, slot, counting, statistics)
        else:
            for output in range(layer.outputs):
                mean = forward_pairs(memory, layer, output, slot)
                result = min(max(mean, layer.lowest), layer.highest)
                if len(counting):
                    statistics[CLIPS] += layer.hidden * (result != mean)
                put(memory.arguments, layer.results_at + output, result)


@inlined
def show(memory, layer, output, error, slot):
    """Put the error of an output to where the layer's update looks for it."""
    if layer.stride > 1:
        put(memory.back, slot + layer.results_at + output, error)
    else:
        spread(memory.errors, slot + layer.errors_at + output * layer.padded, layer.inputs, error)


@inlined
def backward(memory, layers, index, slot, limit, counting, statistics):
    """The update of a layer past the first; shows the layer before the errors of its outputs."""
    layer = layer_at(layers, index)
    if layer.stride > 1:
        update_hidden_rows(memory, layer, slot, limit, counting, statistics)
    else:
        update_pairs(memory, layer, slot, limit, counting, statistics)
    before = layer_at(layers, index - 1)
    if before.stride == 1:
        for output in range(before.outputs):
            show(memory, before, output, number(memory.back, slot + before.results_at + output), slot)


@inlined
def residual_of(target, result, limit, statistics):
    residual = min(max(target - result, -limit), limit)
    statistics[RESIDUAL] += abs(residual)
    return residual


@inlined
def judge_groups(memory, layer, output, target, groups, slot, limit, statistics):
    """The residual of each group of addends alone, its sum divided as if it were all of them."""
    at = slot + layer.errors_at + output * layer.padded
    for k in range(0, layer.padded, lanes(memory.rows)):
        store(memory.errors, at + k, weigh_pairs(memory, layer, output, slot, k))
    for g in range(len(groups) - 1):
        group_sum = np.int64(0)
        for k in range(groups[g], groups[g + 1]):
            group_sum += number(memory.errors, at + k)
        result = min(max(mean_of(group_sum, layer), layer.lowest), layer.highest)
        residual = residual_of(target, result, limit, statistics)
        spread(memory.errors, at + groups[g], groups[g + 1] - groups[g], residual)


@kernel
def train(memory, layers, size, slot_size, arguments, targets, groups, limit, counting, statistics):
    """One pass over records.

    Parameters
    ----------
    memory, layers: the network, as `FixedMemory` and a flat array of `LayerFields`.
    size: of the first layer's rows that are worked on at a time; divides them.
    slot_size: numbers that are kept of a record in flight.
    arguments: words, flat, (n, features) and a register more. targets: words, (n, outputs).
    groups: the first addend of each group that has a residual of its own, and the number of addends; only that, if
    there are none.
    limit: the largest word.
    counting: a size that is not zero if saturations are to be counted.
    statistics: int64, added to: records, sum of |residual|, saturations, clips.
    """
    count, first, last = len(targets), layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    end = (first.delay + 2) * slot_size
    memory.back[:] = 0  # errors of records before the first
    old, new = slot_size, 0  # slots of the records whose update and whose forward pass are due in the first layer
    for r in range(count + first.delay + 1):
        for index in range(depth_of(layers) - 1, 0, -1):
            delay = layer_at(layers, index).delay
            if 0 <= r - 1 - delay < count:
                slot = around(new - (1 + delay) * slot_size, end)
                backward(memory, layers, index, slot, limit, counting, statistics)
        if r < count:
            locate(memory, first, arguments, r * first.inputs, new)
            update_and_forward_rows(memory, first, size, old, new, limit, counting, statistics)
            forward(memory, layers, new, counting, statistics)
            for output in range(last.outputs):
                target = np.int64(targets[r, output])
                if len(groups) > 1:
                    judge_groups(memory, last, output, target, groups, new, limit, statistics)
                else:
                    result = np.int64(number(memory.arguments, last.results_at + output))
                    show(memory, last, output, residual_of(target, result, limit, statistics), new)
        else:
            update_rows(memory, first, size, old, limit, counting, statistics)
        old, new = around(old + slot_size - end, end), around(new + slot_size - end, end)
    statistics[RECORDS] += count


@kernel
def predict(memory, layers, size, arguments, results):
    """Results (n, outputs) of records of arguments as `train` takes them."""
    first, last = layer_at(layers, 0), layer_at(layers, depth_of(layers) - 1)
    statistics = np.zeros(STATISTICS, np.int64)
    for r in range(len(results)):
        locate(memory, first, arguments, r * first.inputs, 0)
        forward_rows(memory, first, size, 0, (), statistics)
        forward(memory, layers, 0, (), statistics)
        for output in range(last.outputs):
            results[r, output] = number(memory.arguments, last.results_at + output)
