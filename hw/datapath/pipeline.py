"""Values that know the clock cycle in which they are valid.

Where operands meet, the pipeline delays the earlier ones, so that no latency is counted by hand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amaranth import Module, Shape, Signal, Value
from amaranth.hdl import ValueLike

from hw.datapath.fanout import FanOutTree, bitwise_or, fan_in, fanout_register
from hw.datapath.multiplier import Multiplier
from hw.fpga.technology import PRODUCT_OPERATIONS, Technology
from sw.spec.numerics import bits_for

FLAGS_PER_ADDER = 8
"""Flags that the first adder stage of `Pipeline.count` adds up at once."""


@dataclass(frozen=True, eq=False)
class Timed:
    """A value of a pipeline.

    Attributes
    ----------
    value : Value
        The value.
    cycle : int
        When it is valid: so many cycles after the inputs that it is computed from entered, in cycle 0.
    depth : int
        Operations since the last register; always 0 where a register follows each of them.
    """

    value: Value
    cycle: int
    depth: int = 0
    _delayed: dict[int, Value] = field(default_factory=dict, repr=False)
    _trees: dict[int, FanOutTree] = field(default_factory=dict, repr=False)


class Pipeline:
    """A feed-forward datapath that takes new inputs every clock.

    No register has a reset: a datapath flushes itself, and what decides (the sources of its valid flags) is reset. The
    registers are in a submodule of their own, so that none becomes conditional where a value is asked for inside an
    `m.If`.

    Parameters
    ----------
    m : Module
        The module to which the pipeline is added.
    technology : Technology
        The FPGA family; it says where stages are registered, and the latencies of multipliers.

    Attributes
    ----------
    m : Module
        The submodule of the pipeline.
    technology : Technology
        As given.
    """

    def __init__(self, m: Module, technology: Technology):
        self.m = Module()
        m.submodules += self.m
        self.technology = technology

    def input(self, value: ValueLike, cycle: int = 0, depth: int = 0) -> Timed:
        """Return a value from outside, which is valid in `cycle`, after so many operations."""
        return Timed(Value.cast(value), cycle, depth)

    def at(self, operand: Timed, cycle: int) -> Value:
        """Return the operand's value, delayed to `cycle`.

        Raises
        ------
        ValueError
            If `cycle` lies before the operand is valid.
        """
        if cycle < operand.cycle:
            raise ValueError(f"a value of cycle {operand.cycle} is not yet there in cycle {cycle}")
        if cycle == operand.cycle:
            return operand.value
        if cycle not in operand._delayed:
            delayed = Signal(operand.value.shape(), reset_less=True, name="delayed")
            self.m.d.sync += delayed.eq(self.at(operand, cycle - 1))
            operand._delayed[cycle] = delayed
        return operand._delayed[cycle]

    def delay(self, operand: Timed, cycle: int) -> Timed:
        """Return the operand delayed to `cycle`."""
        return operand if cycle == operand.cycle else Timed(self.at(operand, cycle), cycle)

    def with_room(self, operand: Timed, operations: int) -> Timed:
        """Return the operand in the first cycle that has room for so many operations on it before a register."""
        full = operand.depth + operations > self.technology.operations_per_stage
        return self.delay(operand, operand.cycle + (operand.depth > 0 and full))

    def registered(self, operand: Timed) -> Timed:
        """Return the operand from a register: delayed by a cycle if it is the result of operations in its own."""
        return self.delay(operand, operand.cycle + (operand.depth > 0))

    def fan_out(self, operand: Timed, cycle: int) -> Timed:
        """Return the operand delayed to `cycle`, for one of its uses.

        Where the clock is fast, the last registers of the delay belong to this use alone (`hw.datapath.fanout`): two,
        or as many as there are cycles.
        """
        delay = cycle - operand.cycle
        if not self.technology.fine_stages or delay == 0:
            return self.delay(operand, cycle)
        if delay == 1:
            return Timed(fanout_register(self.m, operand.value), cycle)
        if cycle not in operand._trees:
            operand._trees[cycle] = FanOutTree(self.m, self.at(operand, cycle - 2))
        return Timed(operand._trees[cycle].register(), cycle)

    def fan_in(self, values: Sequence[Value]) -> Value:
        """Return the bitwise or of values that come from far apart, `technology.long_way` cycles later."""
        return fan_in(self.m, values) if self.technology.fine_stages else bitwise_or(values)

    def wire(self, function: Callable[..., ValueLike], *operands: Timed) -> Timed:
        """Return `function` of the operands, in the cycle of the latest of them."""
        cycle = max(operand.cycle for operand in operands)
        depth = max(operand.depth for operand in operands if operand.cycle == cycle)
        return Timed(Value.cast(function(*(self.at(operand, cycle) for operand in operands))), cycle, depth)

    def register(self, function: Callable[..., ValueLike], *operands: Timed, shape: Shape | None = None) -> Timed:
        """Return `function` of the operands, registered: one cycle after the latest of them.

        Parameters
        ----------
        function : callable
            From values, one of each operand, to a value.
        *operands : Timed
            The operands.
        shape : Shape, optional
            Of the register; that of the function's value otherwise.
        """
        result = self.wire(function, *operands)
        register = Signal(result.value.shape() if shape is None else shape, reset_less=True)
        self.m.d.sync += register.eq(result.value)
        return Timed(register, result.cycle + 1)

    def operation(self, function: Callable[..., ValueLike], *operands: Timed, shape: Shape | None = None) -> Timed:
        """Return `function` of the operands, which is one operation; parameters as `register`.

        It is registered if the technology has no more operations between two registers.
        """
        result = self.wire(function, *operands)
        depth = result.depth + 1
        if depth >= self.technology.operations_per_stage:
            return self.register(function, *operands, shape=shape)
        value = Signal(result.value.shape() if shape is None else shape, name="combined")
        self.m.d.comb += value.eq(result.value)
        return Timed(value, result.cycle, depth)

    def stage(self, function: Callable[..., ValueLike], *operands: Timed, shape: Shape | None = None) -> Timed:
        """Return `function` of the operands, where stages are not coarse an `operation`; parameters as `register`.

        Coarse stages have it before the operation that follows, without a register.
        """
        if self.technology.fine_stages or self.technology.combines_operations:
            return self.operation(function, *operands, shape=shape)
        result = self.wire(function, *operands)
        return result if shape is None else Timed(result.value[: shape.width].as_signed(), result.cycle)

    def multiply(self, a: Timed, b: Timed, multiplier: Multiplier) -> Timed:
        """Return the signed product of two operands that come from registers, made by `multiplier`.

        It is valid `technology.multiplier_latency` cycles after the later of them.
        """
        cycle = max(a.cycle, b.cycle)
        self.m.submodules += multiplier
        self.m.d.comb += [multiplier.a.eq(self.at(a, cycle)), multiplier.b.eq(self.at(b, cycle))]
        depth = PRODUCT_OPERATIONS if self.technology.combines_operations else 0
        return Timed(multiplier.product, cycle + self.technology.multiplier_latency, depth)

    def sum(self, operands: list[Timed]) -> Timed:
        """Return the sum of the operands, by a tree of adders.

        It takes `sum_latency` cycles, unless the technology has several operations between two registers.
        """
        return _tree(operands, self.operation)

    def count(self, flags: list[Timed]) -> Timed:
        """Return how many flags are set, `count_latency` cycles later: nothing waits for it."""
        chunks = (flags[index : index + FLAGS_PER_ADDER] for index in range(0, len(flags), FLAGS_PER_ADDER))
        return _tree([self.register(lambda *flags: sum(flags), *chunk) for chunk in chunks], self.register)


def _tree(operands: list[Timed], adder: Callable[..., Timed]) -> Timed:
    """Return the sum of the operands, by a tree of such adders."""
    while len(operands) > 1:
        pairs = [operands[index : index + 2] for index in range(0, len(operands), 2)]
        operands = [adder(lambda a, b: a + b, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return operands[0]


def residual_latency(technology: Technology) -> int:
    """Return the cycles from a result and its target to the residual, which takes two operations."""
    return -(-2 // technology.operations_per_stage)


def sum_latency(operands: int) -> int:
    """Return the cycles that `Pipeline.sum` takes for so many operands."""
    return bits_for(operands)


def count_latency(flags: int) -> int:
    """Return the cycles that `Pipeline.count` takes for so many flags."""
    return 1 + sum_latency(-(-flags // FLAGS_PER_ADDER))
