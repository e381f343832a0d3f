"""Sums: exact weighted sums of words, and sums over all lanes of a row."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sw.engine.simd.memory import pointer_to
from sw.engine.simd.registers import (
    call,
    concatenated,
    constant,
    fill,
    is_x86_word,
    map_registers,
    registers_of,
    row_from,
    saturate,
    shuffle,
    x86,
)
from sw.engine.simd.rows import I32, I64, WIDE, WORD, Row, row_of


@intrinsic
def no_sums(typing, array, size):
    """Start sums at zero, one for each lane of a row of words."""
    row = row_of(array.dtype, len(size))
    sums = Row(WIDE[row.element], tuple(lanes // 2 for lanes in row.lanes for _ in range(2)), folded=True)
    return sums(array, size), lambda context, builder, signature, arguments: ir.Constant(sums.value, None)


def _halves(register: ir.VectorType) -> tuple[Sequence[int], Sequence[int]]:
    """Lanes of a register of words whose sums are in the first and in the second register of sums."""
    if is_x86_word(register):  # which interleaves, and packs, eight words at a time
        places = [range(start, start + 4) for start in range(0, register.count, 4)]
        return [lane for part in places[::2] for lane in part], [lane for part in places[1::2] for lane in part]
    return range(register.count // 2), range(register.count // 2, register.count)


def _weighted_pairs(builder: Any, pairs: Any, weights: Any) -> Any:
    """Left * low half + right * high half, of a register of pairs and a register of weights."""
    wide = weights.type
    if is_x86_word(pairs.type):
        return x86(builder, "weigh", pairs.type, wide, pairs, builder.bitcast(weights, pairs.type))
    half = constant(wide, wide.element.width // 2)
    pairs = builder.bitcast(pairs, wide)
    high = builder.mul(builder.ashr(pairs, half), builder.ashr(weights, half))
    low = (builder.ashr(builder.shl(value, half), half) for value in (pairs, weights))
    return builder.add(builder.mul(*low), high)


@intrinsic
def weigh(typing, sums, a, b, weight):
    """Add a * (low half of weight) + b * (high half of weight) to sums, exact."""

    def build(context, builder, signature, arguments):
        before, weights = registers_of(builder, sums, arguments[0]), fill(context, builder, sums, weight, arguments[3])
        after: list[Any] = []
        for x, y in zip(*(registers_of(builder, a, value) for value in arguments[1:3]), strict=True):
            for half in _halves(x.type):
                mixed = [place for lane in half for place in (lane, x.type.count + lane)]
                factor = builder.extract_value(weights, len(after))
                exact = _weighted_pairs(builder, shuffle(builder, x, y, mixed), factor)
                after.append(builder.add(before[len(after)], exact))
        return row_from(builder, sums, after)

    return sums(sums, a, b, weight), build


@intrinsic
def saturated_sums(typing, sums):
    """Convert sums to a row of words: those that do not fit, to the nearest word."""
    row = Row(WORD[sums.element], tuple(2 * lanes for lanes in sums.lanes[::2]))

    def build(context, builder, signature, arguments):
        registers = registers_of(builder, sums, arguments[0])

        def joined(low, high, register):
            if is_x86_word(register):
                return x86(builder, "pack", register, register, low, high)
            return saturate(builder, concatenated(builder, (low, high)), register)

        return row_from(builder, row, map(joined, registers[::2], registers[1::2], row.registers))

    return row(sums), build


@intrinsic
def weighted(typing, pairs, weights):
    """Weigh pairs: left * (low half of weight) + right * (high half of weight), exact."""

    def build(context, builder, signature, arguments):
        return map_registers(builder, weights, lambda x, w: _weighted_pairs(builder, x, w), *arguments)

    return weights(pairs, weights), build


def _narrowed(builder: Any, add: Callable, registers: Sequence[Any], lanes: int) -> Any:
    """Add registers, halves onto halves down to so many lanes: a fixed order, for floating point."""
    result = registers[0]
    for register in registers[1:]:
        while result.type.count > register.type.count:
            result = _fold(builder, add, result)
        result = add(result, register)
    while result.type.count > lanes:
        result = _fold(builder, add, result)
    return result


def _fold(builder: Any, add: Callable, register: Any) -> Any:
    """Add the first half of a register's lanes to the second."""
    half = register.type.count // 2
    halves = range(half), range(half, 2 * half)
    return add(*(shuffle(builder, register, register, places) for places in halves))


@intrinsic
def total(typing, row):
    """Add all lanes of a row."""

    def build(context, builder, signature, arguments):
        add = builder.fadd if row.is_float else builder.add
        return builder.extract_element(_narrowed(builder, add, registers_of(builder, row, arguments[0]), 1), I32(0))

    return row.element(row), build


@intrinsic
def add_totals(typing, array, at, a, b, c, d):
    """Add the sums over all lanes of each of four rows to array[at : at + 4]."""

    def build(context, builder, signature, arguments):
        add = builder.fadd if a.is_float else builder.add
        w, x, y, z = (_narrowed(builder, add, registers_of(builder, a, value), 4) for value in arguments[2:])
        halves = [
            add(shuffle(builder, low, high, (0, 1, 4, 5)), shuffle(builder, low, high, (2, 3, 6, 7)))
            for low, high in ((w, x), (y, z))
        ]
        sums = add(shuffle(builder, *halves, (0, 2, 4, 6)), shuffle(builder, *halves, (1, 3, 5, 7)))
        pointer = pointer_to(context, builder, array, *arguments[:2], sums.type)
        align = array.dtype.bitwidth // 8
        builder.store(add(builder.load(pointer, align=align), sums), pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, types.int64, a, a, a, a), build


@intrinsic
def differing(typing, a, b):
    """Count the lanes in which two rows differ."""

    def build(context, builder, signature, arguments):
        count = I64(0)
        for x, y in zip(*(registers_of(builder, a, value) for value in arguments), strict=True):
            unequal = builder.fcmp_unordered("!=", x, y) if a.is_float else builder.icmp_signed("!=", x, y)
            flags = builder.bitcast(unequal, ir.IntType(x.type.count))
            ones = call(builder, f"llvm.ctpop.i{x.type.count}", flags.type, flags)
            count = builder.add(count, builder.zext(ones, I64))
        return count

    return types.int64(a, a), build
