"""The register file, made from the table that the host reads."""

from amaranth import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.link.bus import BusSignature
from sw.protocol import RegisterTable


class RegisterFile(wiring.Component):
    """A bus target; every transfer takes one cycle.

    Attributes:
        bus: reads and writes of `table`'s registers, word by word.
        status: what the registers of access "r" read, a field each.
        control: what was written to the registers of access "rw", a field each.
        strobes: high in the cycle in which a register of access "w" is written, a field each.
    """

    def __init__(self, table: RegisterTable, *, word_bits: int):
        self.table, self.word_bits = table, word_bits

        def layout(access: str, bits: int | None = None) -> data.StructLayout:
            return data.StructLayout(
                {
                    register.name: bits or register.words * word_bits
                    for register in table.values()
                    if register.access == access
                }
            )

        super().__init__(
            {
                "bus": In(BusSignature(word_bits)),
                "status": In(layout("r")),
                "control": Out(layout("rw")),
                "strobes": Out(layout("w", 1)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bus = self.bus
        m.d.comb += [bus.ready.eq(bus.valid), bus.fault.eq(1)]
        with m.Switch(bus.address):
            for register in self.table.values():
                for index in range(register.words):
                    with m.Case(self.table.address(register.name) + index):
                        self._word(m, register.name, register.access, index)
        return m

    def _word(self, m: Module, name: str, access: str, index: int) -> None:
        bus, write = self.bus, Signal(name=f"write_{name}_{index}")
        m.d.comb += write.eq(bus.valid & bus.write)
        if access == "w":
            m.d.comb += [self.strobes[name].eq(write), bus.fault.eq(~bus.write)]
            return
        value = self.status[name] if access == "r" else self.control[name]
        word = value.word_select(index, self.word_bits)
        m.d.comb += [bus.read_data.eq(word), bus.fault.eq(bus.write if access == "r" else 0)]
        if access == "rw":
            with m.If(write):
                m.d.sync += word.eq(bus.write_data)
