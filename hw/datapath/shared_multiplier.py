"""A hard multiplier in a pipeline: for one product, or for several that take turns."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.hdl import Assert, Elaboratable

from hw.datapath.pipeline import Pipeline, Timed


class SharedMultiplier(Elaboratable):
    """Multiplies signed operands, of at most so many bits; those of several products where their `valid` says so.

    The difference of two words has a bit more than they. Where the hard multiplier takes words but not differences, the
    word-sized remainder is multiplied and the carry, -1, 0 or 1 times 2**width, is added behind it: one adder instead
    of three more multipliers.

    Attributes:
        uses: when the operands of each product enter; never two in one clock.
    """

    def __init__(self, pipe: Pipeline, *, a_width: int, b_width: int):
        self.pipe = pipe
        self.uses: list[Timed] = []
        self._operands: list[tuple[Value, Value]] = []
        self._a, self._b = Signal(signed(a_width)), Signal(signed(b_width))
        a, b = pipe.input(self._a), pipe.input(self._b)
        self._word = a_width
        if pipe.technology.multiplier_width == a_width - 1:
            self._word = a_width - 1
            low = pipe.multiply(pipe.wire(lambda a: a[: self._word].as_signed(), a), b)
            self._of_word, self._whole = low, self._carried(low, a, b)
        else:
            self._of_word = self._whole = pipe.multiply(a, b)
        pipe.m.submodules += self

    def product(self, valid: Timed, a: Timed, b: Timed, *, wait: int = 0) -> Timed:
        """The product of operands that are used, `wait` cycles after the later one is there, where `valid`."""
        cycle = max(a.cycle, b.cycle) + wait
        operands = self.pipe.at(a, cycle), self.pipe.at(b, cycle)
        self.uses.append(Timed(self.pipe.at(valid, cycle), cycle))
        self._operands.append(operands)
        found = self._of_word if len(operands[0]) <= self._word else self._whole
        bits = sum(map(len, operands))
        return Timed(found.value[:bits].as_signed(), cycle + found.cycle)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        (a, b), *others = self._operands
        m.d.comb += [self._a.eq(a), self._b.eq(b)]
        for use, (a, b) in zip(self.uses[1:], others, strict=True):
            with m.If(use.value):
                m.d.comb += [self._a.eq(a), self._b.eq(b)]
        if others and platform is None:  # in simulation
            m.d.sync += Assert(sum(use.value for use in self.uses) <= 1, "a multiplier has two uses in one clock")
        return m

    def _carried(self, low: Timed, a: Timed, b: Timed) -> Timed:
        """The whole product from that of the low word."""
        word = self._word

        def carry(a: Value, b: Value) -> Value:
            return Mux(a[word] == a[word - 1], 0, Mux(a[word], -b, b))

        high = self.pipe.register(carry, a, b)
        shape = signed(len(low.value) + 1)
        return self.pipe.register(
            lambda low, high: Cat(low[:word], (low >> word) + high).as_signed(), low, high, shape=shape
        )
