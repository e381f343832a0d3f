"""A multiplier in a pipeline: for one product, or for several that take turns."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.hdl import Assert, Elaboratable

from hw.datapath.multiplier import Multiplier
from hw.datapath.pipeline import Pipeline, Timed


class SharedMultiplier(Elaboratable):
    """A multiplier of signed operands, which makes one product or several in turn.

    It takes operands every clock. The product that is valid in a clock is that of the use whose `valid` is set; the
    schedule must never set two, which fails in simulation.

    The difference of two words has a bit more than a word. Where the hard multiplier takes words but not differences,
    it multiplies the lower bits of the difference, and the carry, -1, 0 or 1 times 2**width, is added behind it: one
    adder instead of three more multipliers.

    Parameters
    ----------
    pipe : Pipeline
        Where the multiplier is added.
    a_width, b_width : int
        Bits of the operands, at the most.

    Attributes
    ----------
    uses : list of Timed
        Of each product, when its operands enter.
    multiplier : Multiplier
        The multiplier.
    """

    def __init__(self, pipe: Pipeline, *, a_width: int, b_width: int):
        self.pipe = pipe
        self.uses: list[Timed] = []
        self._operands: list[tuple[Value, Value]] = []
        self._a, self._b = Signal(signed(a_width)), Signal(signed(b_width))
        a, b = pipe.input(self._a), pipe.input(self._b)
        splits = pipe.technology.multiplier_width == a_width - 1
        self._word_bits = a_width - splits
        self.multiplier = Multiplier(a_width=self._word_bits, b_width=b_width, technology=pipe.technology)
        low = pipe.wire(lambda a: a[: self._word_bits].as_signed(), a)
        self._word_product = self._whole_product = pipe.multiply(low, b, self.multiplier)
        if splits:
            self._whole_product = self._with_carry(self._word_product, a, b)
        pipe.m.submodules += self

    def product(self, valid: Timed, a: Timed, b: Timed, *, wait: int = 0) -> Timed:
        """Return the product of two operands, as one more use of the multiplier.

        Parameters
        ----------
        valid : Timed
            Whether the operands are used.
        a, b : Timed
            The operands.
        wait : int
            Cycles that the operands wait, after the later of them is valid, before they enter.
        """
        pipe = self.pipe
        product = self._word_product if len(a.value) <= self._word_bits else self._whole_product
        latest = max(a, b, key=lambda operand: (operand.cycle, operand.depth))
        start = pipe.with_room(latest, product.depth if product.cycle == 0 else pipe.technology.operations_per_stage)
        cycle = start.cycle + wait
        operands = pipe.at(a, cycle), pipe.at(b, cycle)
        self.uses.append(Timed(pipe.at(valid, cycle), cycle))
        self._operands.append(operands)
        bits = sum(map(len, operands))
        found = Timed(product.value[:bits].as_signed(), cycle + product.cycle, start.depth + product.depth)
        return pipe.with_room(found, 1)

    def elaborate(self, platform: Any) -> Module:
        """Build the choice of operands."""
        m = Module()
        (a, b), *others = self._operands
        m.d.comb += [self._a.eq(a), self._b.eq(b)]
        for use, (a, b) in zip(self.uses[1:], others, strict=True):
            with m.If(use.value):
                m.d.comb += [self._a.eq(a), self._b.eq(b)]
        if others and platform is None:  # in simulation
            m.d.sync += Assert(sum(use.value for use in self.uses) <= 1, "a multiplier has two uses in one clock")
        return m

    def _with_carry(self, low: Timed, a: Timed, b: Timed) -> Timed:
        """Return the whole product, from the product of the lower bits of `a`."""
        word_bits = self._word_bits

        def carry(a: Value, b: Value) -> Value:
            return Mux(a[word_bits] == a[word_bits - 1], 0, Mux(a[word_bits], -b, b))

        high = self.pipe.operation(carry, a, b)
        shape = signed(len(low.value) + 1)
        return self.pipe.operation(
            lambda low, high: Cat(low[:word_bits], (low >> word_bits) + high).as_signed(), low, high, shape=shape
        )
