"""Values on their way from one place of the pipeline to another, in order, where the schedule knows when."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.technology import Technology


class Queue(wiring.Component):
    """A ring of `depth` values of `width` bits, in logic cells where they can be memory, in block RAM otherwise.

    It has no flags: it must never be written when it holds `depth` values, and the reader must know that a value is
    there, which is so `latency` cycles after it was written, if it is the oldest one.

    Attributes:
        write, value: take this value in.
        first: the oldest value. read: done with it, the next one is there in the next cycle.
    """

    latency = 2

    def __init__(self, *, width: int, depth: int, technology: Technology):
        self.depth, self.technology = depth, technology
        super().__init__({"write": In(1), "value": In(width), "read": In(1), "first": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        in_logic = self.depth <= self.technology.lut_ram_depth
        m.submodules.ring = ring = Memory(
            shape=unsigned(len(self.value)),
            depth=self.depth,
            init=[],
            attrs={"ram_style": "distributed" if in_logic else "block"},
        )
        head, next_head = Signal(range(self.depth)), Signal(range(self.depth))
        tail = Signal(range(self.depth))
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
        return Mux(place == self.depth - 1, 0, place + 1)
