"""The chance by which steps are rounded in a network with fine bits: a word for each record that is trained on.

The word is the state of a linear feedback shift register of 16 bits, in Galois form, which takes every value but 0. It
goes `CHANCE_BITS` shifts on with each record that is trained on, and all layers round the record's steps by the same
word: input j by the bits from number j on, as if the word were a ring.
"""

from functools import cache
from typing import Any

import numpy as np

FINE = (0, 4)
"""Legal numbers of fine bits: bits of a step below a node's. With 0 there is no chance in training."""

CHANCE_BITS = 16
PERIOD = (1 << CHANCE_BITS) - 1
"""Records after which the words repeat."""

FIRST_CHANCE = 1
"""The word before the first record of a training."""

POLYNOMIAL = 0xB400
"""What a 1 that is shifted out inverts: x**16 + x**14 + x**13 + x**11 + 1, whose period is the longest."""


def next_chance(word: Any) -> Any:
    """Compute the word of the next record.

    Parameters
    ----------
    word : int or ndarray of int
        Words of records.

    Returns
    -------
    of the type of `word`
        The words of the records after them.
    """
    for _ in range(CHANCE_BITS):
        word = (word >> 1) ^ (word & 1) * POLYNOMIAL
    return word


def chances(word: int, inputs: np.ndarray, fine: int) -> np.ndarray:
    """Compute what is added to the steps of inputs before their fine bits are cut off.

    Parameters
    ----------
    word : int
        The record's word.
    inputs : ndarray of int
        Numbers of the inputs.
    fine : int
        Fine bits.

    Returns
    -------
    ndarray of int
        For each input a number of `fine` bits.
    """
    return (word | word << CHANCE_BITS) >> inputs % CHANCE_BITS & ((1 << fine) - 1)


def chances_after(word: int, count: int, stride: int = 1) -> np.ndarray:
    """Compute the words of the next records at once.

    Parameters
    ----------
    word : int
        The word of the last record.
    count : int
        Number of records.
    stride : int, default=1
        Only every so many-th record is meant.

    Returns
    -------
    ndarray of int64, shape (count,)
        The words.

    Raises
    ------
    ValueError
        For a word that no record has.
    """
    check_chance(word)
    words, places = _ring()
    return words[(places[word - 1] + stride * np.arange(1, count + 1)) % PERIOD]


def chance_after(word: int, records: int) -> int:
    """Compute the word of the last of so many records more; of an earlier one, if they are negative.

    Raises
    ------
    ValueError
        For a word that no record has.
    """
    return int(chances_after(word, 1, records)[0])


def check_chance(word: int) -> None:
    """Check that a record can have this word.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not 1 <= word <= PERIOD:
        raise ValueError(f"chance word {word}: must be from 1 to {PERIOD}")


@cache
def _ring() -> tuple[np.ndarray, np.ndarray]:
    """Return all words in order, from the first on, and the place of each word less 1 among them.

    The words of as many records again follow by a linear map of the words so far, which `columns` has bit by bit.
    """
    words, columns = np.array([FIRST_CHANCE]), next_chance(1 << np.arange(CHANCE_BITS))
    while len(words) < PERIOD:
        words, columns = np.concatenate([words, _mapped(columns, words)]), _mapped(columns, columns)
    return words[:PERIOD], np.argsort(words[:PERIOD])


def _mapped(columns: np.ndarray, words: np.ndarray) -> np.ndarray:
    bits = words[:, None] >> np.arange(CHANCE_BITS) & 1
    return np.bitwise_xor.reduce(bits * columns, axis=1)
