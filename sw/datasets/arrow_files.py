"""Files of columns with types: .parquet, as a folder of files too, and .feather or .arrow, block by block."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from sw.datasets.cells import typed
from sw.datasets.dataset import DatasetError
from sw.datasets.raw import Content, Order, Rows, check_names, wanted
from sw.file_kind import ARROW_BYTES

HELD = 1 << 25
"""Bytes of a row group that are held at once. Larger ones are read page by page, by the sizes that the pages state."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Name that a folder has for a missing value."""
Reader: TypeAlias = pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader
INDEX_NAME = re.compile(r"__index_level_\d+__")


@contextmanager
def _arrow_errors(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except (pa.ArrowException, ValueError, OSError, EOFError, MemoryError, OverflowError, RuntimeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "it ends too early"
        raise DatasetError(f"{name} is not {kind} file, or it is damaged: {reason}") from error


def index_columns(schema: pa.Schema) -> list[str]:
    """Name the columns that hold the index of a pandas data frame, which is no data.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns of a file, with the notes that pandas leaves.

    Returns
    -------
    list of str
        Names of columns.
    """
    try:
        said = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
        noted = {name for name in said if isinstance(name, str)}
    except (KeyError, TypeError, ValueError):
        noted = set()
    return [name for name in schema.names if name in noted or INDEX_NAME.fullmatch(name)]


def _choose(
    name: str, schema: pa.Schema, of_folders: Sequence[str], columns: Sequence[str] | None
) -> tuple[list[str], tuple[str, ...]]:
    """Choose the columns to read: the folders' first, since the last column is the default target."""
    check_names(name, schema.names)
    index = index_columns(schema)
    if len(index) == len(schema.names):
        index = []
    notes = tuple(f"column {column!r} is left out: pandas says that it is the index" for column in index)
    return wanted(name, [*of_folders, *(column for column in schema.names if column not in index)], columns), notes


def _folder_columns(folder: Path, contents: Sequence[Content], schema: pa.Schema) -> pa.Table:
    """Make columns of the names of folders in `folder` such as year=2020, with a row for each file."""
    rows = []
    for content in contents:
        parts = content.path.relative_to(folder).parent.parts if len(contents) > 1 or folder.is_dir() else ()
        pairs = [map(unquote, part.split("=", 1)) for part in parts if "=" in part]
        rows.append({key: value for key, value in pairs if key not in schema.names})
    if any(row.keys() != rows[0].keys() for row in rows):
        raise DatasetError(f"{folder}: some Parquet files are in folders such as NAME=VALUE and others are not")
    values = {key: [None if row[key] == NO_VALUE else row[key] for row in rows] for key in rows[0]}
    text = {key: pa.chunked_array([pa.array(values[key], pa.string())]) for key in values}
    return pa.table({key: typed(column, comma=False)[0] for key, column in text.items()})


class _Group(NamedTuple):
    """A row group: its file, its number there, and its first row and number of rows."""

    file: int
    number: int
    first: int
    rows: int


class ParquetRows(Rows):
    """The rows of one Parquet file or of several with the same columns, one after the other.

    Row groups have any size, as pages are read one by one.

    Parameters
    ----------
    name : str
        The file's or folder's name, for messages.
    contents : sequence of Content
        The files.
    columns : list of str or None
        The columns to read; None for all.
    """

    def __init__(self, name: str, contents: Sequence[Content], columns: list[str] | None) -> None:
        super().__init__(name, contents)
        self._groups: list[_Group] = []
        self._held: list[bool] = []  # of each file whether all of its row groups are small
        self.count = 0
        for index, content in enumerate(contents):
            with self._open(content, held=False) as file:
                if index == 0:
                    schema = file.schema_arrow
                elif not file.schema_arrow.equals(schema):
                    raise DatasetError(f"{content.name} has other columns, or of other types, than {contents[0].name}")
                self._count_groups(index, file.metadata)
        with _arrow_errors(name, "a Parquet"):  # names that are not UTF-8
            self._of_folders = _folder_columns(Path(name), contents, schema)
            names, self.notes = _choose(name, schema, self._of_folders.column_names, columns)
        fields = {field.name: field for field in [*schema, *self._of_folders.schema]}
        self.schema = pa.schema([fields[column] for column in names])
        self._of_files = [column for column in names if column not in self._of_folders.column_names]

    def _count_groups(self, index: int, metadata: pyarrow.parquet.FileMetaData) -> None:
        content, before, largest = self._contents[index], self.count, 0
        for group in range(metadata.num_row_groups):
            found = metadata.row_group(group)
            self._groups.append(_Group(index, group, self.count, found.num_rows))
            self.count += found.num_rows
            largest = max(largest, found.total_byte_size)  # what is said of columns ends the process if it is damaged
        self._held.append(largest <= HELD)
        if self.count - before != metadata.num_rows or self.count < before:
            raise DatasetError(
                f"{content.name} is damaged: {metadata.num_rows} rows are stated, its row groups have "
                f"{self.count - before}"
            )

    @contextmanager
    def _open(self, content: Content, *, held: bool) -> Iterator[pyarrow.parquet.ParquetFile]:
        source = content.path if content.data is None else pa.BufferReader(content.data)
        with (
            _arrow_errors(content.name, "a Parquet"),
            pyarrow.parquet.ParquetFile(
                source,
                pre_buffer=False,  # with it, or without a buffer, whole column chunks are held, perhaps the whole file
                buffer_size=0 if held else 1 << 16,  # takes what a page states as its size, honest or not
                page_checksum_verification=True,
            ) as file,
        ):
            yield file

    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        opened = None
        with ExitStack() as stack:
            for index, group, first, rows in (self._groups[place] for place in order(len(self._groups))):
                content, row = self._contents[index], first
                if index != opened:
                    stack.close()
                    file, opened = stack.enter_context(self._open(content, held=self._held[index])), index
                for batch in file.iter_batches(self._per_block, row_groups=[group], columns=self._of_files):
                    columns = [self._column(batch, index, name) for name in self.schema.names]
                    block = pa.table(columns, schema=self.schema)
                    block.validate(full=True)
                    yield row, block
                    row += batch.num_rows
                if row != first + rows:
                    raise DatasetError(f"{content.name} is damaged: a row group of {rows} rows has {row - first}")

    def _column(self, batch: pa.RecordBatch, index: int, name: str) -> pa.Array:
        if name in self._of_files:
            return batch.column(name)
        return pa.repeat(self._of_folders.column(name)[index], batch.num_rows)


class FeatherRows(Rows):
    """The rows of a .feather or .arrow file: Arrow's format for files, or for streams.

    Record batches are read one by one, those of a stream in the file's order only. Of each, the columns that are
    wanted are held.

    Parameters
    ----------
    content : Content
        The file.
    columns : list of str or None
        The columns to read; None for all.
    """

    def __init__(self, content: Content, columns: list[str] | None) -> None:
        super().__init__(content.name, [content])
        with self._open(None) as reader:
            schema = reader.schema
            names, self.notes = _choose(content.name, schema, (), columns)
        self.schema = pa.schema([schema.field(name) for name in names])
        self._fields = sorted(schema.get_field_index(name) for name in names)
        self._starts = [0]
        with self._open(self._fields[:1]) as reader:
            for _, batch in _batches(reader, np.arange):
                self._starts.append(self._starts[-1] + batch.num_rows)
        self.count = self._starts[-1]

    @contextmanager
    def _open(self, fields: list[int] | None) -> Iterator[Reader]:
        content = self._contents[0]
        with (
            _arrow_errors(content.name, "a Feather"),
            pa.OSFile(str(content.path)) if content.data is None else pa.BufferReader(content.data) as source,
        ):
            magic = source.read(len(ARROW_BYTES))
            source.seek(0)
            opened = pa.ipc.open_file if magic == ARROW_BYTES else pa.ipc.open_stream
            yield opened(source, options=pa.ipc.IpcReadOptions(included_fields=fields))

    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        with self._open(self._fields) as reader:
            for number, batch in _batches(reader, order):
                batch.validate(full=True)
                table = pa.Table.from_batches([batch]).select(self.schema.names)
                if self._starts[number + 1 : number + 2] != [self._starts[number] + len(table)]:
                    raise DatasetError(f"{self.name} is damaged: batch {number} has {len(table)} rows, or it is new")
                for row in range(0, len(table), self._per_block):
                    yield self._starts[number] + row, table.slice(row, self._per_block)


def _batches(reader: Reader, order: Order) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Read the batches with their numbers, those of a file in `order`."""
    if isinstance(reader, pa.ipc.RecordBatchStreamReader):
        yield from enumerate(reader)
    else:
        yield from ((number, reader.get_batch(number)) for number in order(reader.num_record_batches).tolist())
