"""Registers that lie near their use. On a large part the way of a signal takes longer than what is done with it; and of
equal registers for places far apart, synthesis makes one."""

from amaranth import Module, Signal, Value
from amaranth.hdl import ValueLike

NEAR = "near"
"""Attribute of registers that synthesis leaves as they are, instead of merging equal ones."""


def near(m: Module, value: ValueLike) -> Signal:
    """The value a cycle later, in a register of its own, so that it can lie near what takes it from there."""
    register = Signal.like(Value.cast(value), reset_less=True, name="near", attrs={NEAR: 1})
    m.d.sync += register.eq(value)
    return register
