"""The product of two signed words: in a hard multiplier with all of its registers, or in logic cells."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.fpga.technology import MultiplierCell, Technology


class Multiplier(wiring.Component):
    """The product of two signed words; in a hard multiplier if the operands fit and there is one, else in logic cells.

    Latency: `technology.multiplier_latency` cycles. Throughput: a product per cycle; no back-pressure and no reset.

    Where synthesis does not make good use of a family's hard multipliers, `technology.multiplier_cell` instantiates
    them. A product in logic is a tree of Booth's rows to base 4: what Yosys makes of `a * b` takes more than twice the
    logic cells. In simulation, where there is no platform, the product is `a * b` followed by registers.

    Parameters
    ----------
    a_width, b_width : int
        Bits of the operands.
    technology : Technology
        The family.

    Attributes
    ----------
    in_logic : bool
        Whether it is made of logic cells in any case; set before elaboration.
    a : In(signed(a_width))
        An operand, sampled in every cycle.
    b : In(signed(b_width))
        The other.
    product : Out(signed(a_width + b_width))
        Their product.
    """

    def __init__(self, *, a_width: int, b_width: int, technology: Technology):
        self.technology = technology
        self.in_logic = False
        super().__init__(
            {"a": In(signed(a_width)), "b": In(signed(b_width)), "product": Out(signed(a_width + b_width))}
        )

    def elaborate(self, platform: Any) -> Module:
        """Choose how the product is made, for `platform` or for simulation."""
        m = Module()
        hard = self.technology.multiplies(max(len(self.a), len(self.b))) and not self.in_logic
        if platform is not None and not hard:
            self._booth(m)
        elif platform is None or self.technology.multiplier_cell is None:
            self._inferred(m)
        else:
            self._instantiated(m, self.technology.multiplier_cell)
        return m

    def _instantiated(self, m: Module, cell: MultiplierCell) -> None:
        width = self.technology.multiplier_width
        assert width is not None
        a, b, product = Signal(signed(width)), Signal(signed(width)), Signal(signed(2 * width))
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.product.eq(product)]
        m.submodules.multiplier = cell(a, b, product)

    def _inferred(self, m: Module) -> None:
        if self.technology.multiplier_latency == 0:
            m.d.comb += self.product.eq(self.a * self.b)
            return
        a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
        m.d.sync += [a.eq(self.a), b.eq(self.b)]
        product = a * b
        for _ in range(self.technology.multiplier_latency - 1):
            later = Signal.like(self.product, reset_less=True)
            m.d.sync += later.eq(product)
            product = later
        m.d.comb += self.product.eq(product)

    def _booth(self, m: Module) -> None:
        """Add Booth's rows in a tree: the rows take the first cycle, the levels of the tree share the others.

        Where a register follows each operation, the last levels share the cycle of the operation on the product.
        """
        terms = self._rows(m)
        levels, shares_next = max(1, (len(terms) - 1).bit_length()), self.technology.fine_stages
        stages = self.technology.multiplier_latency - 1 + shares_next
        for level in range(levels):
            pairs = [terms[index : index + 2] for index in range(0, len(terms), 2)]
            terms = [pair[0].plus(m, pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
            last = level == levels - 1
            for _ in range((level + 1) * stages // levels - level * stages // levels - (last and shares_next)):
                terms = [term.registered(m) for term in terms]
        m.d.comb += self.product.eq(terms[0].value)

    def _rows(self, m: Module) -> "list[_Term]":
        """Make a row for each digit -2, -1, 0, 1, 2 of `b` to base 4: the digit times `a`.

        A row takes one logic cell a bit, as its registers' reset makes the zeros. The row of a negative digit is the
        complement, which is one too little: `owed` says so.
        """
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


@dataclass(frozen=True)
class _Term:
    """A summand of a product, without its place among the other summands.

    `places` is how many bits above this summand the next one begins. `owed` are single bits that are still to be added
    to `value`, each keyed by its place in it.
    """

    value: Value
    places: int
    owed: dict[int, Value]

    def plus(self, m: Module, above: "_Term") -> "_Term":
        """Add the summand `above`. The bits that this one owes are put into the places below the lowest of `above`."""
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
    """Add two values in one carry chain.

    Of several sums in a row, Yosys would make carry-save adders, which take twice the logic cells here.
    """
    total = Signal((a + b).shape(), attrs={"keep": 1}, name="sum")
    m.d.comb += total.eq(a + b)
    return total
