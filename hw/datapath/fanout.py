"""Fan-out registers: copies of a value that lie near its uses.

On a large device a signal takes longer to travel than to be worked on. A long path therefore gets registers on its way;
and synthesis, which would make one register of several equal ones, must leave them as they are.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import Module, Signal, Value
from amaranth.hdl import ValueLike

FANOUT = "fanout"
"""Attribute of registers that synthesis leaves as they are, instead of merging equal ones."""

MAX_FANOUT = 4
"""Uses, or further registers, that one register drives on a path to many uses."""


def fanout_register(m: Module, value: ValueLike) -> Signal:
    """Return the value a cycle later, in a register of its own, which can lie near its use.

    Parameters
    ----------
    m : Module
        Where the register is added.
    value : ValueLike
        The value.
    """
    register = Signal.like(Value.cast(value), reset_less=True, name="fanout", attrs={FANOUT: 1})
    m.d.sync += register.eq(value)
    return register


class FanOutTree:
    """A value for many uses that lie far apart.

    Each use has the value two cycles later, in a register of its own. Between, the value passes a register that drives
    up to `MAX_FANOUT` of these.

    Parameters
    ----------
    m : Module
        Where the registers are added.
    value : ValueLike
        The value.
    """

    def __init__(self, m: Module, value: ValueLike):
        self._m, self._value, self._uses = m, value, 0

    def register(self) -> Signal:
        """Return the register of the next use: the value two cycles later."""
        if self._uses % MAX_FANOUT == 0:
            self._branch = fanout_register(self._m, self._value)
        self._uses += 1
        return fanout_register(self._m, self._branch)


def fan_in(m: Module, values: Sequence[Value]) -> Signal:
    """Return the bitwise or of values that come from far apart, two cycles later.

    Parameters
    ----------
    m : Module
        Where the registers are added.
    values : sequence of Value
        One value or more. If no more than one of them is not zero at a time, the result is that one.
    """
    starts = range(0, len(values), MAX_FANOUT)
    branches = [fanout_register(m, bitwise_or(values[start : start + MAX_FANOUT])) for start in starts]
    return fanout_register(m, bitwise_or(branches))


def bitwise_or(values: Sequence[Value]) -> Value:
    """Return the bitwise or of one value or more."""
    return reduce(or_, values)
