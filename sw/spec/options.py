"""The syntax of the values that options of the command line have: numbers, lists, shapes, pre-training.

Each function is the `type` of an argparse option: it raises ArgumentTypeError with a message for the user.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from math import nan

from sw.spec.bounds import EPOCHS, LAYERS, SIZE, shown

Groups = tuple[int, int | None]
"""Addends of a group that is pre-trained, 0 for no pre-training, and epochs of it, None where they are not given."""

MOST_NUMBERS = 100


def whole(least: int, most: int) -> Callable[[str], int]:
    """Make the parser of a whole number.

    Parameters
    ----------
    least, most : int
        The bounds of legal numbers.

    Returns
    -------
    Callable[[str], int]
        The `type` of an option.
    """

    def parse(text: str) -> int:
        number = _whole(text)
        if number is None or not least <= number <= most:
            raise ArgumentTypeError(f"{shown(text)} must be a whole number from {least} to {most}")
        return number

    return parse


def real(least: float, most: float) -> Callable[[str], float]:
    """Make the parser of a real number.

    Parameters
    ----------
    least, most : float
        The bounds of legal numbers.

    Returns
    -------
    Callable[[str], float]
        The `type` of an option.
    """

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = nan
        if not least <= number <= most:
            raise ArgumentTypeError(f"{shown(text)} must be a number from {least:.12g} to {most:.12g}")
        return number

    return parse


def numbers(least: int, most: int, count: int = MOST_NUMBERS) -> Callable[[str], tuple[int, ...]]:
    """Make the parser of whole numbers with commas between them, such as `2,32`.

    Parameters
    ----------
    least, most : int
        The bounds of legal numbers.
    count : int
        The most numbers.

    Returns
    -------
    Callable[[str], tuple of int]
        The `type` of an option; it gives one number or more.
    """

    def parse(text: str) -> tuple[int, ...]:
        found = [_whole(each) for each in text.split(",")]
        legal = tuple(number for number in found if number is not None and least <= number <= most)
        if len(legal) != len(found) or len(found) > count:
            raise ArgumentTypeError(
                f"{shown(text)} must be whole numbers from {least} to {most} with commas between them, such as 2,32, "
                f"{count} at most"
            )
        return legal

    return parse


def shape(text: str) -> tuple[int, ...] | None:
    """Parse a network's shape, such as `16-72-1`: features, addends of each hidden layer, outputs.

    A network of one layer has none of the addends: `16-1`.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    tuple of int or None
        None for a text that is no shape, which may be the name of a preset.

    Raises
    ------
    ArgumentTypeError
        For a shape with a size beyond the bounds, or with too many layers.
    """
    if not re.fullmatch(r"\d+(-\d+)+", text, re.ASCII):
        return None
    sizes = [_whole(each) for each in text.split("-")]
    legal = tuple(size for size in sizes if size is not None and SIZE[0] <= size <= SIZE[1])
    if len(legal) != len(sizes) or not LAYERS[0] < len(sizes) <= LAYERS[1] + 1:
        raise ArgumentTypeError(
            f"{shown(text)} must be {LAYERS[0] + 1} to {LAYERS[1] + 1} sizes of layers, each from {SIZE[0]} to "
            f"{SIZE[1]}, such as 16-72-1"
        )
    return legal


def pretraining(text: str) -> Groups:
    """Parse `ADDENDS`, `ADDENDS:EPOCHS` or `none`.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    tuple of int and (int or None)
        Addends of a group, 0 for `none`; epochs, None where they are left out.

    Raises
    ------
    ArgumentTypeError
        For any other text.
    """
    if text == "none":
        return 0, None
    addends, colon, epochs = text.partition(":")
    try:
        return whole(*SIZE)(addends), whole(*EPOCHS)(epochs) if colon else None
    except ArgumentTypeError as error:
        raise ArgumentTypeError(
            f"{shown(text)} must be addends, addends:epochs such as 6:2, or none, with {SIZE[0]} to {SIZE[1]} addends "
            f"and {EPOCHS[0]} to {EPOCHS[1]} epochs"
        ) from error


def _whole(text: str) -> int | None:
    """Return the number that a text of digits is, None for any other text and for a number too long to compute with."""
    return int(text) if re.fullmatch(r"-?\d{1,300}", text, re.ASCII) else None
