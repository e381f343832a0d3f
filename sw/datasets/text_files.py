"""Tables of text: .csv, .tsv, .txt and .data, each perhaps compressed by gzip."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sw.datasets.cells import USUAL_MISSING, check_text, stray, typed
from sw.datasets.dataset import DatasetError
from sw.datasets.raw import BLOCK, Content, RawTable, check_names, indices, wanted
from sw.datasets.sniffing import BLANKS, COMMENT, Dialect, Record, is_blank, sniff, split_cells
from sw.file_kind import GZIP_BYTES

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TEXT_LIMIT = 1 << 32
"""Bytes of text that are read, since they are held in memory."""
UNPACKED = 1 << 18
"""Bytes of packed text that are unpacked at a time."""
MOST_IN_BLOCK = (1 << 31) - 1
UNNAMED = re.compile(r"(?:Unnamed: \d+)?")
"""Names of columns that have none; pandas makes the long one when it reads an empty one."""


@dataclass(frozen=True, eq=False)
class _Body:
    """The rows of a text table.

    Attributes
    ----------
    text : bytes
        All lines, in UTF-8.
    start : int
        Byte at which the first row begins.
    dialect : Dialect
        How it is written; its delimiter is one byte.
    """

    text: bytes
    start: int
    dialect: Dialect

    def records(self, *more: str) -> Iterator[Record]:
        """Split the text, and `more` lines after it, into rows again, slowly, with the number of each row's line."""
        lines = io.TextIOWrapper(io.BytesIO(self.text), encoding="utf-8", newline="")
        lines.seek(self.start)
        return split_cells(chain(lines, more), self.dialect.delimiter, self.dialect.skipped + 1)


def read_text(content: Content, header: bool | None, columns: list[str] | None) -> RawTable:
    """Read a table of text.

    Parameters
    ----------
    content : Content
        The file.
    header : bool or None
        Whether the first row holds names; None for finding out.
    columns : list of str or None
        The columns to read; None for all.

    Returns
    -------
    RawTable
        All rows, each column a number, date or time if all its cells are such.

    Raises
    ------
    DatasetError
        If the file is not text, if a row has more or fewer cells than the first, or if there is no row.
    """
    name = content.name
    body, notes = _body(content, header)
    dialect = body.dialect
    names, unnamed = _names(name, dialect)
    text, misfits = _parse(name, body, names, None if columns is None else wanted(name, names, columns))
    table, remarks = _typed(text, dialect)
    notes = [*notes, *dialect.notes, *remarks]
    table, blank = _without_blank_rows(body, table)
    blank += misfits
    if blank:
        notes.append(f"empty rows and comments, left out: {blank}")
    if not table.num_rows:
        raise DatasetError(f"{name} has no records")
    if columns is None:
        for column in unnamed:
            held = _held_without_name(table.column(column))
            if held and table.num_columns > 1:
                notes.append(f"column {names.index(column)} has no name and holds {held}: left out")
                table = table.drop_columns([column])
    found = RawTable(name, table, tuple(table.column_names[-1:]), (), lambda row: _place(content, header, row))
    return replace(found, notes=(*notes, *_strays(found)))


def _names(name: str, dialect: Dialect) -> tuple[list[str], list[str]]:
    """Name the columns; give also those names that the file has not."""
    places = [*indices(name, dialect.width)]
    if dialect.names is None:
        return places, []
    named = {cell for cell in dialect.names if not UNNAMED.fullmatch(cell)}
    names, unnamed = [], []
    for place, cell in zip(places, dialect.names, strict=True):
        if cell not in named:
            cell = place if place not in named else f"column {place}"
            unnamed.append(cell)
        names.append(cell)
    check_names(name, names)
    return names, unnamed


