"""Loads and stores: single numbers, rows, and pairs of nodes."""

from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sw.engine.simd.compiling import inlined
from sw.engine.simd.registers import constant, has_gather, registers_of, row_from, shuffle, x86
from sw.engine.simd.rows import I32, I64, IR, Row, row_of


def pointer_to(context: Any, builder: Any, kind: types.Array, array: Any, at: Any, target: Any) -> Any:
    """Pointer to `array[at]`, as a pointer to the type `target`."""
    data = context.make_array(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [at]), target.as_pointer())


@intrinsic
def number(typing, array, at):
    """Load array[at]; `at` is not negative: Python's other meaning would cost instructions."""

    def build(context, builder, signature, arguments):
        return builder.load(pointer_to(context, builder, array, *arguments, IR[array.dtype]))

    return array.dtype(array, types.int64), build


@intrinsic
def numbers(typing, array, at, size):
    """Load array[at], array[at + 1], ...: a tuple of as many numbers as `size` has entries."""
    count = len(size)

    def build(context, builder, signature, arguments):
        start = pointer_to(context, builder, array, *arguments[:2], IR[array.dtype])
        values = [builder.load(builder.gep(start, [I64(index)])) for index in range(count)]
        return context.make_tuple(builder, signature.return_type, values)

    return types.UniTuple(array.dtype, count)(array, types.int64, size), build


@intrinsic
def put(typing, array, at, value):
    """Store array[at] = value; `at` is not negative."""

    def build(context, builder, signature, arguments):
        cast = context.cast(builder, arguments[2], value, array.dtype)
        builder.store(cast, pointer_to(context, builder, array, *arguments[:2], IR[array.dtype]))
        return context.get_dummy_value()

    return types.void(array, types.int64, value), build


def _in_register(builder: Any, pointer: Any) -> Any:
    """Have an address computed once, whatever is added to it: x86 makes more operations of addresses with an index."""
    kind = ir.FunctionType(pointer.type, [pointer.type])
    return builder.asm(kind, "", "=r,0", [pointer], side_effect=False)


def _register_pointers(context: Any, builder: Any, row: Row, array: types.Array, arguments: Sequence[Any]) -> list[Any]:
    first = pointer_to(context, builder, array, *arguments[:2], IR[array.dtype])
    if len(row.registers) > 1:
        first = _in_register(builder, first)
    return [
        builder.bitcast(builder.gep(first, [I64(start)]), register.as_pointer())
        for start, register in zip(row.starts, row.registers, strict=True)
    ]


