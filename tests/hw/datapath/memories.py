"""Memories for tests: one that promises no more than a board's, and one whose rows can be seen."""

from typing import Any

from amaranth import Array, Module, Signal
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


class OpenMemory(Memory):
    """A memory whose rows are registers called row0, row1 and so on; of no port that is transparent."""

    def elaborate(self, platform: object) -> Module:
        """Build the registers and the ports."""
        m = Module()
        rows = [Signal(self.shape, name=f"row{index}") for index in range(self.depth)]
        for port in self.write_ports:
            bits = len(port.data) // len(port.en)
            for index, row in enumerate(rows):
                for part, enable in enumerate(port.en):
                    with m.If(enable & (port.addr == index)):
                        place = slice(part * bits, (part + 1) * bits)
                        m.d.sync += row[place].eq(port.data[place])
        for port in self.read_ports:
            if port.domain == "comb":
                m.d.comb += port.data.eq(Array(rows)[port.addr])
            else:
                with m.If(port.en):
                    m.d.sync += port.data.eq(Array(rows)[port.addr])
        return m
