"""Strobes and what comes with them: delayed, counted, collected, held."""

from amaranth import Cat, Module, Mux, Signal, Value

from hw.datapath.fanout import FANOUT


def kept_until(m: Module, wanted: Value, present: Value, value: Value, groups: int) -> Value:
    """In the cycles in which they are wanted, values that were present before, in turn; room for `groups` of them."""
    kept = Signal(len(value) * groups, reset_less=True, name="kept")
    first, next_ = counter(m, "kept_first", wanted, groups), counter(m, "kept_next", present, groups)
    with m.If(present):
        m.d.sync += kept.word_select(next_, len(value)).eq(value)
    return kept.word_select(first, len(value))


def delayed(m: Module, strobe: Value, cycles: int) -> Value:
    """The strobe so many cycles later."""
    for _ in range(cycles):
        later = Signal()
        m.d.sync += later.eq(strobe)
        strobe = later
    return strobe


def collected(m: Module, name: str, valid: Value, group: Value, groups: int) -> tuple[Value, Value]:
    """When the last of `groups` groups is there, and all of them then, the first one lowest."""
    if groups == 1:
        return valid, group
    number = counter(m, f"{name}_collected", valid, groups)
    before = Signal(len(group) * (groups - 1), reset_less=True, name=f"{name}_before")
    every = Cat(before, group)
    with m.If(valid):
        m.d.sync += before.eq(every[len(group) :])
    return valid & (number == groups - 1), every


def held(m: Module, present: Value, value: Value, *, apart: bool = False) -> Signal:
    """The value from the cycle after it was present on, until another one is. `apart`: in one of several registers,
    each near its use."""
    register = Signal.like(value, reset_less=True, name="held", attrs={FANOUT: 1} if apart else {})
    with m.If(present):
        m.d.sync += register.eq(value)
    return register


def counter(m: Module, name: str, step: Value, modulus: int) -> Signal:
    """Counts steps modulo `modulus`."""
    count = Signal(range(modulus), name=name)
    with m.If(step):
        m.d.sync += count.eq(Mux(count == modulus - 1, 0, count + 1))
    return count
