"""Rows: the type of values that are held in SIMD registers, and how many registers a row has."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.registry import cpu_target
from numba.extending import intrinsic, overload, register_model

from sw.engine.simd.compiling import PART

REGISTER_BYTES = 32

WIDE = {types.int16: types.int32, types.int32: types.int64, types.float32: types.float32, types.float64: types.float64}
WORD = {wide: word for word, wide in WIDE.items()}

IR = {
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.int64: ir.IntType(64),
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
}
I32, I64 = ir.IntType(32), ir.IntType(64)


def has_feature(feature: str) -> bool:
    """Whether the processor that kernels are compiled for has a feature, by LLVM's name of it."""
    return f"+{feature}" in cpu_target.target_context.codegen()._tm_features


class Row(types.Type):
    """The type of a run of numbers that is held in SIMD registers.

    Parameters
    ----------
    element
        Type of the numbers.
    lanes
        Numbers in each register.
    folded
        Whether the row holds sums of words: two registers of sums for each register of words. `sw.engine.simd.sums`
        says which sums each of the two holds.
    """

    def __init__(self, element: types.Type, lanes: tuple[int, ...], folded: bool = False):
        self.element, self.lanes, self.folded = element, lanes, folded
        super().__init__(f"Row({element}, {lanes}, {folded})")

    @property
    def is_float(self) -> bool:
        """Whether the numbers are floating point."""
        return isinstance(self.element, types.Float)

    @property
    def registers(self) -> list[ir.VectorType]:
        """LLVM's type of each register."""
        return [ir.VectorType(IR[self.element], lanes) for lanes in self.lanes]

    @property
    def value(self) -> ir.LiteralStructType:
        """LLVM's type of the whole row."""
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
    """Row of a number of registers; where the processor has registers of twice the length, two are one.

    Parameters
    ----------
    element
        Type of the numbers.
    size
        Registers of `REGISTER_BYTES`.
    """
    lanes = REGISTER_BYTES * 8 // element.bitwidth
    double = size // 2 if has_feature("avx512bw") else 0
    return Row(element, (2 * lanes,) * double + (lanes,) * (size - 2 * double))


def size_of(row: Row) -> int:
    """Length of a row in registers of `REGISTER_BYTES`."""
    return sum(row.lanes) * row.element.bitwidth // (8 * REGISTER_BYTES)


def bits(array: Any) -> int:
    """Bits of each number of an array."""
    return 8 * array.itemsize


def lanes(array: Any) -> int:
    """How many of an array's numbers a register holds."""
    return REGISTER_BYTES // array.itemsize


@overload(bits, jit_options=PART)
def _bits(array):
    constant = array.dtype.bitwidth
    return lambda array: constant


@overload(lanes, jit_options=PART)
def _lanes(array):
    constant = REGISTER_BYTES * 8 // array.dtype.bitwidth
    return lambda array: constant


@intrinsic
def zeros(typing, array, size):
    """Row of zeros, with the type of an array's numbers."""
    row = row_of(array.dtype, len(size))
    return row(array, size), lambda context, builder, signature, arguments: ir.Constant(row.value, None)
