"""LLVM on the registers of rows: taking rows apart, LLVM's own vector operations, and those of x86."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llvmlite import ir
from numba import types

from sw.engine.simd.rows import I32, Row, has_feature


def registers_of(builder: Any, row: Row, value: Any) -> list[Any]:
    """Take a row's value apart into its registers."""
    return [builder.extract_value(value, index) for index in range(len(row.lanes))]


def row_from(builder: Any, row: Row, registers: Iterable[Any]) -> Any:
    """Make the value of a row of its registers."""
    value = ir.Constant(row.value, ir.Undefined)
    for index, register in enumerate(registers):
        value = builder.insert_value(value, register, index)
    return value


def map_registers(builder: Any, row: Row, make: Callable[..., Any], *rows: Any) -> Any:
    """Make each register of a row from the registers in the same place of other rows."""
    parts = zip(*([builder.extract_value(other, i) for i in range(len(row.lanes))] for other in rows), strict=True)
    return row_from(builder, row, (make(*registers) for registers in parts))


def shuffle(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """Take lanes of `a` and then `b`, by number."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(places)), list(places)))


def fill(context: Any, builder: Any, row: Row, kind: types.Type, number: Any) -> Any:
    """Fill all lanes of a row with a number."""
    number = context.cast(builder, number, kind, row.element)
    filled = []
    for register in row.registers:
        single = builder.insert_element(ir.Constant(register, ir.Undefined), number, I32(0))
        filled.append(shuffle(builder, single, single, [0] * register.count))
    return row_from(builder, row, filled)


def constant(register: ir.VectorType, number: int) -> ir.Constant:
    """Register with a constant in each lane."""
    return ir.Constant(register, [number] * register.count)


def concatenated(builder: Any, registers: Sequence[Any]) -> Any:
    """Join one or two registers to one."""
    return registers[0] if len(registers) == 1 else shuffle(builder, *registers, range(2 * registers[0].type.count))


def call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call LLVM's function of this name; declare it in the module if nothing has yet."""
    module = builder.module
    if name not in module.globals:
        ir.Function(module, ir.FunctionType(result, [argument.type for argument in arguments]), name)
    return builder.call(module.globals[name], arguments)


def generic(builder: Any, name: str, *arguments: Any) -> Any:
    """Call LLVM's own operation on vectors, for the type of the first argument."""
    kind = arguments[0].type
    element = {"float": "f32", "double": "f64"}.get(str(kind.element), str(kind.element))
    return call(builder, f"llvm.{name}.v{kind.count}{element}", kind, *arguments)


def saturate(builder: Any, wide: Any, register: ir.VectorType) -> Any:
    """Convert a register of wide integers to one of the type `register`, limited to what it holds."""
    highest = (1 << (register.element.width - 1)) - 1
    below = generic(builder, "smin", wide, constant(wide.type, highest))
    return builder.trunc(generic(builder, "smax", below, constant(wide.type, -highest - 1)), register)


_X86 = {  # names of instructions on registers of 16-bit words, by lanes
    "mulr": {16: "avx2.pmul.hr.sw", 32: "avx512.pmul.hr.sw.512"},
    "weigh": {16: "avx2.pmadd.wd", 32: "avx512.pmaddw.d.512"},
    "pack": {16: "avx2.packssdw", 32: "avx512.packssdw.512"},
    "gather": {32: "avx512.mask.gather.dpi.512"},
}


def x86(builder: Any, operation: str, words: ir.VectorType, result: Any, *arguments: Any) -> Any:
    """Call the x86 instruction for an operation on registers of the type `words`."""
    return call(builder, f"llvm.x86.{_X86[operation][words.count]}", result, *arguments)


def is_x86_word(register: ir.VectorType) -> bool:
    """Whether a register is of 16-bit words on a processor with the instructions of `x86`."""
    return register.element == ir.IntType(16) and has_feature("avx2")


def has_gather(register: ir.VectorType) -> bool:
    """Whether one x86 instruction loads a register of pairs of 16-bit words, faster than they are loaded one by one.

    On a Cascade Lake it takes longer than one number after the other; `avx512fp16` tells later processors.
    """
    return is_x86_word(register) and register.count in _X86["gather"] and has_feature("avx512fp16")
