"""NumPy's .npy files, read block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from sw.arrays import NPY_ERRORS, Header, read_header
from sw.datasets.dataset import DatasetError
from sw.datasets.raw import Content, Order, Rows, check_names, indices, wanted

TIME_UNITS = ("D", "s", "ms", "us", "ns")


@contextmanager
def _npy_errors(name: str) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except NPY_ERRORS as error:
        raise DatasetError(f"{name} is not a NumPy file of plain arrays: {error}") from error


def check_plain(what: str, header: Header) -> None:
    """Check that an array, which the message calls `what`, is not of Python objects.

    Raises
    ------
    DatasetError
        If it is.
    """
    if header.is_pickled:
        raise DatasetError(f"{what} is a NumPy array of Python objects, which are not read; write plain numbers")


def check_real(what: str, dtype: np.dtype) -> None:
    """Check that an array, which the message calls `what`, is of real numbers.

    Raises
    ------
    DatasetError
        If it is not.
    """
    if dtype.kind not in "biuf":
        raise DatasetError(f"{what} is of type {dtype}, not of real numbers")


def arrow_array(array: np.ndarray) -> pa.Array | None:
    """Convert a column; None if Arrow has no such type.

    Parameters
    ----------
    array : ndarray of shape (rows,)
        Numbers, text or times.

    Returns
    -------
    pyarrow.Array or None
        The same values.
    """
    kind = array.dtype.kind
    if array.dtype.names or array.dtype.subdtype or array.ndim != 1 or kind in "cVO":
        return None
    if kind == "S":
        array = np.char.decode(array, "latin-1")
    if kind in "Mm" and np.datetime_data(array.dtype) not in [(unit, 1) for unit in TIME_UNITS]:
        array = array.astype(f"{kind}8[us]")
    elif kind == "m" and np.datetime_data(array.dtype)[0] == "D":
        array = array.astype("m8[s]")
    if kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return pa.array(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)))


class NpyRows(Rows):
    """The rows of a .npy file: a 2-D array in C or Fortran order, or a 1-D array of records with named fields.

    The file is read, not mapped: pages of a map count as resident, and a map of a file that shrinks kills the process.

    Parameters
    ----------
    content : Content
        The file.
    columns : sequence of str or None
        The columns to read; None for all.
    """

    def __init__(self, content: Content, columns: list[str] | None) -> None:
        super().__init__(content.name, [content])
        with _npy_errors(self.name), content.open() as stream:
            header = self._header = read_header(stream)
        check_plain(self.name, header)
        fields = header.dtype.names
        if len(header.shape) != (1 if fields else 2):
            raise DatasetError(
                f"{self.name}: an array of shape {header.shape} is not a table; rows and columns are expected"
            )
        if not header.nbytes:
            raise DatasetError(f"{self.name} has no records: its array is of shape {header.shape}")
        if header.length + header.nbytes > content.size:
            raise DatasetError(
                f"{self.name} is not a NumPy file of plain arrays: its header states the shape {header.shape}, for "
                "which it is too short"
            )
        self.count = header.shape[0]
        if not fields:
            check_real(f"{self.name}: the array", header.dtype)
        names = fields or indices(self.name, header.shape[1])
        check_names(self.name, names)
        kept = {name: arrow_array(np.empty(0, self._type(name))) for name in wanted(self.name, names, columns)}
        self.notes = tuple(
            f"column {name!r} of type {self._type(name)} is left out" for name in kept if kept[name] is None
        )
        self.schema = pa.schema([(name, array.type) for name, array in kept.items() if array is not None])
        check_names(self.name, self.schema.names)
        self._places = [names.index(name) for name in self.schema.names]

    def _type(self, name: str) -> np.dtype:
        dtype = self._header.dtype
        return dtype[name] if dtype.names else dtype

    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        starts = range(0, self.count, self._per_block)
        with self._contents[0].open() as stream:
            for start in (starts[index] for index in order(len(starts))):
                rows = min(self._per_block, self.count - start)
                with _npy_errors(self.name):
                    block = pa.table([*map(arrow_array, self._columns(stream, start, rows))], schema=self.schema)
                yield start, block

    def _columns(self, stream: BinaryIO, start: int, rows: int) -> Iterator[np.ndarray]:
        if self._header.dtype.names:
            records = self._items(stream, start, rows)
            return (records[name] for name in self.schema.names)
        if self._header.fortran:
            return (self._items(stream, column * self.count + start, rows) for column in self._places)
        width = self._header.shape[1]
        block = self._items(stream, start * width, rows * width).reshape(rows, width)
        return (block[:, column] for column in self._places)

    def _items(self, stream: BinaryIO, first: int, count: int) -> np.ndarray:
        dtype = self._header.dtype
        place = self._header.length + first * dtype.itemsize
        stream.seek(place)
        data = stream.read(count * dtype.itemsize)
        if len(data) < count * dtype.itemsize:
            raise OSError(f"{len(data) // dtype.itemsize} items instead of {count} at byte {place}")
        return np.frombuffer(data, dtype)
