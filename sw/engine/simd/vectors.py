"""The vector vocabulary that the kernels are written in.

A *row* is a run of numbers of one type, held in registers. Its length is a whole number of registers of
`REGISTER_BYTES`, given by a *size*: a tuple of so many zeros, since the length of a tuple is part of its type and so
known to the compiler. What is done to rows becomes vector instructions of whatever processor compiles it. All of it is
generic LLVM, but for the three operations that x86 has one instruction for and LLVM does not find it.

Nodes are *words*: int16, int32 or floating point. Sums and other exact results are *wide*, twice as many bits; floating
point is as wide as it is. A *pair* is a function's left and right node, two words side by side.

    number, numbers          one number of a flat array; several, as a tuple
    put, spread              one number into a flat array; the same number into several places
    load, store              a row from and to a flat array
    load_pairs, store_pairs  pairs from and to the places `base + at[first]`, `base + at[first + 1]`, ... of one
    zeros                    a row of zeros, of an array's numbers
    left, right, pair        the nodes of pairs, wide; the pairs of two wide rows whose numbers fit in words
    widen, narrow            words as wide numbers; wide numbers that fit, as words
    + - * << >> & minimum maximum    lane by lane; a number on the right counts for all lanes
    multiply_add(a, b, c)    a * b + c
    whole, real              floating point as integers of as many bits, cut; and back
    adds(a, b, limit)        a + b, saturated to -limit - 1 .. limit; int16 always to its whole range
    mulr(a, fraction)        a * fraction, rounded; a fraction has the bits of a word less the sign
    no_sums(array, size)     sums of nothing, one for each lane of a row of words
    weigh(sums, a, b, w)     sums + a * (low half of w) + b * (high half of w), exact
    words(sums)              sums that fit, as a row of words
    weighted(pairs, w)       left * (low half of w) + right * (high half of w), exact
    total, add_totals        the sum of all lanes; those of four rows, added to four numbers of a flat array
    differing                in how many lanes two rows differ
    bits, lanes              of an array's numbers; how many of them a register holds
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.registry import cpu_target
from numba.extending import intrinsic, overload, register_model

REGISTER_BYTES = 32

WIDE = {types.int16: types.int32, types.int32: types.int64, types.float32: types.float32, types.float64: types.float64}

_IR = {
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.int64: ir.IntType(64),
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
}
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _has(feature: str) -> bool:
    return f"+{feature}" in cpu_target.target_context.codegen()._tm_features


class Row(types.Type):
    """Registers of so many `lanes` each.

    `folded`: sums of words, two registers for each of theirs; which lanes they hold, `_halves` tells.
    """

    def __init__(self, element: types.Type, lanes: tuple[int, ...], folded: bool = False):
        self.element, self.lanes, self.folded = element, lanes, folded
        super().__init__(f"Row({element}, {lanes}, {folded})")

    @property
    def is_float(self) -> bool:
        return isinstance(self.element, types.Float)

    @property
    def registers(self) -> list[ir.VectorType]:
        return [ir.VectorType(_IR[self.element], lanes) for lanes in self.lanes]

    @property
    def value(self) -> ir.LiteralStructType:
        return ir.LiteralStructType(self.registers)

    @property
    def starts(self) -> list[int]:
        """The first lane of each register."""
        return [sum(self.lanes[:index]) for index in range(len(self.lanes))]


@register_model(Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, row: Row):
        super().__init__(manager, row, row.value)


def row_of(element: types.Type, size: int) -> Row:
    """The row of `size` registers; those of processors with registers of twice the length are two in one."""
    lanes = REGISTER_BYTES * 8 // element.bitwidth
    double = size // 2 if _has("avx512bw") else 0
    return Row(element, (2 * lanes,) * double + (lanes,) * (size - 2 * double))


def size_of(row: Row) -> int:
    return sum(row.lanes) * row.element.bitwidth // (8 * REGISTER_BYTES)


def bits(array: Any) -> int:
    return 8 * array.itemsize


def lanes(array: Any) -> int:
    return REGISTER_BYTES // array.itemsize


@overload(bits)
def _bits(array):
    constant = array.dtype.bitwidth
    return lambda array: constant


@overload(lanes)
def _lanes(array):
    constant = REGISTER_BYTES * 8 // array.dtype.bitwidth
    return lambda array: constant


def _split(builder: Any, row: Row, value: Any) -> list[Any]:
    return [builder.extract_value(value, index) for index in range(len(row.lanes))]


def _join(builder: Any, row: Row, registers: Iterable[Any]) -> Any:
    value = ir.Constant(row.value, ir.Undefined)
    for index, register in enumerate(registers):
        value = builder.insert_value(value, register, index)
    return value


def _each(builder: Any, row: Row, make: Callable[..., Any], *rows: Any) -> Any:
    """A row, each register of it made from the registers of others in the same place."""
    parts = zip(*([builder.extract_value(other, i) for i in range(len(row.lanes))] for other in rows), strict=True)
    return _join(builder, row, (make(*registers) for registers in parts))


def _shuffle(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """Lanes of a and then b, by number."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(places)), list(places)))


