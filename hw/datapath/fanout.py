"""Registers that lie near their use. On a large part the way of a signal takes longer than what is done with it; and of
equal registers for places far apart, synthesis makes one."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import Module, Signal, Value
from amaranth.hdl import ValueLike

FANOUT = "fanout"
"""Attribute of registers that synthesis leaves as they are, instead of merging equal ones."""

REACH = 4  # places that one register leads to on the way to many


def fanout_register(m: Module, value: ValueLike) -> Signal:
    """The value a cycle later, in a register of its own, so that it can lie near what takes it from there."""
    register = Signal.like(Value.cast(value), reset_less=True, name="fanout", attrs={FANOUT: 1})
    m.d.sync += register.eq(value)
    return register


class Branches:
    """A value for many places far apart. Each has it two cycles later, in a register of its own (`near`); on the way it
    passes a register that leads to `REACH` of them."""

    def __init__(self, m: Module, value: ValueLike):
        self._m, self._value, self._places = m, value, 0

    def near(self) -> Signal:
        """The register of the next place."""
        if self._places % REACH == 0:
            self._branch = fanout_register(self._m, self._value)
        self._places += 1
        return fanout_register(self._m, self._branch)


def gathered(m: Module, values: Sequence[Value]) -> Signal:
    """The one of many values from places far apart that is not zero, two cycles later; or zero."""
    branches = [fanout_register(m, any_of(values[place : place + REACH])) for place in range(0, len(values), REACH)]
    return fanout_register(m, any_of(branches))


def any_of(values: Sequence[Value]) -> Value:
    """Their bits, where any of them has one."""
    return reduce(or_, values)
