"""Bits of operators are counted by kind, once where they are equal, whatever module they are in."""

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.fpga.technology import LogicCosts
from hw.plan.rtlil_count import KINDS, rtlil_count


class Sample(wiring.Component):
    """A register twice, with a reset, choices of each form, sums, two memories."""

    a: In(8)
    b: In(8)
    select: In(1)
    index: In(2)
    results: Out(64)

    def elaborate(self, platform):
        m = Module()
        kept, again, found = Signal(8), Signal(8), Signal(8)
        m.d.sync += [kept.eq(Mux(self.select, self.a, self.b)), again.eq(Mux(self.select, self.a, self.b))]
        with m.If(self.select):
            m.d.comb += found.eq(Array([self.a, self.b, kept, 0])[self.index])
        m.submodules.small = small = Memory(shape=8, depth=4, init=[], attrs={"ram_style": "distributed"})
        m.submodules.large = Memory(shape=8, depth=512, init=[], attrs={"ram_style": "block"})
        reader = small.read_port(domain="comb")
        m.d.comb += reader.addr.eq(self.index)
        m.d.comb += self.results.eq(kept ^ again ^ found ^ reader.data ^ (self.a - self.b) ^ (self.a < self.b))
        return m


def test_a_sample() -> None:
    bits = rtlil_count(Sample())
    assert set(bits) == set(KINDS)
    assert bits["registers"] == 2 * 8
    assert bits["choices"] == 8 + 8 + 4 * 8  # of the registers once, of `found`, of the array


def test_every_kind_has_a_cost() -> None:
    kinds = set(LogicCosts.__dataclass_fields__)
    assert kinds == set(KINDS)
    costs = LogicCosts(**dict.fromkeys(kinds, 0.5))
    assert costs.of({"choices": 8, "registers": 4}) == 6
