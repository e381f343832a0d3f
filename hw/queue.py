"""Values on their way from one place of the pipeline to another, in order, where the schedule knows when."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.technology import MemoryShape, Storage


class Queue(wiring.Component):
    """A ring of values in a memory, which lies in logic cells or in block RAM.

    It has no flags: it must never be written when the memory is full, and the reader must know that a value is
    there, which is so `latency` cycles after it was written, if it is the oldest one.

    Attributes:
        write, value: take this value in.
        first: the oldest value. read: done with it, the next one is there in the next cycle.
    """

    latency = 2

    def __init__(self, memory: MemoryShape):
        self.memory = memory
        super().__init__({"write": In(1), "value": In(memory.width), "read": In(1), "first": Out(memory.width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory, in_logic = self.memory, self.memory.storage is Storage.LOGIC
        m.submodules.ring = ring = Memory(
            shape=unsigned(memory.width), depth=memory.depth, init=[], attrs=memory.attributes
        )
        head, next_head = Signal(range(memory.depth)), Signal(range(memory.depth))
        tail = Signal(range(memory.depth))
        writer = ring.write_port()
        reader = ring.read_port(domain="comb" if in_logic else "sync")
        m.d.comb += [
            writer.addr.eq(tail),
            writer.data.eq(self.value),
            writer.en.eq(self.write),
            next_head.eq(Mux(self.read, self._after(head), head)),
            reader.addr.eq(head if in_logic else next_head),
            self.first.eq(reader.data),
        ]
        m.d.sync += head.eq(next_head)
        with m.If(self.write):
            m.d.sync += tail.eq(self._after(tail))
        return m

    def _after(self, place: Value) -> Value:
        return Mux(place == self.memory.depth - 1, 0, place + 1)
