"""NumPy's files: .npy, read block by block, and .npz.

Headers are parsed here, not by NumPy: the shape that a header states is compared with the bytes of the file before any
memory is taken, and an array of Python objects is never unpickled.
"""

import ast
import json
import lzma
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

import numpy as np
import pyarrow as pa

from sw.datasets.dataset import DatasetError
from sw.datasets.raw import MEMORY, Content, Order, RawTable, Rows, check_names, indices, row_place, wanted

MAGIC = b"\x93NUMPY"
HEADER_LIMIT = 1 << 16
NAMES_OF_COLUMNS = ("feature_names", "columns", "names")
TIME_UNITS = ("D", "s", "ms", "us", "ns")

NPY_ERRORS = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError, struct.error)
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, KeyError)


@dataclass(frozen=True)
class Header:
    """What the header of an array says.

    Attributes
    ----------
    dtype : numpy.dtype
        Type of the items.
    shape : tuple of int
        Sizes.
    fortran : bool
        Whether the first index is the one that changes fastest.
    length : int
        Bytes of the header.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    length: int

    @property
    def nbytes(self) -> int:
        """Bytes of the items."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_pickled(self) -> bool:
        """Whether items are Python objects."""
        return self.dtype.hasobject

    def __str__(self) -> str:
        """Type and shape, for messages."""
        return f"{'Python objects' if self.is_pickled else self.dtype} {self.shape}"


def read_header(stream: IO[bytes]) -> Header:
    """Read the header of an array from the beginning of a stream.

    Parameters
    ----------
    stream : file object
        Bytes of a .npy file.

    Returns
    -------
    Header
        Type and shape; the stream is at the first item.

    Raises
    ------
    ValueError
        If there is no such header.
    """
    start = stream.read(8)
    if start[:6] != MAGIC or len(start) < 8:
        raise ValueError("it does not begin as one")
    version = start[6]
    if version not in (1, 2, 3):
        raise ValueError(f"version {version} of the format is unknown")
    prefix = "<H" if version == 1 else "<I"
    (length,) = struct.unpack(prefix, stream.read(struct.calcsize(prefix)))
    if length > HEADER_LIMIT:
        raise ValueError(f"a header of {length} bytes is longer than {HEADER_LIMIT}")
    text = stream.read(length)
    if len(text) < length:
        raise ValueError("it ends in the header")
    try:
        said = ast.literal_eval(text.decode("utf-8" if version == 3 else "latin-1"))
        dtype = np.lib.format.descr_to_dtype(said["descr"])
        shape, fortran = said["shape"], said["fortran_order"]
        if not all(type(size) is int and size >= 0 for size in shape) or type(fortran) is not bool:
            raise ValueError
    except (*NPY_ERRORS, KeyError, IndexError, AttributeError):
        raise ValueError("its header cannot be read") from None
    return Header(dtype, tuple(shape), fortran, 8 + struct.calcsize(prefix) + length)


@contextmanager
def _npy_errors(name: str) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except NPY_ERRORS as error:
        raise DatasetError(f"{name} is not a NumPy file of plain arrays: {error}") from error


def _check_plain(what: str, header: Header) -> None:
    if header.is_pickled:
        raise DatasetError(f"{what} is a NumPy array of Python objects, which are not read; write plain numbers")


def _check_real(what: str, dtype: np.dtype) -> None:
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
        _check_plain(self.name, header)
        fields = header.dtype.names
        if len(header.shape) != (1 if fields else 2):
            raise DatasetError(
                f"{self.name}: an array of shape {header.shape} is not a table; rows and columns are expected"
            )
        if not header.nbytes:
            raise DatasetError(f"{self.name} has no records: its array is of shape {header.shape}")
        if header.length + header.nbytes > content.size:
            raise DatasetError(
                f"{self.name} is not a NumPy file of plain arrays: it ends before the {header.shape} items that its "
                "header states"
            )
        self.count = header.shape[0]
        if not fields:
            _check_real(f"{self.name}: the array", header.dtype)
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


