"""The register file, made from the table that the host reads."""

from amaranth import Array, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.link.bus import BusSignature, answer_after
from sw.numerics import bits_for
from sw.protocol import Register, RegisterTable


class RegisterFile(wiring.Component):
    """A bus target; every transfer takes two cycles.

    Attributes:
        bus: reads and writes of the registers in `table`, word by word.
        locked: refuse writes.
        status: what the registers of access "r" read, a field each.
        control: what was last written to the registers of access "w", a field each.
        strobes: high in the cycle in which a register of access "w" has its new value, a field each.
    """

    def __init__(self, table: RegisterTable, *, word_bits: int):
        self.table, self.word_bits = table, word_bits
        read, written = ([register for register in table.values() if register.access == access] for access in "rw")
        super().__init__(
            {
                "bus": In(BusSignature(word_bits)),
                "locked": In(1),
                "status": In(data.StructLayout({register.name: register.bits for register in read})),
                "control": Out(data.StructLayout({register.name: register.bits for register in written})),
                "strobes": Out(data.StructLayout({register.name: 1 for register in written})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, table = self.bus, self.table
        number = bus.address[: bits_for(table.words)]
        exists = bus.address < table.words
        readable, found = [], []  # for each word
        for register in table.values():
            for index in range(register.words):
                place = slice(index * self.word_bits, (index + 1) * self.word_bits)
                readable.append(register.access == "r")
                found.append(self.status[register.name][place] if register.access == "r" else Const(0))
                if register.access == "w":
                    self._written(m, register, place, exists & (number == len(found) - 1))
        m.d.sync += bus.read_data.eq(Array(found)[number])
        m.d.comb += [
            bus.refused.eq(bus.write & self.locked),
            bus.fault.eq(~exists | (bus.write == Array(map(Const, readable))[number])),
            bus.ready.eq(answer_after(m, bus, 1)),
        ]
        return m

    def _written(self, m: Module, register: Register, place: slice, chosen: Value) -> None:
        bus, name = self.bus, register.name
        write = Signal(name=f"write_{name}")
        m.d.comb += write.eq(bus.ready & bus.write & chosen & ~bus.refused)
        m.d.sync += self.strobes[name].eq(write)
        with m.If(write):
            m.d.sync += self.control[name][place].eq(bus.write_data)
