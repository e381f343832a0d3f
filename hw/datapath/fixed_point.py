"""Number rules of `sw.spec.numerics` as gateware: limits, saturation, argument codes."""

from amaranth import Cat, Mux, Value


def code_of(result: Value) -> Value:
    """The unsigned argument code of a signed result: its sign bit inverted."""
    return Cat(result[:-1], ~result[-1])


def outside(value: Value, low: int, high: int) -> Value:
    """Whether a signed value is below `low` or above `high`, a power of two less one; `low` is -high - 1 or -high.

    So the value's upper bits tell, where a comparison would take a carry chain. Raises ValueError for other limits.
    """
    if high & (high + 1) or low not in (-high - 1, -high):
        raise ValueError(f"limits {low}..{high}: high is a power of two less one, low is -high or one less")
    bits = high.bit_length()
    upper = value[bits:]
    beyond = upper.any() & ~upper.all()
    lowest = value[-1] & upper.all() & ~value[:bits].any()
    return beyond | lowest if low == -high else beyond


def clamp(value: Value, low: int, high: int) -> Value:
    """A signed value limited to low..high, as a signed value that fits the limits, which are those of `outside`."""
    limited = Mux(outside(value, low, high), Mux(value[-1], low, high), value)
    return limited[: high.bit_length() + 1].as_signed()


def saturate(value: Value, bits: int) -> tuple[Value, Value]:
    """A signed value cut to a signed word of `bits`, and whether it was."""
    high = (1 << (bits - 1)) - 1
    return clamp(value, -high - 1, high), outside(value, -high - 1, high)
