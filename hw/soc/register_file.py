"""The register file, made from the same table as the host's access to it."""

from collections.abc import Mapping, Sequence

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.trainer import TrainerCore
from hw.fpga.resources import MemoryShape
from hw.link.bus import BusSignature, address_exists, ready_after
from sw.spec.numerics import bits_for
from sw.spec.registers import COUNTER_BITS, Register, RegisterTable, back_register, update_register
from sw.spec.schedule import shifted_layers


def counter_memory(table: RegisterTable) -> MemoryShape:
    """Return the shape of the memory of a register file's counters."""
    return MemoryShape(name="counters", width=COUNTER_BITS, depth=table.words)


def connect_rates(m: Module, control: data.View, trainer: TrainerCore) -> None:
    """Connect the rates in the registers that the host writes to a trainer."""
    plan = trainer.plan
    layers, legal = len(plan.network.layers), plan.network.word.update_shifts
    updates = zip(map(update_register, shifted_layers(layers)), trainer.update_shifts, strict=True)
    backs = zip(map(back_register, range(1, layers)), trainer.back_shifts, plan.back_shifts, strict=True)
    for register, place, values in (*((*both, legal) for both in updates), *backs):
        m.d.sync += place.eq(control[register.name] - values.start)  # registered, since its way is long


class RegisterFile(wiring.Component):
    """The bus target of the space REGISTERS; every transfer takes five cycles.

    Counters lie in a memory, and one of them is increased at a time, while there is no transfer. An event is counted
    within a few cycles, more if other counters or transfers come first; if it comes again before, it counts once.
    Counters wrap, and a reset does not clear them.

    Parameters
    ----------
    table : RegisterTable
        The registers.
    counters : sequence of Register
        The registers of one word in `table` that count events.
    word_bits : int
        Width of the bus.
    first : mapping of str to int, optional
        The values, at first, of registers that can be written; the others are 0.

    Attributes
    ----------
    bus : In(BusSignature(word_bits))
        The bus; the words of a register follow each other, the least significant word first.
    locked : In(1)
        Writes are refused.
    events : In(StructLayout)
        A bit for each counter, high for one cycle for each event.
    status : In(StructLayout)
        The values of the registers that can be read and are no counters.
    control : Out(StructLayout)
        The values last written to the registers that can be written.
    strobes : Out(StructLayout)
        A bit for each register that can be written; high in the first cycle of its new value in `control`.
    """

    def __init__(
        self,
        table: RegisterTable,
        *,
        counters: Sequence[Register],
        word_bits: int,
        first: Mapping[str, int] | None = None,
    ):
        self.table, self.counters, self.word_bits = table, counters, word_bits
        written = [register for register in table.values() if register.access == "w"]
        others = [register for register in table.values() if register not in (*counters, *written)]
        super().__init__(
            {
                "bus": In(BusSignature(word_bits)),
                "locked": In(1),
                "events": In(data.StructLayout({register.name: 1 for register in counters})),
                "status": In(data.StructLayout({register.name: register.bits for register in others})),
                "control": Out(
                    data.StructLayout({register.name: register.bits for register in written}), init=first or {}
                ),
                "strobes": Out(data.StructLayout({register.name: 1 for register in written})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        bus, table = self.bus, self.table
        number = bus.address[: bits_for(table.words)]
        exists = Signal()
        readable, words = [], []  # of each address
        for register in table.values():
            for index in range(register.words):
                place = slice(index * self.word_bits, (index + 1) * self.word_bits)
                readable.append(register.access == "r")
                words.append(self.status[register.name][place] if register.name in self.status.shape().members else 0)
                if register.access == "w":
                    self._written(m, register, place, exists & (number == len(words) - 1))
        status = Signal(self.word_bits)
        m.d.sync += [
            exists.eq(address_exists(bus.address, table.words)),
            status.eq(Array(words)[number]),
            bus.fault.eq(~exists | (bus.write == Array(map(Const, readable))[number])),
        ]
        m.d.comb += [
            bus.read_data.eq(status | self._counted(m, number) if self.counters else status),
            bus.refused.eq(bus.write & self.locked),
            bus.ready.eq(ready_after(m, bus, 4)),
        ]
        return m

    def _written(self, m: Module, register: Register, place: slice, chosen: Value) -> None:
        """Write the bits `place` of a register in a transfer whose address is `chosen`."""
        bus, name = self.bus, register.name
        write = Signal(name=f"write_{name}")
        m.d.comb += write.eq(bus.ready & bus.write & chosen & ~bus.refused)
        m.d.sync += self.strobes[name].eq(write)
        with m.If(write):
            m.d.sync += self.control[name][place].eq(bus.write_data)

    def _counted(self, m: Module, number: Value) -> Value:
        """Count events, one at a time; return the word at address `number`, which is 0 unless it is a counter.

        During a transfer the bus has the memory's read port; in the first three cycles of the transfer an increased
        count may still be written.
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
