"""Passes of a board: what the host asks for, and what it gets."""

from dataclasses import dataclass

import numpy as np

from sw.spec.protocol import Mode
from sw.spec.records import Records
from sw.spec.registers import PASS_BITS
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics


@dataclass(frozen=True)
class Pass:
    """A training pass over a block of records.

    Attributes
    ----------
    mode : Mode
        What it does.
    records : Records
        All records of the epoch.
    index : int
        Number of the block in the epoch.
    block : Records
        The block.
    half : int
        Half of the record store that the block lies in.
    row : int
        Row of the store at which it begins.
    rates : Rates
        Learning rates.
    """

    mode: Mode
    records: Records
    index: int
    block: Records
    half: int
    row: int
    rates: Rates


@dataclass(frozen=True)
class PassOutcome:
    """What a pass has given.

    Attributes
    ----------
    results : ndarray of shape (n, outputs)
        Results, if the pass predicted; otherwise n is 0.
    statistics : Statistics
        Its counts.
    cycles : int
        Clocks that it took.
    """

    results: np.ndarray
    statistics: Statistics
    cycles: int


def number_of(count: int) -> int:
    """Return the number of a pass by a count: it fits the register `pass`, and is not 0."""
    return count % ((1 << PASS_BITS) - 1) + 1
