"""Rows of one kind as rows of another: words and wide numbers, pairs and their nodes, integers and floating point."""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from sw.engine.simd.registers import concatenated, map_registers, registers_of, row_from, saturate, shuffle
from sw.engine.simd.rows import WIDE, WORD, Row, row_of, size_of


def _side(is_right: bool) -> Any:
    """Operation that takes the left or the right node of floating-point pairs."""

    @intrinsic
    def side(typing, pairs):
        row = row_of(pairs.element, size_of(pairs) // 2)

        def build(context, builder, signature, arguments):
            whole = concatenated(builder, registers_of(builder, pairs, arguments[0]))
            return row_from(builder, row, [shuffle(builder, whole, whole, range(is_right, whole.type.count, 2))])

        return row(pairs), build

    return side


left, right = _side(False), _side(True)


@intrinsic
def pair(typing, a, b):
    """Join left and right nodes of floating point to pairs."""
    pairs = row_of(a.element, 2 * size_of(a))

    def build(context, builder, signature, arguments):
        x, y = (concatenated(builder, registers_of(builder, a, value)) for value in arguments)
        mixed = [place for lane in range(x.type.count) for place in (lane, x.type.count + lane)]
        slices = zip(pairs.starts, pairs.lanes, strict=True)
        return row_from(builder, pairs, [shuffle(builder, x, y, mixed[start : start + n]) for start, n in slices])

    return pairs(a, b), build


@intrinsic
def halves(typing, row):
    """Take wide numbers for pairs: the low half of each is the left word, the high half the right one."""
    pairs = row_of(WORD[row.element], size_of(row))

    def build(context, builder, signature, arguments):
        registers = zip(registers_of(builder, row, arguments[0]), pairs.registers, strict=True)
        return row_from(builder, pairs, [builder.bitcast(*each) for each in registers])

    return pairs(row), build


@intrinsic
def left_and_right(typing, a, b):
    """Take the left words of a row of pairs, and the right ones of another."""

    def build(context, builder, signature, arguments):
        def mixed(x, y):
            count = x.type.count
            return shuffle(builder, x, y, [lane + count * (lane % 2) for lane in range(count)])

        return map_registers(builder, a, mixed, *arguments)

    return a(a, b), build


@intrinsic
def widen(typing, row):
    """Convert words to wide numbers."""
    wide = row_of(WIDE[row.element], 2 * size_of(row))

    def build(context, builder, signature, arguments):
        registers, results = registers_of(builder, row, arguments[0]), []
        for start, register in zip(wide.starts, wide.registers, strict=True):
            index = next(i for i, first in enumerate(row.starts) if first <= start < first + row.lanes[i])
            places = range(start - row.starts[index], start - row.starts[index] + register.count)
            part = shuffle(builder, registers[index], registers[index], places)
            results.append(builder.sext(part, register))
        return row_from(builder, wide, results)

    return wide(row), build


def _narrowed(row: Row, convert: Callable) -> Any:
    """Word row of wide ones, and what builds it."""
    word = row_of(WORD[row.element], size_of(row) // 2)

    def build(context, builder, signature, arguments):
        registers, results = registers_of(builder, row, arguments[0]), []
        for start, register in zip(word.starts, word.registers, strict=True):
            inside = [
                r for r, first in zip(registers, row.starts, strict=True) if start <= first < start + register.count
            ]
            results.append(convert(builder, concatenated(builder, inside), register))
        return row_from(builder, word, results)

    return word(row), build


@intrinsic
def narrow(typing, row):
    """Convert wide numbers, which must fit, to words."""
    return _narrowed(row, lambda builder, wide, register: builder.trunc(wide, register))


@intrinsic
def saturated(typing, row):
    """Convert wide numbers to words: those that do not fit, to the nearest word."""
    return _narrowed(row, saturate)


_INTEGERS = {types.float32: types.int32, types.float64: types.int64}


@intrinsic
def whole(typing, a):
    """Convert floating point to integers of as many bits, rounded toward zero."""
    row = Row(_INTEGERS[a.element], a.lanes)

    def build(context, builder, signature, arguments):
        registers = zip(registers_of(builder, a, arguments[0]), row.registers, strict=True)
        return row_from(builder, row, [builder.fptosi(*register) for register in registers])

    return row(a), build


@intrinsic
def real(typing, a):
    """Convert integers to floating point of as many bits."""
    row = Row({integer: real for real, integer in _INTEGERS.items()}[a.element], a.lanes)

    def build(context, builder, signature, arguments):
        registers = zip(registers_of(builder, a, arguments[0]), row.registers, strict=True)
        return row_from(builder, row, [builder.sitofp(*register) for register in registers])

    return row(a), build
