"""Strobes and the values that come with them: delays, counters, registers and small FIFOs."""

from amaranth import Cat, Module, Mux, Signal, Value

from hw.datapath.fanout import FANOUT


def delayed(m: Module, strobe: Value, cycles: int) -> Value:
    """Return the strobe so many cycles later."""
    for _ in range(cycles):
        later = Signal()
        m.d.sync += later.eq(strobe)
        strobe = later
    return strobe


def counter(m: Module, name: str, step: Value, modulus: int) -> Signal:
    """Return a signal of this name that counts the steps before this cycle, modulo `modulus`."""
    count = Signal(range(modulus), name=name)
    with m.If(step):
        m.d.sync += count.eq(Mux(count == modulus - 1, 0, count + 1))
    return count


def load_register(m: Module, load: Value, value: Value, *, fanout: bool = False) -> Signal:
    """Return a register that takes the value in a cycle with `load` and shows it from the next cycle on.

    Parameters
    ----------
    m : Module
        Where the register is added.
    load, value : Value
        The strobe, and the value that comes with it.
    fanout : bool
        Whether synthesis must leave it as it is, since it is one of several equal registers, each near its use.
    """
    register = Signal.like(value, reset_less=True, name="loaded", attrs={FANOUT: 1} if fanout else {})
    with m.If(load):
        m.d.sync += register.eq(value)
    return register


def collect_groups(m: Module, name: str, valid: Value, group: Value, groups: int) -> tuple[Value, Value]:
    """Return a strobe for the last of so many groups, and all groups in that cycle.

    Parameters
    ----------
    m : Module
        Where registers are added for all groups but the last.
    name : str
        What the groups are; a prefix of signal names.
    valid, group : Value
        The strobe of a group, and the group.
    groups : int
        Groups that belong together.

    Returns
    -------
    complete : Value
        Set in the cycle of the last group.
    all_groups : Value
        The groups in that cycle, side by side, the first one lowest.
    """
    if groups == 1:
        return valid, group
    number = counter(m, f"{name}_group", valid, groups)
    earlier = Signal(len(group) * (groups - 1), reset_less=True, name=f"{name}_earlier")
    all_groups = Cat(earlier, group)
    with m.If(valid):
        m.d.sync += earlier.eq(all_groups[len(group) :])
    return valid & (number == groups - 1), all_groups


def register_fifo(m: Module, read: Value, write: Value, value: Value, depth: int) -> Value:
    """Return the oldest value of a FIFO in registers.

    It has no flags. The oldest value stands until the cycle of `read`, after which the next one does. A value can be
    read from the cycle after its write on.

    Parameters
    ----------
    m : Module
        Where the FIFO is added.
    read : Value
        The oldest value is used in this cycle.
    write, value : Value
        Take this value in.
    depth : int
        Values in the FIFO at the most.
    """
    values = Signal(len(value) * depth, reset_less=True, name="fifo_values")
    read_position, write_position = counter(m, "fifo_read", read, depth), counter(m, "fifo_write", write, depth)
    with m.If(write):
        m.d.sync += values.word_select(write_position, len(value)).eq(value)
    return values.word_select(read_position, len(value))
