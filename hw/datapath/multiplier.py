"""The product of two signed words: in a hard multiplier with all of its registers, or in logic cells."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.fpga.technology import Technology


class Multiplier(wiring.Component):
    """A product every clock, `technology.multiplier_latency` cycles later; in a hard multiplier if the operands fit.

    Synthesis finds hard multipliers by itself, but Yosys 0.70 replaces some products by zeros when it packs registers
    and adders into SB_MAC16, and packs none into MULT18X18D. These cells are instantiated, with registers at both
    their ends.

    What Yosys makes of a product in logic takes more than twice the logic cells that it takes here, as a tree of
    Booth's rows to base 4.

    Attributes:
        a, b: operands.
        product: theirs, in as many bits as both together.
    """

    def __init__(self, *, a_width: int, b_width: int, technology: Technology):
        self.technology = technology
        super().__init__(
            {"a": In(signed(a_width)), "b": In(signed(b_width)), "product": Out(signed(a_width + b_width))}
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        cells = {None: self._inferred, "SB_MAC16": self._mac16, "MULT18X18D": self._mult18}
        if platform is None:
            self._inferred(m)
        elif self.technology.multiplies(max(len(self.a), len(self.b))):
            cells[self.technology.multiplier_cell](m)
        else:
            self._booth(m)
        return m

    def _inferred(self, m: Module) -> None:
        a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
        m.d.sync += [a.eq(self.a), b.eq(self.b)]
        product = a * b
        for _ in range(self.technology.multiplier_latency - 1):
            later = Signal.like(self.product, reset_less=True)
            m.d.sync += later.eq(product)
            product = later
        m.d.comb += self.product.eq(product)

    def _booth(self, m: Module) -> None:
        """The rows take the first cycle; the levels of their tree share the others."""
        terms = self._rows(m)
        stages, levels = self.technology.multiplier_latency - 1, max(1, (len(terms) - 1).bit_length())
        for level in range(levels):
            pairs = [terms[index : index + 2] for index in range(0, len(terms), 2)]
            terms = [pair[0].plus(m, pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
            for _ in range((level + 1) * stages // levels - level * stages // levels):
                terms = [term.registered(m) for term in terms]
        m.d.comb += self.product.eq(terms[0].value)

    def _rows(self, m: Module) -> "list[_Term]":
        """`b` has digits -2, -1, 0, 1, 2 to base 4; a row is a digit times `a`. It takes one logic cell a bit, as its
        registers' reset makes the zeros. Of a negative digit it is the complement, which is one too little."""
        b = Cat(0, self.b, self.b[-1])
        a, double = Cat(self.a, self.a[-1]), Cat(0, self.a)
        rows = []
        for digit in range((len(self.b) + 1) // 2):
            low, middle, negative = b[2 * digit : 2 * digit + 3]
            row, owed = Signal(signed(len(a)), reset_less=True), Signal(reset_less=True)
            with m.If((low == middle) & (middle == negative)):
                m.d.sync += [row.eq(0), owed.eq(0)]
            with m.Else():
                magnitude = Mux(low == middle, double, a)
                m.d.sync += [row.eq(magnitude ^ negative.replicate(len(a))), owed.eq(negative)]
            rows.append(_Term(row, 2, {0: owed}))
        *others, top = rows
        return [*others, _Term(_sum(m, top.value, top.owed[0]), 2, {})]

    def _mac16(self, m: Module) -> None:
        """Two cycles: registers of the operands, and the one behind the adder of the partial products."""
        a, b, product = Signal(signed(16)), Signal(signed(16)), Signal(signed(32))
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.product.eq(product)]
        m.submodules.multiplier = Instance(
            "SB_MAC16",
            p_A_REG=Const(1),
            p_B_REG=Const(1),
            p_A_SIGNED=Const(1),
            p_B_SIGNED=Const(1),
            p_PIPELINE_16x16_MULT_REG2=Const(1),
            p_TOPOUTPUT_SELECT=Const(3, 2),
            p_BOTOUTPUT_SELECT=Const(3, 2),
            i_CLK=ClockSignal(),
            i_CE=Const(1),
            i_A=a,
            i_B=b,
            i_C=Const(0, 16),
            i_D=Const(0, 16),
            o_O=product,
            **{
                f"i_{pin}": Const(0)
                for pin in (
                    *("AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT", "OLOADTOP"),
                    *("OLOADBOT", "ADDSUBTOP", "ADDSUBBOT", "OHOLDTOP", "OHOLDBOT", "CI", "ACCUMCI", "SIGNEXTIN"),
                )
            },
        )

    def _mult18(self, m: Module) -> None:
        """Two cycles: registers of the operands, and those of the product. Place and route knows nothing of the time
        between them; without them, it says 3.9 ns."""
        a, b, product = Signal(signed(18)), Signal(signed(18)), Signal(signed(36))
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.product.eq(product)]
        m.submodules.multiplier = Instance(
            "MULT18X18D",
            **{f"p_REG_{place}_CLK": "CLK0" for place in ("INPUTA", "INPUTB", "OUTPUT")},
            i_CLK0=ClockSignal(),
            i_CE0=Const(1),
            i_RST0=Const(0),
            **{f"i_SIGNED{operand}": Const(1) for operand in "AB"},
            **{f"i_SOURCE{operand}": Const(0) for operand in "AB"},
            **{f"i_A{bit}": a[bit] for bit in range(18)},
            **{f"i_B{bit}": b[bit] for bit in range(18)},
            **{f"o_P{bit}": product[bit] for bit in range(36)},
        )


@dataclass(frozen=True)
class _Term:
    """A part of a product: the next part begins `places` bits above this one, and `owed` are bits to be added, by
    place."""

    value: Value
    places: int
    owed: dict[int, Value]

    def plus(self, m: Module, above: "_Term") -> "_Term":
        """What this one owes goes where the one above has no bits."""
        free = Cat(self.owed.get(place, Const(0, 1)) for place in range(self.places))
        owed = {self.places + place: bit for place, bit in above.owed.items()}
        return _Term(_sum(m, self.value, Cat(free, above.value).as_signed()), self.places + above.places, owed)

    def registered(self, m: Module) -> "_Term":
        def later(value: Value) -> Value:
            register = Signal.like(value, reset_less=True, name="later")
            m.d.sync += register.eq(value)
            return register

        return _Term(later(self.value), self.places, {place: later(bit) for place, bit in self.owed.items()})


def _sum(m: Module, a: Value, b: Value) -> Value:
    """Kept as it is: of several sums in a row, Yosys makes carry-save adders, twice the logic cells here."""
    total = Signal((a + b).shape(), attrs={"keep": 1}, name="sum")
    m.d.comb += total.eq(a + b)
    return total