@intrinsic
def load(typing, array, at, size):
    """Load a row from a flat array, from the place `at` on."""
    row = row_of(array.dtype, len(size))

    def build(context, builder, signature, arguments):
        pointers = _register_pointers(context, builder, row, array, arguments)
        return row_from(builder, row, [builder.load(pointer, align=array.dtype.bitwidth // 8) for pointer in pointers])

    return row(array, types.int64, size), build


@intrinsic
def store(typing, array, at, row):
    """Store a row to a flat array, from the place `at` on."""
    if row.element != array.dtype or row.folded:
        return None

    def build(context, builder, signature, arguments):
        pointers = _register_pointers(context, builder, row, array, arguments)
        for register, pointer in zip(registers_of(builder, row, arguments[2]), pointers, strict=True):
            builder.store(register, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, row), build


@intrinsic
def repeated(typing, array, at, row):
    """Fill a row of words like `row` with the two words of the wide number array[at], over and over."""

    def build(context, builder, signature, arguments):
        both = builder.load(pointer_to(context, builder, array, *arguments[:2], IR[array.dtype]))
        registers = []
        for register in row.registers:
            wide = ir.VectorType(both.type, register.count // 2)
            single = builder.insert_element(ir.Constant(wide, ir.Undefined), both, I32(0))
            registers.append(builder.bitcast(shuffle(builder, single, single, [0] * wide.count), register))
        return row_from(builder, row, registers)

    return row(array, types.int64, row), build


def _joined(element: types.Type) -> Any:
    """Type of both nodes of a pair: an integer, if there is one so long; LLVM makes poor code of vectors of two."""
    return ir.IntType(2 * element.bitwidth) if element.bitwidth <= 32 else ir.VectorType(IR[element], 2)


def _pair_pointers(context: Any, builder: Any, signature: Any, arguments: Any, row: Row) -> Iterator[Any]:
    """Pointers to pairs, made one by one, so that few places are in registers at a time."""
    array, _, at, _ = signature.args[:4]
    base = pointer_to(context, builder, array, *arguments[:2], IR[array.dtype])
    start = pointer_to(context, builder, at, *arguments[2:4], IR[at.dtype])
    target = _joined(array.dtype).as_pointer()
    for lane in range(sum(row.lanes) // 2):
        place = builder.sext(builder.load(builder.gep(start, [I64(lane)])), I64)
        yield builder.bitcast(builder.gep(base, [place]), target)


@intrinsic
def load_pairs(typing, array, base, at, first, size):
    """Load pairs from the places `base + at[first]`, `base + at[first + 1]`, ... of a flat array."""
    row = row_of(array.dtype, len(size))

    def gathered(context, builder, arguments):
        base = pointer_to(context, builder, array, *arguments[:2], ir.IntType(8))
        registers = []
        for start, register in zip(row.starts, row.registers, strict=True):
            wide = ir.VectorType(I32, register.count // 2)
            places = pointer_to(context, builder, at, arguments[2], builder.add(arguments[3], I64(start // 2)), wide)
            all_lanes = constant(ir.VectorType(ir.IntType(1), wide.count), 1)
            indices = builder.load(places, align=4)
            pairs = x86(builder, "gather", register, wide, constant(wide, 0), base, indices, all_lanes, I32(2))
            registers.append(builder.bitcast(pairs, register))
        return row_from(builder, row, registers)

    def build(context, builder, signature, arguments):
        if all(map(has_gather, row.registers)):
            return gathered(context, builder, arguments)
        pointers = _pair_pointers(context, builder, signature, arguments, row)
        pairs = [builder.load(pointer, align=array.dtype.bitwidth // 8) for pointer in pointers]
        registers = []
        for start, register in zip(row.starts, row.registers, strict=True):
            group = pairs[start // 2 : (start + register.count) // 2]
            if isinstance(group[0].type, ir.IntType):
                whole = ir.Constant(ir.VectorType(group[0].type, len(group)), ir.Undefined)
                for lane, pair in enumerate(group):
                    whole = builder.insert_element(whole, pair, I32(lane))
                registers.append(builder.bitcast(whole, register))
            else:
                while len(group) > 1:
                    both = range(2 * group[0].type.count)
                    group = [shuffle(builder, a, b, both) for a, b in zip(group[::2], group[1::2], strict=True)]
                registers += group
        return row_from(builder, row, registers)

    return row(array, types.int64, at, types.int64, size), build


@intrinsic
def store_pairs(typing, array, base, at, first, pairs):
    """Store pairs to the places `base + at[first]`, `base + at[first + 1]`, ... of a flat array."""
    if pairs.element != array.dtype:
        return None

    def build(context, builder, signature, arguments):
        joined = _joined(array.dtype)
        values = []
        for register in registers_of(builder, pairs, arguments[4]):
            count = register.type.count // 2
            if isinstance(joined, ir.IntType):
                whole = builder.bitcast(register, ir.VectorType(joined, count))
                values += [builder.extract_element(whole, I32(lane)) for lane in range(count)]
            else:
                values += [shuffle(builder, register, register, (2 * lane, 2 * lane + 1)) for lane in range(count)]
        pointers = _pair_pointers(context, builder, signature, arguments, pairs)
        for value, pointer in zip(values, pointers, strict=True):
            builder.store(value, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, at, types.int64, pairs), build


@inlined
def spread(array, at, count, value):
    """Store the same value to `count` places of a flat array, from `at` on."""
    for index in range(at, at + count):
        put(array, index, value)