def _fill(context: Any, builder: Any, row: Row, kind: types.Type, number: Any) -> Any:
    """A row with a number in each lane."""
    number = context.cast(builder, number, kind, row.element)
    filled = []
    for register in row.registers:
        single = builder.insert_element(ir.Constant(register, ir.Undefined), number, _I32(0))
        filled.append(_shuffle(builder, single, single, [0] * register.count))
    return _join(builder, row, filled)


def _constant(register: ir.VectorType, number: int) -> ir.Constant:
    return ir.Constant(register, [number] * register.count)


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    module = builder.module
    if name not in module.globals:
        ir.Function(module, ir.FunctionType(result, [argument.type for argument in arguments]), name)
    return builder.call(module.globals[name], arguments)


def _generic(builder: Any, name: str, *arguments: Any) -> Any:
    """LLVM's own operation on vectors, of the type of its arguments."""
    kind = arguments[0].type
    element = {"float": "f32", "double": "f64"}.get(str(kind.element), str(kind.element))
    return _call(builder, f"llvm.{name}.v{kind.count}{element}", kind, *arguments)


_X86 = {  # of registers of 16-bit words, by their lanes
    "mulr": {16: "avx2.pmul.hr.sw", 32: "avx512.pmul.hr.sw.512"},
    "weigh": {16: "avx2.pmadd.wd", 32: "avx512.pmaddw.d.512"},
    "pack": {16: "avx2.packssdw", 32: "avx512.packssdw.512"},
}


def _x86(builder: Any, operation: str, words: ir.VectorType, result: Any, *arguments: Any) -> Any:
    return _call(builder, f"llvm.x86.{_X86[operation][words.count]}", result, *arguments)


def _is_x86_word(register: ir.VectorType) -> bool:
    return register.element == ir.IntType(16) and _has("avx2")


# Memory


def _pointer(context: Any, builder: Any, kind: types.Array, array: Any, at: Any, target: Any) -> Any:
    data = context.make_array(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [at]), target.as_pointer())


@intrinsic
def number(typing, array, at):
    """array[at], for an `at` that is not negative: Python's other meaning would cost instructions."""

    def build(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, array, *arguments, _IR[array.dtype]))

    return array.dtype(array, types.int64), build


@intrinsic
def numbers(typing, array, at, size):
    """array[at], array[at + 1], ...: a tuple of as many as `size` has entries."""
    count = len(size)

    def build(context, builder, signature, arguments):
        start = _pointer(context, builder, array, *arguments[:2], _IR[array.dtype])
        values = [builder.load(builder.gep(start, [_I64(index)])) for index in range(count)]
        return context.make_tuple(builder, signature.return_type, values)

    return types.UniTuple(array.dtype, count)(array, types.int64, size), build


@intrinsic
def put(typing, array, at, value):
    """array[at] = value, likewise."""

    def build(context, builder, signature, arguments):
        cast = context.cast(builder, arguments[2], value, array.dtype)
        builder.store(cast, _pointer(context, builder, array, *arguments[:2], _IR[array.dtype]))
        return context.get_dummy_value()

    return types.void(array, types.int64, value), build


def _register_pointers(context: Any, builder: Any, row: Row, array: types.Array, arguments: Sequence[Any]) -> list[Any]:
    value, at = arguments[:2]
    return [
        _pointer(context, builder, array, value, builder.add(at, _I64(start)), register)
        for start, register in zip(row.starts, row.registers, strict=True)
    ]


