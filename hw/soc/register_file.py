"""The register file, made from the table that the host reads."""

from collections.abc import Sequence

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.fpga.resources import MemoryShape
from hw.link.bus import BusSignature, answer_after, within
from sw.spec.numerics import bits_for
from sw.spec.registers import COUNTER_BITS, Register, RegisterTable


def counter_memory(table: RegisterTable) -> MemoryShape:
    """That of the counters among the registers."""
    return MemoryShape(name="counters", width=COUNTER_BITS, depth=table.words)


class RegisterFile(wiring.Component):
    """A bus target; every transfer takes four cycles.

    `counters` are registers of one word in `table` that count events, in a memory: an event is counted within a few
    cycles, in which it must not come again. They are not reset.

    Attributes:
        bus: reads and writes of the registers in `table`, word by word.
        locked: refuse writes.
        events: what `counters` count, a field each, high for one cycle.
        status: what the other registers of access "r" read, a field each.
        control: what was last written to the registers of access "w", a field each.
        strobes: high in the cycle in which a register of access "w" has its new value, a field each.
    """

    def __init__(self, table: RegisterTable, *, counters: Sequence[Register], word_bits: int):
        self.table, self.counters, self.word_bits = table, counters, word_bits
        written = [register for register in table.values() if register.access == "w"]
        others = [register for register in table.values() if register not in (*counters, *written)]
        super().__init__(
            {
                "bus": In(BusSignature(word_bits)),
                "locked": In(1),
                "events": In(data.StructLayout({register.name: 1 for register in counters})),
                "status": In(data.StructLayout({register.name: register.bits for register in others})),
                "control": Out(data.StructLayout({register.name: register.bits for register in written})),
                "strobes": Out(data.StructLayout({register.name: 1 for register in written})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, table = self.bus, self.table
        number = bus.address[: bits_for(table.words)]
        exists = Signal()
        readable, found = [], []  # for each word
        for register in table.values():
            for index in range(register.words):
                place = slice(index * self.word_bits, (index + 1) * self.word_bits)
                readable.append(register.access == "r")
                found.append(self.status[register.name][place] if register.name in self.status.shape().members else 0)
                if register.access == "w":
                    self._written(m, register, place, exists & (number == len(found) - 1))
        status = Signal(self.word_bits)
        m.d.sync += [
            exists.eq(within(bus.address, table.words)),
            status.eq(Array(found)[number]),
            bus.fault.eq(~exists | (bus.write == Array(map(Const, readable))[number])),
        ]
        m.d.comb += [
            bus.read_data.eq(status | self._counted(m, number)),
            bus.refused.eq(bus.write & self.locked),
            bus.ready.eq(answer_after(m, bus, 4)),
        ]
        return m

    def _written(self, m: Module, register: Register, place: slice, chosen: Value) -> None:
        bus, name = self.bus, register.name
        write = Signal(name=f"write_{name}")
        m.d.comb += write.eq(bus.ready & bus.write & chosen & ~bus.refused)
        m.d.sync += self.strobes[name].eq(write)
        with m.If(write):
            m.d.sync += self.control[name][place].eq(bus.write_data)

    def _counted(self, m: Module, number: Value) -> Value:
        """Count events, one at a time; returns the count of that number, 0 if it is no counter's.

        The memory is the bus' own during a transfer; in the first three of its cycles a count may still be written.
        """
        shape = counter_memory(self.table)
        m.submodules.counts = counts = Memory(
            shape=unsigned(shape.width), depth=shape.depth, init=[], attrs=shape.attributes
        )
        read, write = counts.read_port(), counts.write_port()
        waiting, served = Signal(len(self.counters)), Signal(len(self.counters))
        counted, place, found = (Signal.like(read.addr) for _ in range(3))
        due, reading = Signal(), Signal()
        with m.If(~self.bus.valid & ~due & ~reading & ~write.en):
            m.d.comb += served.eq(waiting & -waiting)  # the lowest of them
        for register, chosen in zip(self.counters, served, strict=True):
            with m.If(chosen):
                m.d.comb += counted.eq(self.table.address(register.name))
        m.d.comb += read.addr.eq(place)
        m.d.sync += [
            waiting.eq((waiting & ~served) | self.events.as_value()),
            Cat(due, place).eq(Cat(served.any(), Mux(self.bus.valid, number, counted))),
            Cat(reading, found).eq(Cat(due, place)),
            Cat(write.en, write.addr).eq(Cat(reading, found)),
            write.data.eq(read.data + 1),
        ]
        return read.data
