"""Arrays in NumPy's files: headers, and the members of .npz archives, read without trusting them.

Headers are parsed here, not by NumPy: the shape that a header states is compared with the bytes of the file before any
memory is taken, and an array of Python objects is never unpickled. Each member of an archive is read to its end, where
ZIP's checksum is compared.
"""

import ast
import math
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import numpy as np

from sw.file_kind import NPY_BYTES

SUFFIX = ".npy"  # of a member that is an array
HEADER_LIMIT = 1 << 16
CHUNK = 1 << 18  # bytes of a member that are read at a time
LONG_INTEGER = re.compile(r"\b(\d+)L(?=[,)])")
"""A size as Python 2 wrote it."""

NPY_ERRORS = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError, struct.error)


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
    if start[:6] != NPY_BYTES or len(start) < 8:
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape sequence that Python does not know
            said = ast.literal_eval(LONG_INTEGER.sub(r"\1", text.decode("utf-8" if version == 3 else "latin-1")))
        dtype = np.lib.format.descr_to_dtype(said["descr"])
        shape, fortran = said["shape"], said["fortran_order"]
        if not all(type(size) is int and size >= 0 for size in shape) or type(fortran) is not bool:
            raise ValueError
    except (*NPY_ERRORS, KeyError, IndexError, AttributeError):
        raise ValueError("its header cannot be read") from None
    return Header(dtype, tuple(shape), fortran, 8 + struct.calcsize(prefix) + length)


class Members:
    """The arrays of an open .npz archive, read one by one when they are asked for.

    Parameters
    ----------
    file : zipfile.ZipFile
        The archive.

    Attributes
    ----------
    infos : dict of str to ZipInfo
        ZIP's own header of each array, by the array's name.
    others : list of ZipInfo
        Members that are no arrays.

    Raises
    ------
    ValueError
        If two arrays have one name.
    """

    infos: dict[str, zipfile.ZipInfo]
    others: list[zipfile.ZipInfo]

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file, self.infos, self.others = file, {}, []
        for info in file.infolist():
            name = info.filename.removesuffix(SUFFIX)
            if name in self.infos:
                raise ValueError(f"two arrays are called {name}")
            if name == info.filename:
                self.others.append(info)
            else:
                self.infos[name] = info

    def header(self, name: str) -> Header:
        """Read what the header of an array says, and nothing of its items.

        Raises
        ------
        ValueError
            If it cannot be read, or does not fit the size of the member.
        """
        with self._file.open(self.infos[name]) as stream:
            return self._header(name, stream)

    def read(self, name: str, check: Callable[[Header], None]) -> np.ndarray:
        """Read an array.

        Parameters
        ----------
        name : str
            Its name.
        check : callable
            Takes the header before memory is taken for the items; it raises if they are not wanted.

        Returns
        -------
        ndarray
            The items, of the type that the header states.

        Raises
        ------
        ValueError, zipfile.BadZipFile, zlib.error, EOFError
            If the member is damaged.
        """
        with self._file.open(self.infos[name]) as stream:
            header = self._header(name, stream)
            check(header)
            data, filled = np.empty(header.nbytes, np.uint8), 0
            while part := stream.read(CHUNK):
                data[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
                filled += len(part)
        if filled < len(data):
            raise ValueError(f"{name} ends too early for its shape {header.shape}")
        return data.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")

    def _header(self, name: str, stream: IO[bytes]) -> Header:
        header = read_header(stream)
        if not header.is_pickled and header.length + header.nbytes != self.infos[name].file_size:
            raise ValueError(f"{name}{SUFFIX} has not the size that its shape {header.shape} needs")
        return header