@intrinsic
def load(typing, array, at, size):
    row = row_of(array.dtype, len(size))

    def build(context, builder, signature, arguments):
        pointers = _register_pointers(context, builder, row, array, arguments)
        return _join(builder, row, [builder.load(pointer, align=array.dtype.bitwidth // 8) for pointer in pointers])

    return row(array, types.int64, size), build


@intrinsic
def store(typing, array, at, row):
    if row.element != array.dtype or row.folded:
        return None

    def build(context, builder, signature, arguments):
        pointers = _register_pointers(context, builder, row, array, arguments)
        for register, pointer in zip(_split(builder, row, arguments[2]), pointers, strict=True):
            builder.store(register, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, row), build


def _joined(element: types.Type) -> Any:
    """Both nodes of a pair at once: an integer, where there is one so long; LLVM makes poor code of vectors of two."""
    return ir.IntType(2 * element.bitwidth) if element.bitwidth <= 32 else ir.VectorType(_IR[element], 2)


def _pair_pointers(context: Any, builder: Any, signature: Any, arguments: Any, row: Row) -> Iterator[Any]:
    """Where each pair lies; made one by one, so that no more places than needed are in registers at a time."""
    array, _, at, _ = signature.args[:4]
    base = _pointer(context, builder, array, *arguments[:2], _IR[array.dtype])
    start = _pointer(context, builder, at, *arguments[2:4], _IR[at.dtype])
    target = _joined(array.dtype).as_pointer()
    for lane in range(sum(row.lanes) // 2):
        place = builder.sext(builder.load(builder.gep(start, [_I64(lane)])), _I64)
        yield builder.bitcast(builder.gep(base, [place]), target)


@intrinsic
def load_pairs(typing, array, base, at, first, size):
    row = row_of(array.dtype, len(size))

    def build(context, builder, signature, arguments):
        pointers = _pair_pointers(context, builder, signature, arguments, row)
        pairs = [builder.load(pointer, align=array.dtype.bitwidth // 8) for pointer in pointers]
        registers = []
        for start, register in zip(row.starts, row.registers, strict=True):
            group = pairs[start // 2 : (start + register.count) // 2]
            if isinstance(group[0].type, ir.IntType):
                whole = ir.Constant(ir.VectorType(group[0].type, len(group)), ir.Undefined)
                for lane, pair in enumerate(group):
                    whole = builder.insert_element(whole, pair, _I32(lane))
                registers.append(builder.bitcast(whole, register))
            else:
                while len(group) > 1:
                    both = range(2 * group[0].type.count)
                    group = [_shuffle(builder, a, b, both) for a, b in zip(group[::2], group[1::2], strict=True)]
                registers += group
        return _join(builder, row, registers)

    return row(array, types.int64, at, types.int64, size), build


@intrinsic
def store_pairs(typing, array, base, at, first, pairs):
    if pairs.element != array.dtype:
        return None

    def build(context, builder, signature, arguments):
        joined = _joined(array.dtype)
        values = []
        for register in _split(builder, pairs, arguments[4]):
            count = register.type.count // 2
            if isinstance(joined, ir.IntType):
                whole = builder.bitcast(register, ir.VectorType(joined, count))
                values += [builder.extract_element(whole, _I32(lane)) for lane in range(count)]
            else:
                values += [_shuffle(builder, register, register, (2 * lane, 2 * lane + 1)) for lane in range(count)]
        pointers = _pair_pointers(context, builder, signature, arguments, pairs)
        for value, pointer in zip(values, pointers, strict=True):
            builder.store(value, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, at, types.int64, pairs), build


# From one kind of row to another


@intrinsic
def zeros(typing, array, size):
    row = row_of(array.dtype, len(size))
    return row(array, size), lambda context, builder, signature, arguments: ir.Constant(row.value, None)


def _whole(builder: Any, registers: Sequence[Any]) -> Any:
    """One register of one or two."""
    return registers[0] if len(registers) == 1 else _shuffle(builder, *registers, range(2 * registers[0].type.count))


def _side(is_right: bool) -> Any:
    @intrinsic
    def side(typing, pairs):
        row = row_of(WIDE[pairs.element], size_of(pairs) // (2 if pairs.is_float else 1))

        def build(context, builder, signature, arguments):
            registers = _split(builder, pairs, arguments[0])
            if pairs.is_float:
                whole = _whole(builder, registers)
                return _join(builder, row, [_shuffle(builder, whole, whole, range(is_right, whole.type.count, 2))])

            def half(register, wide):
                bits = _constant(wide, pairs.element.bitwidth)
                joined = builder.bitcast(register, wide)
                return builder.ashr(joined if is_right else builder.shl(joined, bits), bits)

            return _join(builder, row, map(half, registers, row.registers))

        return row(pairs), build

    return side


left, right = _side(False), _side(True)


@intrinsic
def pair(typing, a, b):
    element = {wide: word for word, wide in WIDE.items()}[a.element]
    pairs = row_of(element, size_of(a) * (2 if a.is_float else 1))

    def build(context, builder, signature, arguments):
        if a.is_float:
            x, y = (_whole(builder, _split(builder, a, value)) for value in arguments)
            mixed = [place for lane in range(x.type.count) for place in (lane, x.type.count + lane)]
            slices = zip(pairs.starts, pairs.lanes, strict=True)
            return _join(builder, pairs, [_shuffle(builder, x, y, mixed[start : start + n]) for start, n in slices])

        def both(x, y):
            low = builder.and_(x, _constant(x.type, (1 << element.bitwidth) - 1))
            return builder.or_(low, builder.shl(y, _constant(x.type, element.bitwidth)))

        joined = map(both, *(_split(builder, a, value) for value in arguments))
        return _join(builder, pairs, map(builder.bitcast, joined, pairs.registers))

    return pairs(a, b), build


@intrinsic
def widen(typing, row):
    wide = row_of(WIDE[row.element], 2 * size_of(row))

    def build(context, builder, signature, arguments):
        registers, results = _split(builder, row, arguments[0]), []
        for start, register in zip(wide.starts, wide.registers, strict=True):
            index = next(i for i, first in enumerate(row.starts) if first <= start < first + row.lanes[i])
            places = range(start - row.starts[index], start - row.starts[index] + register.count)
            part = _shuffle(builder, registers[index], registers[index], places)
            results.append(builder.sext(part, register))
        return _join(builder, wide, results)

    return wide(row), build


@intrinsic
def narrow(typing, row):
    element = {types.int32: types.int16, types.int64: types.int32}[row.element]
    word = row_of(element, size_of(row) // 2)

    def build(context, builder, signature, arguments):
        registers, results = _split(builder, row, arguments[0]), []
        for start, register in zip(word.starts, word.registers, strict=True):
            inside = [
                r for r, first in zip(registers, row.starts, strict=True) if start <= first < start + register.count
            ]
            results.append(builder.trunc(_whole(builder, inside), register))
        return _join(builder, word, results)

    return word(row), build


# Lane by lane


def minimum(a: Any, b: Any) -> Any:
    raise NotImplementedError("for kernels")


def maximum(a: Any, b: Any) -> Any:
    raise NotImplementedError("for kernels")


def _lanewise(function: Callable, integer: Callable, floating: Callable | None = None) -> None:
    @intrinsic
    def operation(typing, a, b):
        def build(context, builder, signature, arguments):
            x, y = arguments
            if not isinstance(b, Row):
                y = _fill(context, builder, a, b, y)
            return _each(builder, a, lambda x, y: (floating if a.is_float else integer)(builder, x, y), x, y)

        return a(a, b), build

    def accept(a, b):
        if isinstance(a, Row) and (a == b or isinstance(b, types.Number)):
            return lambda a, b: operation(a, b)
        return None

    overload(function)(accept)


_lanewise(operator.add, lambda builder, x, y: builder.add(x, y), lambda builder, x, y: builder.fadd(x, y))
_lanewise(operator.sub, lambda builder, x, y: builder.sub(x, y), lambda builder, x, y: builder.fsub(x, y))
_lanewise(operator.mul, lambda builder, x, y: builder.mul(x, y), lambda builder, x, y: builder.fmul(x, y))
_lanewise(operator.lshift, lambda builder, x, y: builder.shl(x, y))
_lanewise(operator.rshift, lambda builder, x, y: builder.ashr(x, y))
_lanewise(operator.and_, lambda builder, x, y: builder.and_(x, y))
_lanewise(
    minimum,
    lambda builder, x, y: _generic(builder, "smin", x, y),
    lambda builder, x, y: _generic(builder, "minnum", x, y),
)
_lanewise(
    maximum,
    lambda builder, x, y: _generic(builder, "smax", x, y),
    lambda builder, x, y: _generic(builder, "maxnum", x, y),
)


@intrinsic
def multiply_add(typing, a, b, c):
    def build(context, builder, signature, arguments):
        x, y, z = arguments
        if not isinstance(b, Row):
            y = _fill(context, builder, a, b, y)
        return _each(builder, a, lambda x, y, z: _generic(builder, "fmuladd", x, y, z), x, y, z)

    return a(a, b, c), build


_INTEGERS = {types.float32: types.int32, types.float64: types.int64}


@intrinsic
def whole(typing, a):
    row = Row(_INTEGERS[a.element], a.lanes)

    def build(context, builder, signature, arguments):
        registers = zip(_split(builder, a, arguments[0]), row.registers, strict=True)
        return _join(builder, row, [builder.fptosi(*register) for register in registers])

    return row(a), build


@intrinsic
def real(typing, a):
    row = Row({integer: real for real, integer in _INTEGERS.items()}[a.element], a.lanes)

    def build(context, builder, signature, arguments):
        registers = zip(_split(builder, a, arguments[0]), row.registers, strict=True)
        return _join(builder, row, [builder.sitofp(*register) for register in registers])

    return row(a), build


@intrinsic
def adds(typing, a, b, limit):
    def build(context, builder, signature, arguments):
        x, y, high = arguments
        if a.element == types.int16:
            return _each(builder, a, lambda x, y: _generic(builder, "sadd.sat", x, y), x, y)

        def clamped(x, y, high):
            return _generic(builder, "smax", _generic(builder, "smin", builder.add(x, y), high), builder.not_(high))

        return _each(builder, a, clamped, x, y, _fill(context, builder, a, limit, high))

    return a(a, b, limit), build


@intrinsic
def mulr(typing, a, fraction):
    def build(context, builder, signature, arguments):
        bits = a.element.bitwidth

        def product(x, y):
            if _is_x86_word(x.type):
                return _x86(builder, "mulr", x.type, x.type, x, y)
            wide = ir.VectorType(ir.IntType(2 * bits), x.type.count)
            exact = builder.mul(builder.sext(x, wide), builder.sext(y, wide))
            rounded = builder.add(exact, _constant(wide, 1 << (bits - 2)))
            return builder.trunc(builder.ashr(rounded, _constant(wide, bits - 1)), x.type)

        return _each(builder, a, product, arguments[0], _fill(context, builder, a, fraction, arguments[1]))

    return a(a, fraction), build


# Exact sums


@intrinsic
def no_sums(typing, array, size):
    row = row_of(array.dtype, len(size))
    sums = Row(WIDE[row.element], tuple(lanes // 2 for lanes in row.lanes for _ in range(2)), folded=True)
    return sums(array, size), lambda context, builder, signature, arguments: ir.Constant(sums.value, None)


def _halves(register: ir.VectorType) -> tuple[Sequence[int], Sequence[int]]:
    """The lanes of a register of words whose sums the first and the second register of sums hold."""
    if _is_x86_word(register):  # which interleaves, and packs, eight words at a time
        places = [range(start, start + 4) for start in range(0, register.count, 4)]
        return [lane for part in places[::2] for lane in part], [lane for part in places[1::2] for lane in part]
    return range(register.count // 2), range(register.count // 2, register.count)


def _weigh_pairs(builder: Any, pairs: Any, weights: Any) -> Any:
    """left * low half + right * high half, of a register of pairs and one of weights."""
    wide = weights.type
    if _is_x86_word(pairs.type):
        return _x86(builder, "weigh", pairs.type, wide, pairs, builder.bitcast(weights, pairs.type))
    half = _constant(wide, wide.element.width // 2)
    pairs = builder.bitcast(pairs, wide)
    high = builder.mul(builder.ashr(pairs, half), builder.ashr(weights, half))
    low = (builder.ashr(builder.shl(value, half), half) for value in (pairs, weights))
    return builder.add(builder.mul(*low), high)


@intrinsic
def weigh(typing, sums, a, b, weight):
    def build(context, builder, signature, arguments):
        before, weights = _split(builder, sums, arguments[0]), _fill(context, builder, sums, weight, arguments[3])
        after: list[Any] = []
        for x, y in zip(*(_split(builder, a, value) for value in arguments[1:3]), strict=True):
            for half in _halves(x.type):
                mixed = [place for lane in half for place in (lane, x.type.count + lane)]
                factor = builder.extract_value(weights, len(after))
                exact = _weigh_pairs(builder, _shuffle(builder, x, y, mixed), factor)
                after.append(builder.add(before[len(after)], exact))
        return _join(builder, sums, after)

    return sums(sums, a, b, weight), build


@intrinsic
def words(typing, sums):
    element = {types.int32: types.int16, types.int64: types.int32}[sums.element]
    row = Row(element, tuple(2 * lanes for lanes in sums.lanes[::2]))

    def build(context, builder, signature, arguments):
        registers = _split(builder, sums, arguments[0])

        def joined(low, high, register):
            if _is_x86_word(register):
                return _x86(builder, "pack", register, register, low, high)
            return builder.trunc(_whole(builder, (low, high)), register)

        return _join(builder, row, map(joined, registers[::2], registers[1::2], row.registers))

    return row(sums), build


@intrinsic
def weighted(typing, pairs, weights):
    def build(context, builder, signature, arguments):
        return _each(builder, weights, lambda x, w: _weigh_pairs(builder, x, w), *arguments)

    return weights(pairs, weights), build


# Over all lanes


def _narrowed(builder: Any, add: Callable, registers: Sequence[Any], lanes: int) -> Any:
    """The sum of registers, halves onto halves down to so many lanes: a fixed order, for floating point."""
    result = registers[0]
    for register in registers[1:]:
        while result.type.count > register.type.count:
            result = _fold(builder, add, result)
        result = add(result, register)
    while result.type.count > lanes:
        result = _fold(builder, add, result)
    return result


def _fold(builder: Any, add: Callable, register: Any) -> Any:
    half = register.type.count // 2
    halves = range(half), range(half, 2 * half)
    return add(*(_shuffle(builder, register, register, places) for places in halves))


@intrinsic
def total(typing, row):
    def build(context, builder, signature, arguments):
        add = builder.fadd if row.is_float else builder.add
        return builder.extract_element(_narrowed(builder, add, _split(builder, row, arguments[0]), 1), _I32(0))

    return row.element(row), build


@intrinsic
def add_totals(typing, array, at, a, b, c, d):
    """array[at : at + 4] += the sums of all lanes of each of the rows."""

    def build(context, builder, signature, arguments):
        add = builder.fadd if a.is_float else builder.add
        w, x, y, z = (_narrowed(builder, add, _split(builder, a, value), 4) for value in arguments[2:])
        halves = [
            add(_shuffle(builder, low, high, (0, 1, 4, 5)), _shuffle(builder, low, high, (2, 3, 6, 7)))
            for low, high in ((w, x), (y, z))
        ]
        sums = add(_shuffle(builder, *halves, (0, 2, 4, 6)), _shuffle(builder, *halves, (1, 3, 5, 7)))
        pointer = _pointer(context, builder, array, *arguments[:2], sums.type)
        align = array.dtype.bitwidth // 8
        builder.store(add(builder.load(pointer, align=align), sums), pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, types.int64, a, a, a, a), build


@intrinsic
def differing(typing, a, b):
    def build(context, builder, signature, arguments):
        count = _I64(0)
        for x, y in zip(*(_split(builder, a, value) for value in arguments), strict=True):
            unequal = builder.fcmp_unordered("!=", x, y) if a.is_float else builder.icmp_signed("!=", x, y)
            flags = builder.bitcast(unequal, ir.IntType(x.type.count))
            ones = _call(builder, f"llvm.ctpop.i{x.type.count}", flags.type, flags)
            count = builder.add(count, builder.zext(ones, _I64))
        return count

    return types.int64(a, a), build


# What is made of them


def inlined(function: Callable) -> Callable:
    """A part of a kernel."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)


def kernel(function: Callable) -> Callable:
    """A kernel: compiled at its first call and kept on disk; runs beside other threads."""
    return numba.njit(nogil=True, error_model="numpy", cache=True)(function)


@inlined
def spread(array, at, count, value):
    for index in range(at, at + count):
        put(array, index, value)
