"""NumPy's .npz files."""

import io
import json
import lzma
import struct
import zipfile
import zlib
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from sw.arrays import NPY_ERRORS, Header, Members
from sw.datasets.dataset import DatasetError
from sw.datasets.npy_files import arrow_array, check_plain, check_real
from sw.datasets.raw import MEMORY, Content, RawTable, check_names, indices, row_place, shortened, wanted

END_BYTES = 22
COUNTED_ELSEWHERE = 0xFFFF
NAMES_OF_COLUMNS = ("feature_names", "columns", "names")
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, KeyError)
REASON = 120  # letters of a library's words, at most


class _Archive:
    """The arrays of an open .npz file, read one by one when they are asked for."""

    def __init__(self, name: str, size: int, archive: zipfile.ZipFile) -> None:
        self.name, self._size, self._members = name, size, Members(archive)
        self.headers = {key: self._members.header(key) for key in self._members.infos}
        for info in self._members.others:
            archive.open(info).close()  # that compares the names in both of ZIP's headers

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
        return self._members.read(key, lambda header: self._check(key, header))

    def _check(self, key: str, header: Header) -> None:
        check_plain(f"{self.name}: {key}", header)
        self.check_memory([key])

    def text(self, key: str) -> list[str]:
        """Read an array of text or numbers as names."""
        return [str(value) for value in self.read(key).ravel().tolist()]

    def held(self) -> str:
        """List the arrays, for messages."""
        return shortened([f"{key} {header}" for key, header in self.headers.items()]) or "nothing"


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
            _check_directory(stream, zipped)
            return _table(_Archive(name, content.size, zipped), columns)
    except DatasetError:
        raise
    except (*ZIP_ERRORS, *NPY_ERRORS) as error:
        raise DatasetError(f"{name} is not a NumPy file of plain arrays: {_reason(error)}") from error


def _check_directory(stream: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Check that the directory has as many members as its end states; a damaged one may hide some."""
    stream.seek(-END_BYTES - len(archive.comment), io.SEEK_END)
    (stated,) = struct.unpack_from("<H", stream.read(END_BYTES), 10)
    if stated not in (len(archive.infolist()), COUNTED_ELSEWHERE):
        raise ValueError(f"{stated} members are stated, {len(archive.infolist())} are there")


def _reason(error: Exception) -> str:
    """Say what is wrong in the words of the libraries, unless these show the bytes of the file."""
    words = str(error).partition("\n")[0]
    return words if 0 < len(words) <= REASON else "it is damaged"


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
        check_real(f"{archive.name}: {key}", array.dtype)
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
        check_real(f"{archive.name}: {key}", plain[key].dtype)
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
