"""Values on their way from one place of the pipeline to another, in order, where the schedule knows when."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import fanout_register
from hw.fpga.resources import MemoryShape, Storage
from hw.schedule.timing import REPLAY_LATENCY

LOGIC_BITS = 16  # that one place's number leads to, in logic cells: more of them lie too far apart


class ReplayFifo(wiring.Component):
    """A ring of values in a memory, which lies in logic cells or in block RAM.

    It has no flags: it must never be written when the memory is full, and the reader must know that a value is
    there, which is so `latency` cycles after it was written, if it is the oldest one.

    Attributes:
        write, value: take this value in.
        first: the oldest value. read: done with it, the next one is there in the next cycle.
        again, done (absent without `repeats`), in a `read`: the next value is the oldest that is not done with; all
            up to this one are.
    """

    latency = REPLAY_LATENCY

    def __init__(self, memory: MemoryShape, *, repeats: bool = False):
        self.memory, self.repeats = memory, repeats
        super().__init__(
            {
                "write": In(1),
                "value": In(memory.width),
                "read": In(1),
                "first": Out(memory.width),
                **({"again": In(1), "done": In(1)} if repeats else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory, in_logic = self.memory, self.memory.storage is Storage.LOGIC
        places = range(memory.depth)
        head, next_head, tail, next_tail = Signal(places), Signal(places), Signal(places), Signal(places)
        onward = self._after(head)
        if self.repeats:
            oldest = Signal(places)
            with m.If(self.done):
                m.d.sync += oldest.eq(onward)
            onward = Mux(self.again, oldest, onward)
        m.d.comb += [
            next_head.eq(Mux(self.read, onward, head)),
            next_tail.eq(Mux(self.write, self._after(tail), tail)),
        ]
        m.d.sync += [head.eq(next_head), tail.eq(next_tail)]
        bits = LOGIC_BITS if in_logic else memory.width
        for start in range(0, memory.width, bits):
            part = slice(start, min(start + bits, memory.width))
            m.submodules[f"ring{start}"] = ring = Memory(
                shape=unsigned(part.stop - start), depth=memory.depth, init=[], attrs=memory.attributes
            )
            writer = ring.write_port()
            reader = ring.read_port(domain="comb" if in_logic else "sync")
            m.d.comb += [
                writer.addr.eq(fanout_register(m, next_tail) if in_logic else tail),
                writer.data.eq(self.value[part]),
                writer.en.eq(self.write),
                reader.addr.eq(fanout_register(m, next_head) if in_logic else next_head),
                self.first[part].eq(reader.data),
            ]
        return m

    def _after(self, place: Value) -> Value:
        return Mux(place == self.memory.depth - 1, 0, place + 1)
