"""Contents of memories are written as Amaranth writes them, and sooner."""

import time

import pytest
from amaranth import Module, Shape, signed, unsigned
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hw.flow.memory_contents import quick_memory_contents


class Table(wiring.Component):
    """A memory that is read at its first row."""

    def __init__(self, shape: Shape, rows: list[int], depth: int) -> None:
        self.memory = Memory(shape=shape, depth=depth, init=rows)
        super().__init__({"row": Out(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        m.d.comb += self.row.eq(self.memory.read_port().data)
        return m


def converted(shape: Shape, rows: list[int], depth: int) -> str:
    return rtlil.convert(Table(shape, rows, depth), emit_src=False)


@pytest.mark.parametrize(
    ("shape", "rows", "depth"),
    [
        (unsigned(5), [0b10011, 1, 30], 5),
        (signed(4), [-8, -1, 7, 0], 4),
        (unsigned(1), [1, 0, 1], 3),
        (unsigned(16), [], 64),
        (unsigned(8), [7], 1),
    ],
    ids=str,
)
def test_rtlil_is_the_same(shape: Shape, rows: list[int], depth: int) -> None:
    expected = converted(shape, rows, depth)
    with quick_memory_contents():
        assert converted(shape, rows, depth) == expected
    assert converted(shape, rows, depth) == expected


def test_a_large_memory_takes_less_time() -> None:
    began = time.process_time()
    expected = converted(unsigned(16), [], 1 << 13)
    between = time.process_time()
    with quick_memory_contents():
        assert converted(unsigned(16), [], 1 << 13) == expected
    assert time.process_time() - between < (between - began) / 2
