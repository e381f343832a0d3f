"""What the first lines of a text table tell: its delimiter, its decimal mark, where it begins, and its header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sw.datasets.cells import Kind, has_decimal_comma, has_decimal_point, kind_of
from sw.datasets.dataset import DatasetError
from sw.datasets.raw import shortened

SAMPLE = 1 << 16
SAMPLE_LINES = 10
CELLS = 4000
BLANKS = " "
"""The delimiter that stands for any run of blanks and tabs."""
DELIMITERS = ("\t", ";", "|", ",", BLANKS)
COMMENT = ("#", "%", "//")
NAMES = {"\t": "tab", BLANKS: "blanks"}

Record = tuple[int, list[str]]
"""Number of the line in which a row begins, counted from 1, and the row's cells."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    delimiter : str
        Between two cells; `BLANKS` for any run of blanks and tabs.
    comma : bool
        Whether numbers have a decimal comma.
    width : int
        Cells in a row.
    skipped : int
        Lines before the first row of data.
    names : tuple of str or None
        Names of the columns, some perhaps ""; None without a header.
    notes : tuple of str
        What was assumed, a line each.
    """

    delimiter: str
    comma: bool
    width: int
    skipped: int
    names: tuple[str, ...] | None
    notes: tuple[str, ...]


def split_cells(lines: Iterator[str], delimiter: str, first_line: int = 1) -> Iterator[Record]:
    """Split lines into rows of cells; a quoted cell may hold the ends of lines.

    Parameters
    ----------
    lines : iterator of str
        The lines with their ends.
    delimiter : str
        Between two cells.
    first_line : int
        Number of the first line.

    Yields
    ------
    line : int
        Number of the line in which the row begins.
    cells : list of str
        The row's cells; none for an empty line.
    """
    if delimiter == BLANKS:
        lines = (line.replace("\t", " ").strip() + "\n" for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == BLANKS)
    line = first_line
    for cells in reader:
        yield line, cells
        line = first_line + reader.line_num


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a row has no cell with anything in it."""
    return not any(cell.strip() for cell in cells)


def sample(data: bytes) -> tuple[str, bool]:
    """Take the first lines of a text.

    Parameters
    ----------
    data : bytes
        The text, in UTF-8.

    Returns
    -------
    text : str
        Whole lines, `SAMPLE` bytes of them and at least `SAMPLE_LINES`.
    whole : bool
        Whether that is all of the text.
    """
    end = min(SAMPLE, len(data))
    for _ in range(SAMPLE_LINES - data.count(b"\n", 0, end)):
        end = data.find(b"\n", end) + 1 or len(data)
    if end < len(data):
        end = max(data.rfind(b"\n", 0, end), data.rfind(b"\r", 0, end)) + 1 or end
    return data[:end].decode("utf-8", "ignore"), end == len(data)


def sniff(name: str, data: bytes, header: bool | None) -> Dialect:
    """Find how a text table is written.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    data : bytes
        The text, in UTF-8.
    header : bool or None
        Whether the first row holds names; None for finding out.

    Returns
    -------
    Dialect
        Delimiter, decimal mark, header, and the lines before.

    Raises
    ------
    DatasetError
        If there is no row.
    """
    text, whole = sample(data)
    lines = list(io.StringIO(text, newline=""))
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r\n")) if lines else None
    candidates: dict[str, list[Record]] = {}
    for delimiter in [told[1]] if told else DELIMITERS:
        with suppress(csv.Error):  # a cell is too long
            candidates[delimiter] = _records(lines[bool(told) :], delimiter, 1 + bool(told), whole)
    if not candidates:
        raise DatasetError(f"{name} is not a table of text: a cell has more than {csv.field_size_limit()} letters")
    delimiter = max(candidates, key=lambda delimiter: _score(candidates[delimiter], delimiter))
    if "," in candidates and _score(candidates[delimiter], delimiter) == 0:
        delimiter = ","
    records = candidates[delimiter]
    if not records:
        raise DatasetError(f"{name} has no records")
    return _describe(lines, records, delimiter, header, bool(told))


def _records(lines: list[str], delimiter: str, first_line: int, whole: bool) -> list[Record]:
    records = list(split_cells(iter(lines), delimiter, first_line))
    if not whole and len(records) > 1:
        records.pop()  # a quoted cell may have been cut
    return [record for record in records if not is_blank(record[1])]


