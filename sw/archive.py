"""Files of models and checkpoints: a .npz of plain arrays beside a header of JSON, read without trusting it.

The reader asks for arrays of known shapes and types. Members, sizes, shapes and types are compared with that before
memory is taken (`sw.arrays`), so that a damaged or forged file costs no more of it than an honest one. A digest in the
header shows when members have changed places.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from sw.arrays import Header, Members
from sw.file_kind import ZIP, kind_of

HEADER, DIGEST = "header", "digest"
HEADER_BYTES = 1 << 26  # four for each character


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
        self._path, self._members = path, Members(file)
        _check_members(path, self._members)
        if HEADER not in self._members.infos:
            raise ArchiveError(f"{path} is a .npz file of arrays, not a {noun}")
        header = json.loads(str(self._members.read(HEADER, self._check_text)), parse_constant=_refuse)
        if not isinstance(header, dict):
            raise ArchiveError(f"{path} is damaged: its header is no table of values")
        self._digest = header.pop(DIGEST, None)
        self.header, self.names = header, self._members.infos.keys() - {HEADER}

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
        def check(header: Header) -> None:
            if not wanted.fits(header.shape) or header.dtype.newbyteorder("=") != wanted.dtype:
                raise ArchiveError(
                    f"{self._path} is damaged: array {name} has the shape {header.shape} of {header.dtype}"
                )

        return self._members.read(name, check).astype(wanted.dtype, copy=False)

    def _check_text(self, header: Header) -> None:
        if header.shape != () or header.dtype.kind != "U" or header.dtype.itemsize > HEADER_BYTES:
            raise ArchiveError(f"{self._path} is damaged: {HEADER} is no text")


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


def _check_members(path: Path, members: Members) -> None:
    """Refuse members that kanloom does not write: others than arrays, encrypted ones, and other compressions."""
    strange = [
        info
        for info in members.infos.values()
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1
    ]
    for info in (*members.others, *strange):
        raise ArchiveError(f"{path} is damaged or no .npz file of kanloom: member {info.filename!r}")


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
