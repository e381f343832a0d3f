"""A memory that promises no more than a board's: a row that is read while it is written is wrong."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib.memory import Memory, ReadPort


class UnkindMemory(Memory):
    """A memory whose read of a row is inverted if any of the row is written in the same clock.

    It replaces a `Memory` of which no port is transparent. A port that reads at once has what is stored.
    """

    def __init__(self, **arguments: Any):
        super().__init__(**arguments)
        self._inner = Memory(self.data)

    def elaborate(self, platform: object) -> Module:
        """Build a memory, and around it the collisions of its ports."""
        m = Module()
        m.submodules.inner = self._inner
        for port in self.write_ports:
            inner = self._inner.write_port(granularity=len(port.data) // len(port.en))
            m.d.comb += [inner.addr.eq(port.addr), inner.data.eq(port.data), inner.en.eq(port.en)]
        for port in self.read_ports:
            self._read(m, port)
        return m

    def _read(self, m: Module, port: ReadPort) -> None:
        if port.domain == "comb":
            inner = self._inner.read_port(domain="comb")
            m.d.comb += [inner.addr.eq(port.addr), port.data.eq(inner.data)]
            return
        inner, collided = self._inner.read_port(), Signal()
        collisions = [(write.addr == port.addr) & write.en.any() for write in self.write_ports]
        m.d.comb += [
            inner.addr.eq(port.addr),
            inner.en.eq(port.en),
            port.data.eq(inner.data ^ collided.replicate(len(port.data))),
        ]
        with m.If(port.en):
            m.d.sync += collided.eq(sum(collisions) != 0)
