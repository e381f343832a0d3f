"""Tables of numbers in files that are read block by block: .npy and .parquet.

However large the file is, one block of it is in memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sw.datasets.dataset import DatasetError
from sw.datasets.table import Table, check_finite, check_names, check_real, file_errors, indices, numpy_errors

BLOCK = 1 << 20
"""Bytes of a block as float64: many rows in a read, and yet little memory, and many blocks in a shard."""

Order = Callable[[int], np.ndarray]
"""Takes a number, gives the integers below it in some order."""


class Rows(ABC):
    """The rows of a file, which must not change while this is in use.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    path : Path
        The file.
    columns : tuple of str
        Names of the columns.
    count : int
        Number of rows.
    """

    columns: tuple[str, ...]
    count: int

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = self._present_stamp()

    @property
    def _per_block(self) -> int:
        return max(1, BLOCK // (8 * max(1, len(self.columns))))

    @abstractmethod
    def _read(self, order: Order) -> Iterator[tuple[int, np.ndarray]]:
        """Read the blocks, unchecked, in `order` where each can be found without reading others."""

    def blocks(self, seed: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Read all rows in blocks of about `BLOCK` bytes.

        Parameters
        ----------
        seed : int or None
            Seed of a random order of the blocks of a .npy file, of the row groups of a .parquet file; None for the
            file's order.

        Yields
        ------
        row : int
            Number of the block's first row.
        block : ndarray of float64, shape (rows, columns)
            The rows.

        Raises
        ------
        DatasetError
            While blocks are read: if a number is not finite, or if the file has changed since it was opened.
        """
        order = np.arange if seed is None else np.random.default_rng(seed).permutation
        with file_errors(self.path):
            try:
                for row, block in self._read(order):
                    self._check_unchanged()
                    check_finite(self.path, self.columns, block, row)
                    yield row, block
            except (OSError, DatasetError):
                self._check_unchanged()  # since a change explains the fault
                raise

    def table(self) -> Table:
        """Read all rows at once, the last column as the target."""
        values = np.empty((self.count, len(self.columns)))
        for row, block in self.blocks():
            values[row : row + len(block)] = block
        return Table(self.columns, values, self.columns[-1:])

    def _present_stamp(self) -> tuple[int, int]:
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns

    def _check_unchanged(self) -> None:
        if self._present_stamp() != self._stamp:
            raise DatasetError(f"{self.path} has changed since it was opened; open it again")


class NpyRows(Rows):
    """The rows of a .npy file: one 2-D array, in C or Fortran order.

    The file is read, not mapped: pages of a map count as resident, and a map of a file that shrinks kills the process.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with numpy_errors(path):
            array = np.load(path, mmap_mode="r")  # for its header, checked against the file's size
            if not isinstance(array, np.memmap):
                raise DatasetError(f"{path} holds several arrays; call it .npz")
        if array.ndim != 2:
            raise DatasetError(f"{path}: an array of shape {array.shape} is not a table; rows and columns are expected")
        check_real(path, "the array", array.dtype)
        self.columns, self.count = indices(array.shape[1]), array.shape[0]
        self._dtype, self._offset, self._by_rows = array.dtype, array.offset, array.flags.c_contiguous

    def _read(self, order: Order) -> Iterator[tuple[int, np.ndarray]]:
        starts = range(0, self.count, self._per_block)
        for start in (starts[index] for index in order(len(starts))):
            block = self._block(start, min(self._per_block, self.count - start))
            yield start, block.astype(np.float64, copy=False)

    def _block(self, start: int, rows: int) -> np.ndarray:
        width = len(self.columns)
        if self._by_rows:
            return self._items(start * width, rows * width).reshape(rows, width)
        return np.column_stack([self._items(column * self.count + start, rows) for column in range(width)])

    def _items(self, first: int, count: int) -> np.ndarray:
        place = self._offset + first * self._dtype.itemsize
        items = np.fromfile(self.path, self._dtype, count, offset=place)
        if len(items) < count:
            raise OSError(f"{len(items)} numbers instead of {count} at byte {place}")
        return items


class ParquetRows(Rows):
    """The rows of a .parquet file: columns of numbers. Row groups have any size, as pages are read one by one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pyarrow = import_pyarrow(path)
        types = self._pyarrow.types
        kinds = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
        with self._open() as file:
            schema, self.count = file.schema_arrow, file.metadata.num_rows
        self.columns = tuple(schema.names)
        for name, column in zip(schema.names, schema.types, strict=True):
            if not any(is_kind(column) for is_kind in kinds):
                raise DatasetError(f"{path}: column {name!r} is of type {column}, not of real numbers")

    @contextmanager
    def _open(self) -> Iterator[Any]:
        try:
            # Either default would hold whole column chunks, which are the file if it has one row group.
            with self._pyarrow.parquet.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 16) as file:
                yield file
        except self._pyarrow.ArrowException as error:
            raise DatasetError(f"{self.path} is not a Parquet file: {error}") from error

    def _read(self, order: Order) -> Iterator[tuple[int, np.ndarray]]:
        with self._open() as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
            starts = np.cumsum([0, *sizes])
            for group in order(len(sizes)):
                row = int(starts[group])
                for batch in file.iter_batches(self._per_block, row_groups=[group]):
                    yield row, self._block(batch, row)
                    row += batch.num_rows

    def _block(self, batch: Any, row: int) -> np.ndarray:
        block = np.empty((batch.num_rows, batch.num_columns))
        for index, (name, column) in enumerate(zip(self.columns, batch.columns, strict=True)):
            if column.null_count:
                empty = row + column.is_null().index(True).as_py()
                raise DatasetError(f"{self.path}: row {empty}, column {name!r}: the cell is empty")
            block[:, index] = column.to_numpy(zero_copy_only=False)
        return block


def import_pyarrow(path: Path) -> Any:
    """Import pyarrow, for the file at `path`.

    Raises
    ------
    DatasetError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise DatasetError(f"{path}: Parquet files need pyarrow: pip install kanloom[parquet]") from None
    return pyarrow


STREAMED = {".npy": NpyRows, ".parquet": ParquetRows}


def open_rows(path: Path) -> Rows:
    """Open a file whose format can be read in blocks: its extension is in `STREAMED`.

    Raises
    ------
    DatasetError
        If the file is missing, of another format, or not a table of real numbers.
    """
    with file_errors(path):
        rows = STREAMED[path.suffix.lower()](path)
    check_names(path, rows.columns)
    return rows
