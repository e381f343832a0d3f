"""A small stand-in for the system: real multipliers and memories between its two pins."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.multiplier import Multiplier
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology

NEED = Resources(multipliers=2, block_ram=2)
"""What two units of it need."""


class StandIn(wiring.Component):
    """A line that runs through `units` in_sequence multipliers and memories, the first of them for nothing if
    `unused`."""

    rx: In(1, init=1)
    tx: Out(1)

    def __init__(self, technology: Technology, *, units: int = 2, unused: bool = False):
        self.technology, self.units, self.unused = technology, units, unused
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = self.rx
        for unit in range(self.units):
            taken = Signal(32, name=f"taken{unit}")
            m.submodules[f"product{unit}"] = multiplier = Multiplier(a_width=16, b_width=16, technology=self.technology)
            m.submodules[f"store{unit}"] = store = memory.Memory(
                shape=unsigned(16), depth=24, init=[], attrs={"ram_style": "block"}
            )
            read, write = store.read_port(), store.write_port()
            sent = Signal(16, name=f"sent{unit}")
            m.d.sync += [
                taken.eq(Cat(line, taken)),
                sent.eq(Mux(taken[0], read.data, sent >> 1)),
            ]
            m.d.comb += [
                Cat(multiplier.a, multiplier.b).eq(taken),
                write.en.eq(taken[-1]),
                write.addr.eq(taken),
                write.data.eq(multiplier.product >> 8),
                read.addr.eq(taken[8:]),
            ]
            line = self.rx if self.unused else sent[0]
        m.d.sync += self.tx.eq(sent[0])
        return m
