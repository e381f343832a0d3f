"""The rows of a table as features of a model that has been trained on another one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from sw.datasets.encoding import Encoding, Unseen
from sw.datasets.faults import Place
from sw.datasets.matching import match
from sw.datasets.raw import RawTable, Rows
from sw.datasets.reading import fits_in_memory, open_rows, read


class Inputs:
    """The rows of a file, encoded as a model needs them; other columns are not looked at.

    Parameters
    ----------
    path : Path
        A file as `sw.datasets.reading.read` takes it.
    encoding : Encoding
        What is done to its columns.
    header : bool or None
        Whether the first row of a text file holds the names of the columns; None for finding out.
    by_position : bool
        Take the columns in order, whatever their names are.

    Attributes
    ----------
    name : str
        The file's name, without folders.
    count : int
        Number of rows.
    notes : tuple of str
        What was assumed, a line each.
    unseen : Unseen
        Texts that the encoding does not know, in the blocks that have been read.

    Raises
    ------
    DatasetError
        If the file cannot be read, or lacks columns.
    """

    def __init__(
        self, path: Path, encoding: Encoding, *, header: bool | None = None, by_position: bool = False
    ) -> None:
        self._encoding = encoding
        needed = encoding.feature_columns
        self._blocks: Iterator[tuple[int, pa.Table]]
        self._place: Place
        opened: Rows | RawTable
        if header is None and not fits_in_memory(path):
            rows = open_rows(path)
            self._found, note = match(needed, rows.schema.names, rows.name, by_position=by_position)
            opened = rows = open_rows(path, self._found)
            self.count, self._blocks = rows.count, rows.blocks()
        else:
            opened = raw = read(path, header=header)
            self._found, note = match(needed, raw.columns.column_names, raw.name, by_position=by_position)
            self.count, self._blocks = raw.columns.num_rows, iter([(0, raw.columns)])
        self._source, self._place = opened.name, opened.place
        self.notes = (*opened.notes, *((note,) if note else ()))
        self.name = Path(self._source).name
        self.unseen = Unseen()

    def blocks(self) -> Iterator[np.ndarray]:
        """Read the rows, once.

        Yields
        ------
        ndarray of float64, shape (rows, features)
            The next rows of the file, NaN in cells that are missing and not filled.

        Raises
        ------
        DatasetError
            For cells that the encoding does not take.
        """
        for start, block in self._blocks:
            table = block.select(self._found).rename_columns(self._encoding.feature_columns)
            yield self._encoding.matrix(
                table, self._source, self._place, targets=False, unseen=self.unseen, first_row=start
            )
