"""Files of models and checkpoints: a .npz of plain arrays beside a header of JSON, read without trusting it.

The reader asks for arrays of known shapes and types. Members, sizes, shapes and types are compared with that before
memory is taken, so that a damaged or forged file costs no more of it than an honest one. Each member is read to its
end, where ZIP's checksum is compared; a digest in the header shows when members have changed places.
"""

import hashlib
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from sw.file_kind import ZIP, kind_of
from sw.spec.bounds import whole_number

HEADER, DIGEST = "header", "digest"
HEADER_BYTES = 1 << 26  # four for each character
CHUNK = 1 << 18  # bytes that are read at a time


class ArchiveError(ValueError):
    """A file is damaged, or of another kind; the message is one line for the user."""


@dataclass(frozen=True)
class Wanted:
    """What an array of a file has to be.

    Attributes
    ----------
    shape : tuple of int or range
        Its shape; a range where several lengths are legal.
    dtype : numpy.dtype
        Its type.
    optional : bool
        Whether the array may be left out.
    """

    shape: tuple[int | range, ...]
    dtype: np.dtype
    optional: bool = False

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether a shape is legal."""
        pairs = zip(shape, self.shape, strict=False)
        return len(shape) == len(self.shape) and all(
            length in legal if isinstance(legal, range) else length == legal for length, legal in pairs
        )


class Archive:
    """A file that is open to be read.

    Attributes
    ----------
    header : dict
        The header, without the digest.
    names : set of str
        Names of the arrays.
    """

    header: dict[str, Any]
    names: set[str]

    def __init__(self, path: Path, file: zipfile.ZipFile, noun: str) -> None:
        self._path, self._file = path, file
        self._members = _members(path, file)
        if HEADER not in self._members:
            raise ArchiveError(f"{path} is a .npz file of arrays, not a {noun}")
        header = json.loads(self._text(HEADER), parse_constant=_refuse)
        if not isinstance(header, dict):
            raise ArchiveError(f"{path} is damaged: its header is no table of values")
        self._digest = header.pop(DIGEST, None)
        self.header, self.names = header, self._members.keys() - {HEADER}

    def arrays(self, wanted: Mapping[str, Wanted]) -> dict[str, np.ndarray]:
        """Read all arrays.

        Parameters
        ----------
        wanted : mapping of str to Wanted
            What they have to be, by name; there must be no others.

        Returns
        -------
        dict of str to ndarray
            The arrays by name.

        Raises
        ------
        ArchiveError
            If one is missing, or is not as it has to be, or there are others.
        """
        missing = [name for name, each in wanted.items() if not each.optional and name not in self.names]
        if missing or not self.names <= wanted.keys():
            held = ", ".join(sorted(missing) or sorted(self.names - wanted.keys()))
            raise ArchiveError(f"{self._path} is damaged: {'it lacks' if missing else 'it has unknown arrays'} {held}")
        with _damage(self._path):
            arrays = {name: self._array(name, each) for name, each in wanted.items() if name in self.names}
            if self._digest is not None and self._digest != digest_of(arrays):
                raise ArchiveError(f"{self._path} is damaged: its arrays are not those that were written")
        return arrays

    def _array(self, name: str, wanted: Wanted) -> np.ndarray:
        with self._file.open(self._members[name]) as stream:
            shape, by_columns, dtype = _npy_header(stream)
            if not wanted.fits(shape) or dtype.newbyteorder("=") != wanted.dtype:
                raise ArchiveError(f"{self._path} is damaged: array {name} has the shape {shape} of {dtype}")
            values = self._values(name, stream, math.prod(shape), dtype)
        return values.reshape(shape, order="F" if by_columns else "C").astype(wanted.dtype, copy=False)

    def _text(self, name: str) -> str:
        with self._file.open(self._members[name]) as stream:
            shape, _, dtype = _npy_header(stream)
            if shape != () or dtype.kind != "U" or dtype.itemsize > HEADER_BYTES:
                raise ArchiveError(f"{self._path} is damaged: {name} is no text")
            return str(self._values(name, stream, 1, dtype)[0])

    def _values(self, name: str, stream: IO[bytes], count: int, dtype: np.dtype) -> np.ndarray:
        """Read so many values, which must be all that is left of a member."""
        size = count * dtype.itemsize
        if stream.tell() + size != self._members[name].file_size:
            raise ArchiveError(f"{self._path} is damaged: the sizes of {name} do not fit each other")
        values: np.ndarray = np.empty(count, dtype)
        raw = values.view(np.uint8) if size else np.empty(0, np.uint8)
        for start in range(0, size, CHUNK):
            chunk = stream.read(min(CHUNK, size - start))
            raw[start : start + len(chunk)] = np.frombuffer(chunk, np.uint8)
            if len(chunk) != min(CHUNK, size - start):
                raise ArchiveError(f"{self._path} is damaged: {name} ends too soon")
        stream.read(1)  # the end, where the checksum is compared
        return values


@contextmanager
def reading(path: str | Path, file_format: str) -> Iterator[Archive]:
    """Open a file to be read in a `with` block.

    Parameters
    ----------
    path : str or Path
        The file.
    file_format : str
        The format that its header must name, such as `kanloom-model`.

    Yields
    ------
    Archive
        Its header has been read.

    Raises
    ------
    ArchiveError
        For a file that is damaged, or of another kind; the message says of which.
    FileNotFoundError, PermissionError
        If the file cannot be opened.
    """
    path = Path(path)
    noun = file_format.replace("-", " ")
    what = kind_of(path)
    if what != ZIP:
        raise ArchiveError(f"{path} is {what}, not a {noun}")
    with path.open("rb") as stream:
        with _damage(path):
            file = zipfile.ZipFile(stream)
            archive = Archive(path, file, noun)
        found = _noun(archive)
        if found != noun:
            raise ArchiveError(f"{path} is a {found or 'file of another program'}, not a {noun}")
        with file:
            yield archive


def own_kind(path: str | Path) -> str | None:
    """Say which of this package's files one is: "kanloom model", "kanloom checkpoint", or None for any other.

    Parameters
    ----------
    path : str or Path
        Any file; there need not be one.
    """
    path = Path(path)
    try:
        if kind_of(path) != ZIP:
            return None
        with path.open("rb") as stream, _damage(path), zipfile.ZipFile(stream) as file:
            return _noun(Archive(path, file, "kanloom file"))
    except (ArchiveError, OSError):
        return None


def _noun(archive: Archive) -> str | None:
    found = str(archive.header.get("format")).replace("-", " ")
    return found if found.startswith("kanloom ") else None


def write(file: IO[bytes], header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, compressed: bool) -> None:
    """Write a file that `reading` reads.

    Parameters
    ----------
    file : binary file
        Where it goes.
    header : mapping
        Plain data, with `format`.
    arrays : mapping of str to ndarray
        Arrays of numbers.
    compressed : bool
        Whether they are compressed, which takes longer.
    """
    save = np.savez_compressed if compressed else np.savez
    text = np.array(json.dumps({**header, DIGEST: digest_of(arrays)}))
    save(file, allow_pickle=False, **{HEADER: text}, **arrays)


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """Compute the SHA-256 digest of arrays with their names, shapes and types."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} {array.dtype.newbyteorder('<').descr}\0".encode())
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _members(path: Path, file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """List the members by the names of their arrays."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in file.infolist():
        name = member.filename.removesuffix(".npy")
        plain = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not member.flag_bits & 1
        if name == member.filename or name in found or not plain:
            raise ArchiveError(f"{path} is damaged or no .npz file of kanloom: member {member.filename!r}")
        found[name] = member
    return found


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read shape, order and type of a member, and nothing of its values."""
    if npy.read_magic(stream) != (1, 0):
        raise ValueError("another version of the format")
    shape, by_columns, dtype = npy.read_array_header_1_0(stream)
    if dtype.hasobject or any(whole_number(length) is None or length < 0 for length in shape):
        raise ValueError("no plain array")
    return shape, by_columns, dtype


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes the libraries raise into an ArchiveError, without their words."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        raise ArchiveError(f"{path} is damaged: it cannot be read to its end") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")
