"""Text from files and devices, made safe for a terminal."""

import unicodedata

_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of pairs, separators of lines and paragraphs
_JOINERS = "\u200c\u200d"  # invisible, and needed in some scripts; all other format characters are replaced


def printable(text: str, *, lines: bool = False) -> str:
    r"""Replace the characters that a terminal obeys, or that change the order of others, by their escapes.

    Parameters
    ----------
    text : str
        Any text, such as a column's name.
    lines : bool
        Whether line ends are kept.

    Returns
    -------
    str
        The text, with `\x1b` for an escape character and the like.
    """
    if text.isprintable():
        return text
    return "".join(each if _safe(each) or (lines and each == "\n") else _escaped(each) for each in text)


def _safe(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in _UNSAFE and (category != "Cf" or character in _JOINERS)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
