"""Bits of operators are counted by kind, once where they are equal, whatever module they are in."""

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.census import KINDS, census
from hw.technology import LogicCosts


class Sample(wiring.Component):
    """Two sums that are equal, one that is not, a choice of each form, a register, two memories."""

    a: In(8)
    b: In(8)
    select: In(1)
    index: In(2)
    amount: In(3)
    results: Out(64)

    def elaborate(self, platform):
        m = Module()
        first, second = Signal(9), Signal(9)
        kept, found = Signal(8), Signal(8)
        m.d.comb += [first.eq(self.a + self.b), second.eq(self.a + self.b)]
        m.d.sync += kept.eq(Mux(self.select, self.a, self.b))
        with m.If(self.select):
            m.d.comb += found.eq(Array([self.a, self.b, kept, 0])[self.index])
        m.submodules.small = small = Memory(shape=8, depth=4, init=[], attrs={"ram_style": "distributed"})
        m.submodules.large = Memory(shape=8, depth=512, init=[], attrs={"ram_style": "block"})
        reader = small.read_port(domain="comb")
        m.d.comb += reader.addr.eq(self.index)
        shifted = (self.a >> self.amount) & ((self.b << 2) ^ reader.data)
        m.d.comb += self.results.eq(first ^ second ^ found ^ shifted ^ (self.a - self.b) ^ (self.a < self.b))
        return m


def test_a_sample() -> None:
    bits = census(Sample())
    assert set(bits) == set(KINDS)
    assert bits["sums"] == 9 + 9  # the sum once, and the difference
    assert bits["comparisons"] == 8
    assert bits["registers"] == 8
    assert bits["shifts"] == 8 * 3  # by an amount; that by a constant is wires
    assert bits["memories"] == 8 * 4
    assert bits["choices"] >= 8 + 8 + 3 * 8  # of the register, of `found`, of the array


def test_every_kind_has_a_cost() -> None:
    kinds = set(LogicCosts.__dataclass_fields__) - {"base"}
    assert kinds == set(KINDS)
    costs = LogicCosts(base=10, **dict.fromkeys(kinds, 0.5))
    assert costs.of({"sums": 8, "registers": 4}) == 16
