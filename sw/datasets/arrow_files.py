"""Files of columns with types: .parquet, read block by block and as a folder of files too, and .feather or .arrow."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet

from sw.datasets.cells import typed
from sw.datasets.dataset import DatasetError
from sw.datasets.raw import Content, Order, RawTable, Rows, check_names, row_place, wanted
from sw.file_kind import ARROW_BYTES

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Name that a folder has for a missing value."""
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
        self._groups: list[tuple[int, int, int]] = []  # file, row group in it, first row
        self.count = 0
        for index, content in enumerate(contents):
            with self._open(content) as file:
                if index == 0:
                    schema = file.schema_arrow
                elif not file.schema_arrow.equals(schema):
                    raise DatasetError(f"{content.name} has other columns, or of other types, than {contents[0].name}")
                self._count_groups(index, file.metadata)
        self._of_folders = _folder_columns(Path(name), contents, schema)
        names, self.notes = _choose(name, schema, self._of_folders.column_names, columns)
        fields = {field.name: field for field in [*schema, *self._of_folders.schema]}
        self.schema = pa.schema([fields[column] for column in names])
        self._of_files = [column for column in names if column not in self._of_folders.column_names]

    def _count_groups(self, index: int, metadata: pyarrow.parquet.FileMetaData) -> None:
        before = self.count
        for group in range(metadata.num_row_groups):
            self._groups.append((index, group, self.count))
            self.count += metadata.row_group(group).num_rows
        if self.count - before != metadata.num_rows or self.count < before:
            raise DatasetError(
                f"{self._contents[index].name} is damaged: {metadata.num_rows} rows are stated, its row groups have "
                f"{self.count - before}"
            )

    @contextmanager
    def _open(self, content: Content) -> Iterator[pyarrow.parquet.ParquetFile]:
        source = content.path if content.data is None else pa.BufferReader(content.data)
        with (
            _arrow_errors(content.name, "a Parquet"),
            pyarrow.parquet.ParquetFile(
                source,
                pre_buffer=False,  # either default holds whole column chunks, which may be the whole file
                buffer_size=1 << 16,
                page_checksum_verification=True,
            ) as file,
        ):
            yield file

    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        opened = None
        with ExitStack() as stack:
            for index, group, row in (self._groups[place] for place in order(len(self._groups))):
                if index != opened:
                    stack.close()
                    file, opened = stack.enter_context(self._open(self._contents[index])), index
                for batch in file.iter_batches(self._per_block, row_groups=[group], columns=self._of_files):
                    columns = [self._column(batch, index, name) for name in self.schema.names]
                    block = pa.table(columns, schema=self.schema)
                    block.validate(full=True)
                    yield row, block
                    row += batch.num_rows

    def _column(self, batch: pa.RecordBatch, index: int, name: str) -> pa.Array:
        if name in self._of_files:
            return batch.column(name)
        return pa.repeat(self._of_folders.column(name)[index], batch.num_rows)


def read_feather(content: Content, columns: list[str] | None) -> RawTable:
    """Read a .feather or .arrow file: Arrow's format for files, or for streams.

    Parameters
    ----------
    content : Content
        The file.
    columns : list of str or None
        The columns to read; None for all.

    Returns
    -------
    RawTable
        All rows.

    Raises
    ------
    DatasetError
        If the file is damaged, or of another format.
    """
    with _arrow_errors(content.name, "a Feather"), content.open() as stream:
        magic = stream.read(len(ARROW_BYTES))
        stream.seek(0)
        reader = pa.ipc.open_file(stream) if magic == ARROW_BYTES else pa.ipc.open_stream(stream)
        names, notes = _choose(content.name, reader.schema, (), columns)
        table = reader.read_all().select(names)
        table.validate(full=True)
    return RawTable(content.name, table, tuple(names[-1:]), notes, row_place)
