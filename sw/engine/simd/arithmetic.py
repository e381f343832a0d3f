"""Arithmetic lane by lane: Python's operators on rows, and saturating and rounding ones."""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sw.engine.simd.compiling import PART
from sw.engine.simd.registers import constant, fill, generic, is_x86_word, map_registers, x86
from sw.engine.simd.rows import Row


def minimum(a: Any, b: Any) -> Any:
    """Lesser number of each lane; only for kernels."""
    raise NotImplementedError("for kernels")


def maximum(a: Any, b: Any) -> Any:
    """Greater number of each lane; only for kernels."""
    raise NotImplementedError("for kernels")


def _lanewise(function: Callable, integer: Callable, floating: Callable | None = None) -> None:
    """Let a function, in kernels, take two rows, or a row and a number that counts for all lanes."""

    @intrinsic
    def operation(typing, a, b):
        def build(context, builder, signature, arguments):
            x, y = arguments
            if not isinstance(b, Row):
                y = fill(context, builder, a, b, y)
            return map_registers(builder, a, lambda x, y: (floating if a.is_float else integer)(builder, x, y), x, y)

        return a(a, b), build

    def accept(a, b):
        if isinstance(a, Row) and (a == b or isinstance(b, types.Number)):
            return lambda a, b: operation(a, b)
        return None

    overload(function, jit_options=PART)(accept)


_lanewise(operator.add, lambda builder, x, y: builder.add(x, y), lambda builder, x, y: builder.fadd(x, y))
_lanewise(operator.sub, lambda builder, x, y: builder.sub(x, y), lambda builder, x, y: builder.fsub(x, y))
_lanewise(operator.mul, lambda builder, x, y: builder.mul(x, y), lambda builder, x, y: builder.fmul(x, y))
_lanewise(operator.lshift, lambda builder, x, y: builder.shl(x, y))
_lanewise(operator.rshift, lambda builder, x, y: builder.ashr(x, y))
_lanewise(operator.and_, lambda builder, x, y: builder.and_(x, y))
_lanewise(operator.gt, lambda builder, x, y: builder.sext(builder.icmp_signed(">", x, y), x.type))
_lanewise(operator.lt, lambda builder, x, y: builder.sext(builder.icmp_signed("<", x, y), x.type))
_lanewise(
    minimum,
    lambda builder, x, y: generic(builder, "smin", x, y),
    lambda builder, x, y: generic(builder, "minnum", x, y),
)
_lanewise(
    maximum,
    lambda builder, x, y: generic(builder, "smax", x, y),
    lambda builder, x, y: generic(builder, "maxnum", x, y),
)


@intrinsic
def multiply_add(typing, a, b, c):
    """Multiply, then add, lane by lane: a * b + c; `b` may be a number."""

    def build(context, builder, signature, arguments):
        x, y, z = arguments
        if not isinstance(b, Row):
            y = fill(context, builder, a, b, y)
        return map_registers(builder, a, lambda x, y, z: generic(builder, "fmuladd", x, y, z), x, y, z)

    return a(a, b, c), build


@intrinsic
def adds(typing, a, b, limit):
    """Add, saturated to -limit - 1 .. limit; int16 always saturates to its whole range."""

    def build(context, builder, signature, arguments):
        x, y, high = arguments
        if a.element == types.int16:
            return map_registers(builder, a, lambda x, y: generic(builder, "sadd.sat", x, y), x, y)

        def clamped(x, y, high):
            return generic(builder, "smax", generic(builder, "smin", builder.add(x, y), high), builder.not_(high))

        return map_registers(builder, a, clamped, x, y, fill(context, builder, a, limit, high))

    return a(a, b, limit), build


@intrinsic
def mulr(typing, a, fraction):
    """Multiply by a fraction, or by those of a row, and round; a fraction has the bits of a word less the sign."""

    def build(context, builder, signature, arguments):
        bits = a.element.bitwidth

        def product(x, y):
            if is_x86_word(x.type):
                return x86(builder, "mulr", x.type, x.type, x, y)
            wide = ir.VectorType(ir.IntType(2 * bits), x.type.count)
            exact = builder.mul(builder.sext(x, wide), builder.sext(y, wide))
            rounded = builder.add(exact, constant(wide, 1 << (bits - 2)))
            return builder.trunc(builder.ashr(rounded, constant(wide, bits - 1)), x.type)

        x, y = arguments
        if not isinstance(fraction, Row):
            y = fill(context, builder, a, fraction, y)
        return map_registers(builder, a, product, x, y)

    return a(a, fraction), build
