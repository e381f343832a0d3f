"""First contents of memories in RTLIL, written a row at a time.

Amaranth writes them a bit at a time, which takes two thirds of the conversion of a design with a record store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from amaranth.back import rtlil


@contextmanager
def quick_memory_contents() -> Iterator[None]:
    """Let Amaranth convert to the same RTLIL in less time; for all conversions inside this context."""
    emit_memory = rtlil.ModuleEmitter.emit_memory

    def emit_rows(emitter: Any, index: int, memory: Any) -> None:
        width, builder = memory.width, emitter.builder
        word = (1 << width) - 1  # of a negative row, too
        bits = "".join(f"{row & word:0{width}b}" for row in reversed(memory.init))
        add_cell, empty = builder.cell, copy(memory)
        empty.init = ()
        builder.cell = lambda kind, *, ports, **others: add_cell(
            kind, ports=ports | {"DATA": f"{len(bits)}'{bits}"}, **others
        )
        try:
            emit_memory(emitter, index, empty)
        finally:
            del builder.cell

    rtlil.ModuleEmitter.emit_memory = emit_rows
    try:
        yield
    finally:
        rtlil.ModuleEmitter.emit_memory = emit_memory
