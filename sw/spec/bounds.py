"""Bounds of the numbers that a user can give, the same for options of the command line and for arguments of classes.

A bound is a pair: the least and the most that is legal. Numbers beyond it could never be computed, or would take all
memory before anything is said.
"""

import math
import operator
from typing import Any

EPOCHS = 1, 1_000_000
"""The history has a row for each epoch, in memory and in the model file."""

RECORDS = 1, 10_000_000_000
"""An epoch over the most takes hours."""

THREADS = 1, 1024
MODELS = 1, 4096
ROUND_RECORDS = RECORDS
SEED = 0, 2**63 - 1
TRIALS = 1, 1_000_000
SEEDS = 1, 10_000

SIZE = 1, 65_536
"""Features, addends or outputs of a layer."""

SEGMENTS = 2, 1 << 22
LAYERS = 1, 64
GAIN = 0, 23
SHIFTS = 1, 24
PARAMETERS = 1, 1 << 26
"""Nodes of a network: half a gigabyte, as 64-bit numbers."""

RELAXATION = 0.001, 2.0
SECONDS = 0.0, 1e7
"""Four months."""

BYTES = 0, 1 << 62
WAIT_SECONDS = 0.001, 1e6
BAUD = 300, 12_000_000
DEFAULT_BAUD = 3_000_000  # bits per second, of every board in boards/
"""The most that USB serial chips of boards have."""

CLOCK_MHZ = 0.1, 1000.0
CHART_RECORDS = 1, 1000
STALENESS = 0, 100_000
PLACER_SEED = 0, 2**31 - 1
TAPS = SIZE
SHARE = 1e-9, 0.999999999
"""A correlation or a share that can be missed as well as reached."""


def whole_number(value: Any) -> int | None:
    """Convert a value to an int, if it is a whole number; None for anything else, truth values included."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def check_whole(name: str, value: Any, least: int, most: int) -> int:
    """Check a whole number.

    Parameters
    ----------
    name : str
        What the number is, for the message.
    value : int
        The number.
    least, most : int
        Its bounds.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ValueError
        For anything but a whole number within the bounds; the message names both.
    """
    number = whole_number(value)
    if number is None or not least <= number <= most:
        raise ValueError(f"{name} {shown(value)} must be a whole number from {least} to {most}")
    return number


def check_real(name: str, value: Any, least: float, most: float) -> float:
    """Check a real number.

    Parameters
    ----------
    name : str
        What the number is, for the message.
    value : float
        The number.
    least, most : float
        Its bounds.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        For anything but a number within the bounds; NaN is not one. The message names the bounds.
    """
    try:
        number = math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number <= most:
        raise ValueError(f"{name} {shown(value)} must be a number from {least:.12g} to {most:.12g}")
    return number


def shown(value: Any) -> str:
    """Return a value as text of one short line, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:40]}..."


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as `1 layer` and `2 layers`, for a message."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
