"""Values that know the clock cycle they are valid in. Delays are inserted where operands meet; nobody counts
registers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amaranth import Module, Shape, Signal, Value
from amaranth.hdl import ValueLike

from hw.datapath.fanout import Branches, any_of, fanout_register, gathered
from hw.datapath.multiplier import Multiplier
from hw.fpga.technology import Technology
from sw.spec.numerics import bits_for

EIGHT = 8  # flags that one adder stage counts


@dataclass(frozen=True, eq=False)
class Timed:
    """A value of a pipeline, valid `cycle` cycles after the inputs that it was computed from entered at cycle 0."""

    value: Value
    cycle: int
    _delayed: dict[int, Value] = field(default_factory=dict, repr=False)
    _branches: dict[int, Branches] = field(default_factory=dict, repr=False)


class Pipeline:
    """Builds a feed-forward datapath that takes new inputs every clock.

    All registers are free of reset: a datapath flushes itself, and only what decides (its valid flags' sources) is
    reset. They live in a submodule of their own, so that none becomes conditional where a value is asked for inside
    an `m.If`.
    """

    def __init__(self, m: Module, technology: Technology):
        self.m = Module()
        m.submodules += self.m
        self.technology = technology

    def input(self, value: ValueLike, cycle: int = 0) -> Timed:
        """A value from outside, valid in `cycle`."""
        return Timed(Value.cast(value), cycle)

    def at(self, operand: Timed, cycle: int) -> Value:
        """The operand delayed to `cycle`. Raises ValueError if that lies before it is valid."""
        if cycle < operand.cycle:
            raise ValueError(f"a value of cycle {operand.cycle} is not yet there in cycle {cycle}")
        if cycle == operand.cycle:
            return operand.value
        if cycle not in operand._delayed:
            delayed = Signal(operand.value.shape(), reset_less=True, name="delayed")
            self.m.d.sync += delayed.eq(self.at(operand, cycle - 1))
            operand._delayed[cycle] = delayed
        return operand._delayed[cycle]

    def later(self, operand: Timed, cycle: int) -> Timed:
        """The operand delayed to `cycle`."""
        return Timed(self.at(operand, cycle), cycle)

    def near(self, operand: Timed, cycle: int) -> Timed:
        """The operand delayed to `cycle`; where the clock is fast, by registers near its use (`hw.datapath.fanout`),
        as there is
        time for them."""
        ways = cycle - operand.cycle
        if not self.technology.fine_stages or ways == 0:
            return self.later(operand, cycle)
        if ways == 1:
            return Timed(fanout_register(self.m, operand.value), cycle)
        if cycle not in operand._branches:
            operand._branches[cycle] = Branches(self.m, self.at(operand, cycle - 2))
        return Timed(operand._branches[cycle].near(), cycle)

    def gather(self, values: Sequence[Value]) -> Value:
        """The one of many values that is not zero, or zero, `long_way` cycles later."""
        return gathered(self.m, values) if self.technology.fine_stages else any_of(values)

    def wire(self, function: Callable[..., ValueLike], *operands: Timed) -> Timed:
        """`function` of the operands, in the cycle of the latest of them."""
        cycle = max(operand.cycle for operand in operands)
        return Timed(Value.cast(function(*(self.at(operand, cycle) for operand in operands))), cycle)

    def register(self, function: Callable[..., ValueLike], *operands: Timed, shape: Shape | None = None) -> Timed:
        """`function` of the operands, registered: one cycle after the latest of them."""
        result = self.wire(function, *operands)
        register = Signal(result.value.shape() if shape is None else shape, reset_less=True)
        self.m.d.sync += register.eq(result.value)
        return Timed(register, result.cycle + 1)

    def stage(self, function: Callable[..., ValueLike], *operands: Timed, shape: Shape | None = None) -> Timed:
        """`function` of the operands, registered where the technology's clock wants it so."""
        if self.technology.fine_stages:
            return self.register(function, *operands, shape=shape)
        result = self.wire(function, *operands)
        return result if shape is None else Timed(result.value[: shape.width].as_signed(), result.cycle)

    def multiply(self, a: Timed, b: Timed) -> Timed:
        """The signed product, `multiplier_latency` cycles later."""
        cycle = max(a.cycle, b.cycle)
        operands = self.at(a, cycle), self.at(b, cycle)
        a_width, b_width = (operand.shape().width for operand in operands)
        self.m.submodules += (product := Multiplier(a_width=a_width, b_width=b_width, technology=self.technology))
        self.m.d.comb += [product.a.eq(operands[0]), product.b.eq(operands[1])]
        return Timed(product.product, cycle + self.technology.multiplier_latency)

    def sum(self, operands: list[Timed]) -> Timed:
        """Their sum by a tree of registered adders of three operands' width at most; a single operand passes."""
        while len(operands) > 1:
            pairs = [operands[index : index + 2] for index in range(0, len(operands), 2)]
            operands = [self.register(lambda a, b: a + b, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return operands[0]

    def count(self, flags: list[Timed]) -> Timed:
        """How many of them are set, `count_latency` cycles later: by eights, then by a tree of registered adders."""
        eights = (flags[index : index + EIGHT] for index in range(0, len(flags), EIGHT))
        return self.sum([self.register(lambda *flags: sum(flags), *eight) for eight in eights])


def sum_latency(operands: int) -> int:
    """Return the cycles that `Pipeline.sum` takes for so many operands."""
    return bits_for(operands)


def count_latency(flags: int) -> int:
    """Return the cycles that `Pipeline.count` takes for so many flags."""
    return 1 + sum_latency(-(-flags // EIGHT))
