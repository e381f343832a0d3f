"""Files of columns with types: .parquet, read block by block and as a folder of files too, and .feather or .arrow."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pyarrow as pa
import pyarrow.parquet

from sw.datasets.dataset import DatasetError
from sw.datasets.raw import Content, Order, RawTable, Rows, check_names, row_place, wanted

PARQUET_MAGIC = b"PAR1"
IPC_MAGIC = b"ARROW1"
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


def _choose(name: str, schema: pa.Schema, columns: Sequence[str] | None) -> tuple[list[str], tuple[str, ...]]:
    check_names(name, schema.names)
    index = index_columns(schema)
    if len(index) == len(schema.names):
        index = []
    notes = tuple(f"column {column!r} is left out: pandas says that it is the index" for column in index)
    return wanted(name, [column for column in schema.names if column not in index], columns), notes


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
        self._names, self.notes = _choose(name, schema, columns)
        self.schema = pa.schema([schema.field(column) for column in self._names])

    def _count_groups(self, index: int, metadata: pyarrow.parquet.FileMetaData) -> None:
        before = self.count
        for group in range(metadata.num_row_groups):
            self._groups.append((index, group, self.count))
            self.count += metadata.row_group(group).num_rows
        if self.count - before != metadata.num_rows:
            raise DatasetError(
                f"{self._contents[index].name} is damaged: {metadata.num_rows} rows are stated, its row groups have "
                f"{self.count - before}"
            )

    @contextmanager
    def _open(self, content: Content) -> Iterator[pyarrow.parquet.ParquetFile]:
        source = content.path if content.data is None else pa.BufferReader(content.data)
        # Either default would hold whole column chunks, which are the file if it has one row group.
        with _arrow_errors(content.name, "a Parquet"):
            with pyarrow.parquet.ParquetFile(source, pre_buffer=False, buffer_size=1 << 16) as file:
                yield file

    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        opened = None
        with ExitStack() as stack:
            for index, group, row in (self._groups[place] for place in order(len(self._groups))):
                if index != opened:
                    stack.close()
                    file, opened = stack.enter_context(self._open(self._contents[index])), index
                for batch in file.iter_batches(self._per_block, row_groups=[group], columns=self._names):
                    block = pa.table(batch.columns, schema=self.schema)
                    block.validate(full=True)
                    yield row, block
                    row += batch.num_rows


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
        magic = stream.read(len(IPC_MAGIC))
        stream.seek(0)
        reader = pa.ipc.open_file(stream) if magic == IPC_MAGIC else pa.ipc.open_stream(stream)
        names, notes = _choose(content.name, reader.schema, columns)
        table = reader.read_all().select(names)
        table.validate(full=True)
    return RawTable(content.name, table, tuple(names[-1:]), notes, row_place)
