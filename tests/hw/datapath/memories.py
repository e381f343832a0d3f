"""A memory that is no kinder than a board's: what is read while it is written is wrong."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib.memory import Memory, ReadPort


class UnkindMemory(Memory):
    """Where a row is read in a clock in which any of it is written, what is read is what it held before, inverted.

    Stands for `Memory` where all ports are synchronous and none is transparent.
    """

    def __init__(self, **arguments: Any):
        super().__init__(**arguments)
        self._inner = Memory(self.data)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = self._inner
        for port in self.write_ports:
            inner = self._inner.write_port(granularity=len(port.data) // len(port.en))
            m.d.comb += [inner.addr.eq(port.addr), inner.data.eq(port.data), inner.en.eq(port.en)]
        for port in self.read_ports:
            self._read(m, port)
        return m

    def _read(self, m: Module, port: ReadPort) -> None:
        inner, collided = self._inner.read_port(), Signal()
        collisions = [(write.addr == port.addr) & write.en.any() for write in self.write_ports]
        m.d.comb += [
            inner.addr.eq(port.addr),
            inner.en.eq(port.en),
            port.data.eq(inner.data ^ collided.replicate(len(port.data))),
        ]
        with m.If(port.en):
            m.d.sync += collided.eq(sum(collisions) != 0)
