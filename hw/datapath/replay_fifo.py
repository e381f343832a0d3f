"""A FIFO whose oldest values can be read again: it replays the arguments of a record for its update."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import fanout_register
from hw.fpga.resources import MemoryShape, Storage
from hw.schedule.timing import REPLAY_LATENCY

LOGIC_BITS = 16
"""Bits of a memory in logic cells that one address register drives: more of them would lie too far apart."""


class ReplayFifo(wiring.Component):
    """A ring of values in a memory, in logic cells or in block RAM.

    It has no flags, since the schedule says when values come and go. It takes and gives a value every clock. It must
    not be written while it is full, and a value can be read `latency` cycles after its write.

    Parameters
    ----------
    memory : MemoryShape
        Width, depth and storage.
    repeats : bool
        Whether values can be read more than once.

    Attributes
    ----------
    write, value : in, 1 and `memory.width`
        Take this value in.
    first : out, `memory.width`
        The value to be read.
    read : in, 1
        The value has been used; the next one is valid in the next cycle.
    again : in, 1, absent without `repeats`
        In a `read`: the next value is the oldest one that is not done with.
    done : in, 1, absent without `repeats`
        In a `read`: all values up to this one are done with, and their places are free.
    latency : int
        Cycles from the write of a value until it can be read.
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
        """Build the gateware."""
        m = Module()
        memory, in_logic = self.memory, self.memory.storage is Storage.LOGIC
        addresses = range(memory.depth)
        head, next_head = Signal(addresses), Signal(addresses)
        tail, next_tail = Signal(addresses), Signal(addresses)
        following = self._after(head)
        if self.repeats:
            oldest = Signal(addresses)
            with m.If(self.done):
                m.d.sync += oldest.eq(following)
            following = Mux(self.again, oldest, following)
        m.d.comb += [
            next_head.eq(Mux(self.read, following, head)),
            next_tail.eq(Mux(self.write, self._after(tail), tail)),
        ]
        m.d.sync += [head.eq(next_head), tail.eq(next_tail)]
        chunk_bits = LOGIC_BITS if in_logic else memory.width
        for start in range(0, memory.width, chunk_bits):
            chunk = slice(start, min(start + chunk_bits, memory.width))
            m.submodules[f"ring{start}"] = ring = Memory(
                shape=unsigned(chunk.stop - start), depth=memory.depth, init=[], attrs=memory.attributes
            )
            writer = ring.write_port()
            reader = ring.read_port(domain="comb" if in_logic else "sync")
            m.d.comb += [
                writer.addr.eq(fanout_register(m, next_tail) if in_logic else tail),
                writer.data.eq(self.value[chunk]),
                writer.en.eq(self.write),
                reader.addr.eq(fanout_register(m, next_head) if in_logic else next_head),
                self.first[chunk].eq(reader.data),
            ]
        return m

    def _after(self, address: Value) -> Value:
        """Return the next address of the ring."""
        return Mux(address == self.memory.depth - 1, 0, address + 1)