def _width(records: list[Record]) -> int:
    counts = Counter(len(cells) for _, cells in records)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _score(records: list[Record], delimiter: str) -> float:
    """Score a delimiter: rows should have the same number of cells, two or more, and few should be text."""
    width = _width(records)
    if width < 2:
        return 0
    fitting = [cells for _, cells in records if len(cells) == width]
    cells = [cell for row in fitting[: max(2, CELLS // width)] for cell in row]
    plain = sum(kind_of(cell, comma=delimiter != ",") is not Kind.TEXT for cell in cells)
    return len(fitting) / len(records) * (0.1 + plain / len(cells))


def _describe(lines: list[str], records: list[Record], delimiter: str, header: bool | None, told: bool) -> Dialect:
    width = _width(records)
    start = _first_row(records, width)
    line, first = records[start]
    rows = [cells for _, cells in records[start + 1 :]][: max(2, CELLS // width)]
    comma = delimiter != "," and _decimal_comma([first, *rows], delimiter)
    names = _commented_names(lines, line, delimiter, len(first)) if header is not False else None
    commented = names is not None
    if names is None and header is not False and len(first) == width - 1 and start + 1 < len(records):
        trailing = all(not cells[-1].strip() for cells in rows if len(cells) == width)
        first = [*first, ""] if trailing else ["", *first]
    notes = []
    if names is not None:
        skipped = line - 1
    elif header or (header is None and is_header(first, rows, comma=comma)):
        names = tuple(cell.strip() for cell in first)
        skipped = records[start + 1][0] - 1 if start + 1 < len(records) else len(lines)
    else:
        skipped = line - 1
        is_text = any(kind_of(cell, comma=comma) is Kind.TEXT for cell in first)
        looks = "looks like the rows below" if is_text else "holds numbers"
        notes.append(f"no header: the first row {looks}" + ("; --header takes it for names" * (header is None)))
    if names is not None:
        notes.append(f"header: {shortened([cell for cell in names if cell])}")
    before = sum(1 for text in lines[: line - 1] if text.strip()) - told - commented
    if before:
        notes.append(f"lines before the table, left out: {before}")
    if delimiter != "," or comma:
        notes.append(f"delimiter: {NAMES.get(delimiter, delimiter)}" + ", decimal comma" * comma)
    return Dialect(delimiter, comma, len(first), skipped, names, tuple(notes))


def _first_row(records: list[Record], width: int) -> int:
    """Find the first row of the table, header or not: titles and comments before it have fewer cells."""
    for index, (_, cells) in enumerate(records[:-1]):
        if cells[0].lstrip().startswith(COMMENT) and len(cells) != width:
            continue
        kinds = [kind_of(cell) for cell in cells]
        filled = [kind for kind in kinds if kind is not Kind.MISSING]
        if len(cells) == width:
            if width < 3 or kinds[0] is not Kind.TEXT or len(filled) > 1:
                return index
        elif len(cells) > width or Kind.TEXT not in kinds or _lacks_a_name(kinds, records[index + 1][1], width):
            return index
    return len(records) - 1


def _lacks_a_name(kinds: list[Kind], row: list[str], width: int) -> bool:
    """Whether a row is a header over rows with one more cell: R's row names, or a delimiter at the end of each row."""
    if len(kinds) != width - 1 or len(row) != width or len(kinds) < 2:
        return False
    return all(kind is Kind.TEXT for kind in kinds) and any(kind_of(cell) is not Kind.TEXT for cell in row)


def _commented_names(lines: list[str], line: int, delimiter: str, width: int) -> tuple[str, ...] | None:
    """Find names in a comment right before line number `line`, as numpy.savetxt writes them."""
    before = lines[line - 2].strip() if line > 1 else ""
    if not before.startswith(COMMENT):
        return None
    _, cells = next(split_cells(iter([before.lstrip("#%/ \t")]), delimiter), (0, []))
    if len(cells) == width and width > 1 and all(kind_of(cell) is Kind.TEXT for cell in cells):
        return tuple(cell.strip() for cell in cells)
    return None


def _decimal_comma(rows: list[list[str]], delimiter: str) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    commas, points = sum(map(has_decimal_comma, cells)), sum(map(has_decimal_point, cells))
    if commas or points:
        return commas > points
    return delimiter == ";" and any("," in cell and kind_of(cell, comma=True) is Kind.NUMBER for cell in cells)


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]], *, comma: bool = False) -> bool:
    """Decide whether the first row of a table holds the names of its columns.

    Parameters
    ----------
    first : sequence of str
        Cells of the first row.
    rows : sequence of sequences of str
        Some rows after it.
    comma : bool, default=False
        Whether numbers have a decimal comma.

    Returns
    -------
    bool
        Whether some column has text over numbers, dates and missing cells, or a date over numbers; or the cells are
        distinct text, some perhaps empty; or three of them at least, all but text, are consecutive integers, and the
        row below is not such; or after an empty cell they are the integers from 0.
    """
    kinds = [kind_of(cell, comma=comma) for cell in first]
    for index, kind in enumerate(kinds):
        below = {kind_of(row[index], comma=comma) for row in rows if index < len(row)} - {Kind.MISSING}
        if (kind is Kind.TEXT and below and Kind.TEXT not in below) or (kind is Kind.DATE and below == {Kind.NUMBER}):
            return True
    cells = [cell.strip() for cell in first if cell.strip()]
    if cells and not {Kind.NUMBER, Kind.DATE} & set(kinds):
        return Kind.TEXT in kinds and len(set(cells)) == len(cells)
    integers = _consecutive(first)
    if not first[0].strip() and integers == len(first) - 1 and cells[0] == "0":
        return True
    return integers > 2 and bool(rows) and not _consecutive(rows[0])


def _consecutive(cells: Sequence[str]) -> int:
    """Count the cells that are not text or missing, if they are consecutive integers; otherwise 0."""
    plain = [cell.strip() for cell in cells if kind_of(cell) in (Kind.NUMBER, Kind.DATE)]
    if not all(re.fullmatch(r"-?[0-9]{1,15}", cell) for cell in plain):
        return 0
    numbers = [int(cell) for cell in plain]
    return len(numbers) * (numbers == list(range(numbers[0], numbers[0] + len(numbers)))) if numbers else 0
