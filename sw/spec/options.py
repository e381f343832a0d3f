"""The syntax of the values that options of the command line have: whole numbers, lists, shapes, pre-training.

Each function is the `type` of an argparse option: it raises ArgumentTypeError with a message for the user.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable

Groups = tuple[int, int | None]
"""Addends of a group that is pre-trained, 0 for no pre-training, and epochs of it, None where they are not given."""


def whole(least: int) -> Callable[[str], int]:
    """Make the parser of a whole number.

    Parameters
    ----------
    least : int
        The least legal number.

    Returns
    -------
    Callable[[str], int]
        The `type` of an option.
    """

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text) or int(text) < least:
            raise ArgumentTypeError(f"{text!r} must be a whole number, {least} or more")
        return int(text)

    return parse


def numbers(text: str) -> tuple[int, ...]:
    """Parse whole numbers with commas between them, such as `2,32`.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    tuple of int
        One number or more.

    Raises
    ------
    ArgumentTypeError
        For any other text.
    """
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise ArgumentTypeError(f"{text!r} must be whole numbers with commas between them, such as 2,32")
    return tuple(map(int, text.split(",")))


def shape(text: str) -> tuple[int, ...] | None:
    """Parse a network's shape, such as `16-72-1`: features, addends of each hidden layer, outputs.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    tuple of int or None
        None for a text that is no shape, which may be the name of a preset.
    """
    return tuple(map(int, text.split("-"))) if re.fullmatch(r"\d+(-\d+)+", text) else None


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
    if not (found := re.fullmatch(r"([1-9]\d*)(?::([1-9]\d*))?", text)):
        raise ArgumentTypeError(f"{text!r} must be addends, addends:epochs such as 6:2, or none")
    return int(found[1]), int(found[2]) if found[2] else None