def _body(content: Content, header: bool | None) -> tuple[_Body, list[str]]:
    data, notes = _utf8(content.name, _bytes(content))
    dialect = sniff(content.name, data, header)
    start = 0
    for end in islice(re.finditer(rb"\r\n|\n|\r|\Z", data), dialect.skipped):
        start = end.end()
    if dialect.delimiter == BLANKS:
        return _Body(_tabs_for_blanks(data[start:]), 0, replace(dialect, delimiter="\t")), notes
    return _Body(data, start, dialect), notes


def _bytes(content: Content) -> bytes:
    """Read a file, and unpack it."""
    with content.open() as stream:
        packed = stream.read(2) == GZIP_BYTES
        stream.seek(0)
        if not packed:
            _check_length(content.name, content.size)
            return stream.read()
        try:
            with gzip.open(stream) as unpacked:
                start = unpacked.peek(1 << 16)
                if not start.startswith(UTF16_MARKS):
                    check_text(content.name, start)
                return b"".join(_parts(content.name, unpacked))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DatasetError(f"{content.name} is not a gzip file, or it is damaged: {error}") from error


def _parts(name: str, stream: gzip.GzipFile) -> Iterator[bytes]:
    """Read a stream part by part: memory for the number of bytes that a reading asks for is taken before it begins."""
    length = 0
    while part := stream.read(UNPACKED):
        length += len(part)
        _check_length(name, length)
        yield part


def _check_length(name: str, length: int) -> None:
    if length > TEXT_LIMIT:
        raise DatasetError(f"{name} has more than {TEXT_LIMIT} bytes of text; convert it to Parquet")


def _utf8(name: str, data: bytes) -> tuple[bytes, list[str]]:
    """Encode a text as UTF-8 without a byte order mark; say so if it was neither that nor UTF-16."""
    notes = []
    if data.startswith(UTF16_MARKS):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DatasetError(f"{name} is not UTF-16 text, as its first bytes say: {error.reason}") from error
    check_text(name, data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            place = f"byte 0x{data[error.start]:02x} in line {line}"
            try:
                data = data.decode("cp1252").encode()
            except UnicodeDecodeError:
                raise DatasetError(f"{name} is not UTF-8 text: {place}; write it as UTF-8") from None
            notes.append(f"not UTF-8 ({place}): read as Windows-1252")
    return data, notes


def _tabs_for_blanks(data: bytes) -> bytes:
    """Put a tab in the place of each run of blanks and tabs outside quotes, and none at the ends of lines."""
    if b'"' in data:
        data = re.sub(rb'(?<!\S)"[^"\r\n]*"(?!\S)|[ \t]+', lambda run: run[0] if run[0][:1] == b'"' else b"\t", data)
    else:
        data = data.replace(b" ", b"\t")
        while b"\t\t" in data:
            data = data.replace(b"\t\t", b"\t")
    return re.sub(rb"(?m)^\t|\t(?=[\r\n]|\Z)", b"", data)


def _parse(name: str, body: _Body, names: list[str], chosen: list[str] | None) -> tuple[pa.Table, int]:
    """Parse the rows; count those of another width that are comments or have delimiters only."""
    text, start, delimiter = body.text, body.start, body.dialect.delimiter
    if not re.compile(rb"\S").search(text, start):
        raise DatasetError(f"{name} has no records")
    blank = []

    def misfit(row: pyarrow.csv.InvalidRow) -> str:
        if row.text.strip(f' "\t{delimiter}') and not row.text.lstrip().startswith(COMMENT):
            return "error"
        blank.append(row)
        return "skip"

    parsing = pyarrow.csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=text.find(b'"', start) >= 0, invalid_row_handler=misfit
    )
    converting = pyarrow.csv.ConvertOptions(
        include_columns=chosen,
        null_values=USUAL_MISSING,
        strings_can_be_null=True,
        true_values=(),
        false_values=(),
        decimal_point="," if body.dialect.comma else ".",
        check_utf8=False,
    )
    longest = max(map(len, text[start : start + BLOCK].splitlines()), default=0)
    for block in (max(BLOCK, 32 * longest), len(text)):  # all at once if a line is longer than a block
        blank.clear()
        reading = pyarrow.csv.ReadOptions(column_names=names, block_size=min(block, MOST_IN_BLOCK))
        try:
            lines = pa.BufferReader(pa.py_buffer(text).slice(start))
            table = pyarrow.csv.read_csv(lines, reading, parsing, converting)
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0]
            if "straddling" not in reason:
                break
        else:
            _check_quotes(name, body)
            return table, len(blank)
    raise DatasetError(f"{name}: {_misfit(body) or reason}")


