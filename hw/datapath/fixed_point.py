"""Number rules of `sw.spec.numerics` as gateware: limits, saturation, argument codes."""

from amaranth import Cat, Mux, Value

from sw.spec.numerics import WordFormat


def code_of(result: Value) -> Value:
    """Return the unsigned argument code of a signed result: its sign bit inverted."""
    return Cat(result[:-1], ~result[-1])


def outside(value: Value, low: int, high: int) -> Value:
    """Return whether a signed value is below `low` or above `high`.

    With these limits the upper bits of the value tell; a comparison would take a carry chain.

    Parameters
    ----------
    value : Value
        The signed value.
    low : int
        -`high` - 1 or -`high`.
    high : int
        A power of two less one.

    Raises
    ------
    ValueError
        For other limits.
    """
    if high & (high + 1) or low not in (-high - 1, -high):
        raise ValueError(f"limits {low}..{high}: high is a power of two less one, low is -high or one less")
    bits = high.bit_length()
    upper = value[bits:]
    beyond = upper.any() & ~upper.all()
    lowest = value[-1] & upper.all() & ~value[:bits].any()
    return beyond | lowest if low == -high else beyond


def clamp(value: Value, low: int, high: int) -> Value:
    """Return a signed value limited to low..high, in as many bits as the limits need; limits as for `outside`."""
    limited = Mux(outside(value, low, high), Mux(value[-1], low, high), value)
    return limited[: high.bit_length() + 1].as_signed()


def limit_error(value: Value, word: WordFormat) -> Value:
    """Return a signed value limited to the errors that are legal, as a word."""
    if not word.fine:
        return clamp(value, -word.maximum, word.maximum)
    middle = value[word.fine : word.width - 1]
    at_end = Mux(value[-1], ~middle.any(), middle.all()) | outside(value, word.minimum, word.maximum)
    limited = Mux(at_end, Mux(value[-1], -word.largest_error, word.largest_error), value)
    return limited[: word.width].as_signed()


def saturate(value: Value, bits: int) -> tuple[Value, Value]:
    """Return a signed value limited to a signed word of `bits`, and whether that changed it."""
    high = (1 << (bits - 1)) - 1
    return clamp(value, -high - 1, high), outside(value, -high - 1, high)
