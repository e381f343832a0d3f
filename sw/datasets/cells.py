"""Cells of text tables: which are numbers, dates, or missing, and columns of them with a type."""

import re
from collections.abc import Sequence
from enum import Enum

import pyarrow as pa
import pyarrow.compute as pc

from sw.datasets.dataset import DatasetError

USUAL_MISSING = ("", "NA", "NaN", "nan", "NULL", "null", "?")
"""Spellings of a cell without a value that the parser of a text table knows; more would cost time in wide tables."""
MISSING = (
    *USUAL_MISSING,
    *("-", "--", ".", "#N/A", "#N/A N/A", "#NA", "#NULL!", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "<NA>"),
    *("na", "Na", "N/A", "n/a", "NAN", "-nan", "-NaN", "NaT", "Null", "None", "none", "NONE"),
    *("missing", "Missing", "MISSING", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Spellings of a cell without a value."""

_EXPONENT = r"(?:[eE][+-]?\d+)?"
NUMBER = rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}|[+-]?(?i:inf|infinity)"
COMMA_NUMBER = rf"[+-]?(?:[1-9]\d{{0,2}}(?:\.\d{{3}})+|\d+)(?:,\d+)?{_EXPONENT}"
"""A number with a decimal comma, perhaps with points between groups of three digits."""
GROUPED_NUMBER = rf"[+-]?[1-9]\d{{0,2}}(?:,\d{{3}})+(?:\.\d*)?{_EXPONENT}"
"""A number with commas between groups of three digits."""
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
DATE = rf"\d{{4}}-\d\d-\d\d(?:[ T](?:\d\d|{_CLOCK})(?:Z|[+-]\d\d:?\d\d)?)?|{_CLOCK}"
"""A day, a time of a day, or both, as ISO 8601 writes them."""

_TIMES = (pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"))


class Kind(Enum):
    """What a cell holds."""

    MISSING = "missing"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


SURE_COMMA = r"\.\d{3}[.,]\d|^[+-]?0,|,\d{4}|,\d\d?(?:$|[eE])|\d{4},"
"""In a number with commas: the comma is a decimal one, as it cannot be one between groups of digits."""
SURE_GROUPS = r",\d{3}[.,]\d"

_MISSING = frozenset(MISSING)
_NUMBER, _COMMA_NUMBER, _DATE, _SURE_COMMA = (
    re.compile(pattern, re.ASCII) for pattern in (NUMBER, COMMA_NUMBER, DATE, SURE_COMMA)
)


def kind_of(cell: str, *, comma: bool = False) -> Kind:
    """Tell what a cell holds.

    Parameters
    ----------
    cell : str
        The cell, perhaps with blanks around.
    comma : bool, default=False
        Whether numbers may have a decimal comma, too.

    Returns
    -------
    Kind
        Its kind.
    """
    cell = cell.strip()
    if cell in _MISSING:
        return Kind.MISSING
    if _NUMBER.fullmatch(cell) or (comma and _COMMA_NUMBER.fullmatch(cell)):
        return Kind.NUMBER
    return Kind.DATE if _DATE.fullmatch(cell) else Kind.TEXT


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell is a number whose comma cannot be one between groups of three digits."""
    return "," in cell and bool(_COMMA_NUMBER.fullmatch(cell) and _SURE_COMMA.search(cell))


def has_decimal_point(cell: str) -> bool:
    """Whether a cell is a number whose point cannot be one between groups of three digits."""
    return "." in cell and bool(_NUMBER.fullmatch(cell)) and not _COMMA_NUMBER.fullmatch(cell)


def typed(column: pa.ChunkedArray, *, comma: bool) -> tuple[pa.ChunkedArray, str | None]:
    """Convert a column of text to numbers, dates or times if all its cells are such.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of string
        The cells.
    comma : bool
        Whether the numbers of the file have a decimal comma. If not, a column's numbers have one if its cells leave no
        doubt.

    Returns
    -------
    column : pyarrow.ChunkedArray
        The values, null where a cell is missing.
    marks : str or None
        What marks its numbers have, if others than those of the file.
    """
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.is_in(text, pa.array(MISSING)), pa.scalar(None, pa.string()), text)
    if text.null_count == len(text):
        return text.cast(pa.float64()), None
    plain, marks = _plain_numbers(text, comma)
    if plain is not None:
        return _first_cast(plain, (pa.int64(), pa.float64())), marks
    if _all(text, r"(?i:true|false)"):
        return pc.equal(pc.utf8_lower(text), "true"), None
    if _all(text, _CLOCK):
        clock = pc.binary_join_element_wise("1970-01-01", text, "T")
        return _first_cast(clock, (pa.timestamp("us"), clock.type)).cast(pa.time64("us")), None
    return (_first_cast(text, (*_TIMES, text.type)) if _all(text, DATE) else text), None


def stray(column: pa.ChunkedArray) -> int | None:
    """Find the first cell that is not a number in a column of text most of whose cells are numbers.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        A column as `typed` gives it.

    Returns
    -------
    int or None
        The cell's row; None if there is no such cell, or most are not numbers.
    """
    if not pa.types.is_string(column.type):
        return None
    numbers = pc.match_substring_regex(column, f"^(?:{NUMBER})$")
    count = pc.sum(numbers).as_py() or 0
    if 2 * count <= len(column) - column.null_count:
        return None
    return pc.index(numbers, False).as_py()


def _plain_numbers(text: pa.ChunkedArray, comma: bool) -> tuple[pa.ChunkedArray | None, str | None]:
    """Write numbers with a point and without marks between groups of digits, and name such marks; None for others."""
    if _all(text, NUMBER) and not (comma and _all(text, COMMA_NUMBER)):
        return text, None
    if _all(text, COMMA_NUMBER) and (comma or _any(text, SURE_COMMA)):
        return pc.replace_substring(pc.replace_substring(text, ".", ""), ",", "."), None if comma else "decimal comma"
    if _all(text, f"{NUMBER}|{GROUPED_NUMBER}") and _any(text, SURE_GROUPS):
        return pc.replace_substring(text, ",", ""), "commas between groups of digits"
    return None, None


def _all(text: pa.ChunkedArray, pattern: str) -> bool:
    pattern = f"^(?:{pattern})$"
    start = text.slice(0, 1000)  # since most columns of text are seen to be text at once
    return all(pc.all(pc.match_substring_regex(part, pattern)).as_py() is not False for part in (start, text))


def _any(text: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(text, pattern)).as_py())


def _first_cast(text: pa.ChunkedArray, kinds: Sequence[pa.DataType]) -> pa.ChunkedArray:
    """Convert to the first type that takes all cells; the last one must."""
    for kind in kinds[:-1]:
        try:
            return text.cast(kind)
        except pa.ArrowInvalid:
            continue
    return text.cast(kinds[-1])


def check_text(name: str, data: bytes) -> None:
    """Check that the bytes of the file `name` can be text.

    Raises
    ------
    DatasetError
        If one is zero.
    """
    place = data.find(0)
    if place >= 0:
        line = data.count(b"\n", 0, place) + 1
        raise DatasetError(f"{name} is not text: byte {place} (in line {line}) is zero")