class _Archive:
    """The arrays of an open .npz file, read one by one when they are asked for."""

    def __init__(self, name: str, size: int, archive: zipfile.ZipFile) -> None:
        self.name, self._size, self._archive = name, size, archive
        self.headers = {}
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as member:
                    header = read_header(member)
                if not header.is_pickled and header.length + header.nbytes != info.file_size:
                    raise ValueError(f"{info.filename} has not the {header.shape} items that its header states")
                self.headers[info.filename.removesuffix(".npy")] = header

    def check_memory(self, keys: list[str]) -> None:
        """Check that some arrays take no more memory than they may.

        Raises
        ------
        DatasetError
            If they take more than `MEMORY` and four times the bytes of the file.
        """
        total = sum(self.headers[key].nbytes for key in keys)
        if total > max(MEMORY, 4 * self._size):
            raise DatasetError(
                f"{self.name} of {self._size} bytes unpacks to {total}; at most {max(MEMORY, 4 * self._size)} are read"
            )

    def read(self, key: str) -> np.ndarray:
        """Read an array."""
        header = self.headers[key]
        _check_plain(f"{self.name}: {key}", header)
        self.check_memory([key])
        data, filled = np.empty(header.nbytes, np.uint8), 0
        with self._archive.open(f"{key}.npy") as member:
            member.read(header.length)
            while part := member.read(1 << 20):  # to the end, where zipfile compares the checksum
                data[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
                filled += len(part)
        if filled < len(data):
            raise ValueError(f"{key} has not the {header.shape} items that its header states")
        return data.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")

    def text(self, key: str) -> list[str]:
        """Read an array of text or numbers as names."""
        return [str(value) for value in self.read(key).ravel().tolist()]

    def held(self) -> str:
        """List the arrays, for messages."""
        return ", ".join(f"{key} {header}" for key, header in self.headers.items()) or "nothing"


def read_npz(content: Content, columns: list[str] | None) -> RawTable:
    """Read a .npz file.

    Its arrays are `X` (rows, features) and `y` (rows,) or (rows, outputs), named by text arrays `feature_names` and
    `target_names` if present; or one 2-D array, perhaps with a text array `feature_names`, `columns` or `names`; or
    1-D arrays, one for each column. Other arrays are not unpacked.

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
        If the file is damaged, or holds no such arrays.
    """
    name = content.name
    try:
        with content.open() as stream, zipfile.ZipFile(stream) as zipped:
            return _table(_Archive(name, content.size, zipped), columns)
    except DatasetError:
        raise
    except (*ZIP_ERRORS, *NPY_ERRORS) as error:
        raise DatasetError(f"{name} is not a NumPy file of plain arrays: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else "it ends too early"


def _table(archive: _Archive, columns: list[str] | None) -> RawTable:
    headers = archive.headers
    _check_is_data(archive)
    if {"X", "y"} <= headers.keys():
        names, arrays, targets, notes = _features_and_targets(archive)
    else:
        names, arrays, notes = _matrix_or_columns(archive)
        targets = tuple(names[-1:])
    check_names(archive.name, names)
    kept = set(wanted(archive.name, names, columns))
    made = {key: arrow_array(array) for key, array in zip(names, arrays, strict=True) if key in kept}
    notes += tuple(f"column {key!r} is left out: no numbers, text or times" for key in made if made[key] is None)
    table = pa.table({key: array for key, array in made.items() if array is not None})
    check_names(archive.name, table.column_names)
    return RawTable(archive.name, table, tuple(key for key in targets if key in table.column_names), notes, row_place)


def _check_is_data(archive: _Archive) -> None:
    header = archive.headers.get("header")
    if header and header.shape == () and header.dtype.kind == "U":
        try:
            said = json.loads(str(archive.read("header")))["format"]
        except (ValueError, TypeError, KeyError):
            return
        if str(said).startswith("kanloom-"):
            raise DatasetError(f"{archive.name} is a {str(said).replace('-', ' ')}, not a table")


def _check_records(archive: _Archive, key: str) -> None:
    if not archive.headers[key].nbytes:
        raise DatasetError(f"{archive.name} has no records: {key} is of shape {archive.headers[key].shape}")


def _features_and_targets(
    archive: _Archive,
) -> tuple[list[str], list[np.ndarray], tuple[str, ...], tuple[str, ...]]:
    x, y = (archive.headers[key] for key in "Xy")
    if len(x.shape) != 2 or len(y.shape) not in (1, 2) or x.shape[0] != y.shape[0]:
        raise DatasetError(f"{archive.name}: X {x.shape} and y {y.shape} are not (rows, features) and (rows, outputs)")
    archive.check_memory(["X", "y"])
    names, arrays, notes = [], [], []
    for key, given, letter in (("X", "feature_names", "x"), ("y", "target_names", "y")):
        shape = archive.headers[key].shape
        _check_records(archive, key)
        count = shape[1] if len(shape) == 2 else 1
        found = [f"{letter}{index}" for index in indices(archive.name, count)]
        if given in archive.headers and archive.headers[given].is_pickled:
            notes.append(f"{given} is left out: it holds Python objects")
        elif given in archive.headers:
            found = archive.text(given)
        if len(found) != count:
            raise DatasetError(f"{archive.name}: {given} has {len(found)} names for {count} columns")
        names.append(found)
        arrays.append(_columns_of(archive, key))
    return names[0] + names[1], arrays[0] + arrays[1], tuple(names[1]), tuple(notes)


def _columns_of(archive: _Archive, key: str) -> list[np.ndarray]:
    array = archive.read(key)
    if array.dtype.kind in "cV":
        _check_real(f"{archive.name}: {key}", array.dtype)
    return list(array.T) if array.ndim == 2 else [array]


def _matrix_or_columns(archive: _Archive) -> tuple[list[str], list[np.ndarray], tuple[str, ...]]:
    plain = {key: header for key, header in archive.headers.items() if header.shape and not header.is_pickled}
    notes = tuple(
        f"{key} is left out: {'it holds Python objects' if header.is_pickled else 'it is a single value'}"
        for key, header in archive.headers.items()
        if key not in plain
    )
    tables = [key for key, header in plain.items() if len(header.shape) == 2]
    others = {key: header for key, header in plain.items() if key not in tables}
    if len(tables) == 1 and set(others) <= set(NAMES_OF_COLUMNS):
        (key,) = tables
        _check_real(f"{archive.name}: {key}", plain[key].dtype)
        _check_records(archive, key)
        width = plain[key].shape[1]
        names = next(map(archive.text, others), None) or list(indices(archive.name, width))
        if len(names) != width:
            raise DatasetError(f"{archive.name}: {next(iter(others))} has {len(names)} names for {width} columns")
        return names, _columns_of(archive, key), notes
    if not others or tables or len({header.shape for header in others.values()}) != 1:
        raise DatasetError(
            f"{archive.name} holds {archive.held()}; expected X and y, one 2-D array, or 1-D arrays of one length"
        )
    if any(len(header.shape) != 1 for header in others.values()):
        raise DatasetError(f"{archive.name} holds {archive.held()}; tables have two dimensions")
    archive.check_memory(list(others))
    if len(others) == 1:
        (array,) = map(archive.read, others)
        if array.dtype.names:
            return list(array.dtype.names), [array[field] for field in array.dtype.names], notes
    return list(others), [archive.read(key) for key in others], notes
