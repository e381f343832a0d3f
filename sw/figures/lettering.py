"""Names from files, drawn as they are: no mathematics, in a font that has their characters.

Matplotlib's own font has no Chinese, Japanese or Korean characters. A font of the system is taken for what is missing;
where none has a character, its number is drawn.
"""

import unicodedata
from functools import cache
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.ft2font import FT2Font
from matplotlib.legend import Legend
from matplotlib.text import Text

from sw.spec.printable import printable

OWN_FONT = "DejaVu Sans"
NO_LETTERS = "Last Resort", "Emoji"  # fonts of boxes, and such that Matplotlib cannot draw
LONGEST = 40  # characters of a name


def shown(name: str) -> str:
    """Return what is drawn for a name.

    Parameters
    ----------
    name : str
        From a file.

    Returns
    -------
    str
        The name, at most `LONGEST` characters of it, without control characters.
    """
    name = printable(name)
    name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return "".join(each if _font_of(each) else f"U+{ord(each):04X}" for each in name)


def style(text: str) -> dict[str, Any]:
    """Return the properties of a Matplotlib text that draw a text literally.

    Parameters
    ----------
    text : str
        What `shown` gave, or a text with it.
    """
    fonts = dict.fromkeys([OWN_FONT, *filter(None, map(_font_of, text))])
    return {"parse_math": False, "family": list(fonts)}


def width(text: str) -> int:
    """Count the columns of a text: wide characters count twice."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def letter(axes: Axes, x: float, y: float, text: str, **properties: Any) -> Text:
    """Write a text with names into a plot, as `Axes.text` does."""
    return axes.text(x, y, text, **style(text), **properties)


def label(axes: Axes, *, x: str | None = None, y: str | None = None, title: str | None = None) -> None:
    """Write labels with names beside a plot's axes, and its title."""
    if x is not None:
        axes.set_xlabel(x, **style(x))
    if y is not None:
        axes.set_ylabel(y, **style(y))
    if title is not None:
        axes.set_title(title, fontsize=10, **style(title))


def rename(legend: Legend, names: list[str]) -> None:
    """Give the entries of a legend their names, whatever these begin with."""
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
        text.set(**style(name))


@cache
def _font_of(character: str) -> str | None:
    """Find the first font that has a character: Matplotlib's own, else one of the system's."""
    if ord(character) in _characters(font_manager.findfont(OWN_FONT)):
        return OWN_FONT
    return next((name for name, path in _others() if ord(character) in _characters(path)), None)


@cache
def _others() -> list[tuple[str, str]]:
    """List the names and files of upright fonts; those for screens and signs come first."""
    found = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal" and not any(word in entry.name for word in NO_LETTERS)
    }
    return sorted(found.items(), key=lambda font: (not ("Sans" in font[0] or "Gothic" in font[0]), font[0]))


@cache
def _characters(path: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a file that is no font to Matplotlib
        return frozenset()