def _typed(text: pa.Table, dialect: Dialect) -> tuple[pa.Table, list[str]]:
    """Type the columns that the parser left as text, and say which have decimal marks of their own."""
    columns, remarks = {}, []
    for name, column in zip(text.column_names, text.columns, strict=True):
        marks = None
        if pa.types.is_null(column.type):
            column = column.cast(pa.float64())
        elif pa.types.is_string(column.type):
            column, marks = typed(column, comma=dialect.comma)
        elif pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        if marks:
            remarks.append(f"column {name!r} has {marks}")
        columns[name] = column
    return pa.table(columns), remarks


def _misfit(body: _Body) -> str | None:
    """Find the first row with too many or too few cells."""
    try:
        for line, cells in body.records():
            if len(cells) != body.dialect.width and not is_blank(cells) and not cells[0].lstrip().startswith(COMMENT):
                return f"line {line} has {len(cells)} cells, the first row has {body.dialect.width}"
    except csv.Error:
        return f"a cell has more than {csv.field_size_limit()} letters"
    return None


def _check_quotes(name: str, body: _Body) -> None:
    """Check that each quote which is opened is closed: the parser takes all that follows for one cell."""
    if body.text.count(b'"', body.start) % 2:
        last = None
        with suppress(csv.Error):  # the cell is too long
            (last,) = deque(body.records("\n", "end"), maxlen=1)
        if last is None or last[1] != ["end"]:
            where = f"in line {last[0]} " if last else ""
            raise DatasetError(f"{name}: a quote {where}is opened and not closed")


def _without_blank_rows(body: _Body, table: pa.Table) -> tuple[pa.Table, int]:
    """Leave out the rows of delimiters only."""
    suspects = [column for column in table.columns if column.null_count]
    if len(suspects) < table.num_columns:
        return table, 0
    empty = reduce(pc.and_, [column.is_null() for column in suspects])
    if not pc.any(empty).as_py():
        return table, 0
    rows = (cells for _, cells in body.records() if len(cells) == body.dialect.width)
    blank = pa.array(map(is_blank, rows), pa.bool_())
    if len(blank) != table.num_rows:  # quotes that the two parsers take differently
        blank = empty
    return table.filter(pc.invert(blank)), pc.sum(blank).as_py()


def _held_without_name(column: pa.ChunkedArray) -> str | None:
    """Say what a column without a name holds if it is no data: nothing, or distinct integers, as pandas writes them."""
    if column.null_count == len(column):
        return "nothing"
    if pa.types.is_integer(column.type) and not column.null_count and pc.count_distinct(column).as_py() == len(column):
        return "row numbers"
    return None


def _place(content: Content, header: bool | None, row: int) -> str:
    body, _ = _body(content, header)
    filled = (line for line, cells in body.records() if len(cells) == body.dialect.width and not is_blank(cells))
    line = next((line for index, line in enumerate(filled) if index == row), None)
    return f"row {row}" if line is None else f"line {line}"


def _strays(table: RawTable) -> Iterator[str]:
    for name, column in zip(table.columns.column_names, table.columns.columns, strict=True):
        row = stray(column)
        if row is not None:
            yield f"column {name!r} is text: {column[row].as_py()!r} ({table.place(row)}) is not a number"
