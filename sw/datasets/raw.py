"""What a file holds, typed as in the file and unchanged: all of it at once, or block by block."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from sw.datasets.dataset import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 20
"""Bytes of a block as float64: many rows in a read, and yet little memory, and many blocks in a shard."""

MEMORY = 1 << 30
"""Bytes that a table may take: a larger one is read in blocks if its format allows, a compressed one is refused."""

MOST_COLUMNS = 1 << 20
SHOWN = 80
"""Letters of a list of names in a message."""
LONGEST_SHOWN = 40
"""Letters of a name in such a list."""

Order = Callable[[int], np.ndarray]
"""Takes a number, gives the integers below it in some order."""


@dataclass(frozen=True, eq=False)
class RawTable:
    """All rows of a file.

    Attributes
    ----------
    name : str
        Name of the file, for messages.
    columns : pyarrow.Table
        Columns of the types that the file has: integers, floats, booleans, decimals, text, dates, times, timestamps,
        and perhaps nested ones. A cell that is missing is null.
    targets : tuple of str
        Columns that are targets unless the user says otherwise.
    notes : tuple of str
        What was assumed and what was left out, a line each.
    find : callable
        Takes the number of a row, gives its place as `place` says it.
    """

    name: str
    columns: pa.Table
    targets: tuple[str, ...]
    notes: tuple[str, ...]
    find: Callable[[int], str]

    def place(self, row: int) -> str:
        """Say where a row is: "line 17" of a text file as an editor counts lines, else "row 16", counted from 0."""
        return self.find(row)


def row_place(row: int) -> str:
    """Say where a row of a file without lines is."""
    return f"row {row}"


@dataclass(frozen=True)
class Content:
    """The bytes of a file, or bytes that came through a pipe.

    Attributes
    ----------
    name : str
        The path, for messages.
    path : Path
        The file.
    data : bytes or None
        The bytes if they came through a pipe; None if the file has them.
    """

    name: str
    path: Path
    data: bytes | None = None

    def open(self) -> BinaryIO:
        """Open the bytes for reading; any place in them can be sought."""
        return self.path.open("rb") if self.data is None else io.BytesIO(self.data)

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.path.stat().st_size if self.data is None else len(self.data)

    def stamp(self) -> tuple[int, int]:
        """Give what differs after the file has changed: size in bytes, and time of the last change in nanoseconds."""
        if self.data is not None:
            return len(self.data), 0
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns


class Rows(ABC):
    """The rows of a file, or of a folder of files, which must not change while this is in use.

    Parameters
    ----------
    name : str
        The file's or folder's name, for messages.
    contents : sequence of Content
        The files.

    Attributes
    ----------
    name : str
        The file's or folder's name.
    schema : pyarrow.Schema
        Names and types of the columns.
    count : int
        Number of rows.
    notes : tuple of str
        What was assumed and what was left out, a line each.
    """

    schema: pa.Schema
    count: int
    notes: tuple[str, ...] = ()

    def __init__(self, name: str, contents: Sequence[Content]) -> None:
        self.name = name
        self._contents = contents
        self._stamps = self._present_stamps()

    @property
    def targets(self) -> tuple[str, ...]:
        """The default target: the last column."""
        return tuple(self.schema.names[-1:])

    @property
    def bytes(self) -> int:
        """Bytes of all rows as float64."""
        return 8 * self.count * len(self.schema.names)

    @property
    def _per_block(self) -> int:
        return max(1, BLOCK // (8 * max(1, len(self.schema.names))))

    @abstractmethod
    def _read(self, order: Order) -> Iterator[tuple[int, pa.Table]]:
        """Read the blocks, in `order` where each can be found without reading others."""

    def place(self, row: int) -> str:
        """Say where a row is, counted from 0."""
        return row_place(row)

    def blocks(self, seed: int | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Read all rows in blocks of about `BLOCK` bytes.

        Parameters
        ----------
        seed : int or None
            Seed of a random order of the blocks of a .npy file, of the row groups of Parquet files, of the batches of
            Feather files; None for the file's order.

        Yields
        ------
        row : int
            Number of the block's first row.
        block : pyarrow.Table
            The rows.

        Raises
        ------
        DatasetError
            While blocks are read: if the file is damaged, or has changed since it was opened.
        """
        order = np.arange if seed is None else np.random.default_rng(seed).permutation
        with file_errors(self.name):
            try:
                for row, block in self._read(order):
                    self._check_unchanged()
                    yield row, block
            except (OSError, DatasetError):
                self._check_unchanged()  # since a change explains the fault
                raise

    def table(self) -> RawTable:
        """Read all rows at once."""
        import pyarrow as pa

        blocks = [block for _, block in self.blocks()]
        columns = pa.concat_tables(blocks) if blocks else self.schema.empty_table()
        return RawTable(self.name, columns, self.targets, self.notes, self.place)

    def _present_stamps(self) -> list[tuple[int, int]]:
        return [content.stamp() for content in self._contents]

    def _check_unchanged(self) -> None:
        if self._present_stamps() != self._stamps:
            raise DatasetError(f"{self.name} has changed since it was opened; open it again")


def indices(name: str, count: int) -> tuple[str, ...]:
    """Name the columns of the file `name` by their indices.

    Raises
    ------
    DatasetError
        If they are more than `MOST_COLUMNS`.
    """
    if count > MOST_COLUMNS:
        raise DatasetError(f"{name} has {count} columns; at most {MOST_COLUMNS} are read")
    return tuple(map(str, range(count)))


def shortened(names: Sequence[str]) -> str:
    """Join names in one line, leaving some out in the middle if there are many, and the ends of long ones."""
    names = [" ".join(name.split()) for name in names]
    names = [name if len(name) <= LONGEST_SHOWN else f"{name[: LONGEST_SHOWN - 3]}..." for name in names]
    shown = ", ".join(names)
    first = 1
    while first < len(names) - 1 and len(", ".join(names[: first + 1])) < SHOWN - LONGEST_SHOWN:
        first += 1
    if len(shown) <= SHOWN or first >= len(names) - 1:
        return shown
    return f"{', '.join(names[:first])}, ..., {names[-1]} ({len(names)} in all)"


def check_names(name: str, columns: Sequence[str]) -> None:
    """Check that each column of the file `name` has a name of its own.

    Raises
    ------
    DatasetError
        If it has not.
    """
    if not columns:
        raise DatasetError(f"{name} has no columns")
    seen = set()
    for index, column in enumerate(columns):
        if not column:
            raise DatasetError(f"{name}: column {index} has no name")
        if column in seen:
            raise DatasetError(f"{name}: two columns are called {column!r}")
        seen.add(column)


def wanted(name: str, columns: Sequence[str], chosen: Sequence[str] | None) -> list[str]:
    """Give the columns of the file `name` that are to be read, in the file's order: those chosen, or all.

    Raises
    ------
    DatasetError
        If one that is chosen is not there.
    """
    if chosen is None:
        return list(columns)
    known, taken = set(columns), set(chosen)
    unknown = [column for column in chosen if column not in known]
    if unknown:
        raise DatasetError(f"{name} has no column {shortened([*map(repr, unknown)])}; it has {shortened(columns)}")
    return [column for column in columns if column in taken]


@contextmanager
def file_errors(name: str) -> Iterator[None]:
    """Turn errors of the file system into a DatasetError."""
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError(f"{name}: there is no such file") from error
    except OSError as error:
        raise DatasetError(f"{name} cannot be read: {error.strerror or error}") from error
