"""Records that are read shard by shard, so that a data set may be larger than memory."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError, Selection, Split, check_number
from sw.datasets.encoding import REFUSE, Encoding, Unseen
from sw.datasets.matching import match
from sw.datasets.raw import Rows
from sw.datasets.reading import fits_in_memory, open_rows
from sw.datasets.split import check_numbers, check_path, load, rows_left_out, select, select_known, selected_rows
from sw.datasets.synthetic import RECIPES, SPLITS, check_split, chunks
from sw.spec.bounds import RECORDS

if TYPE_CHECKING:
    from sw.datasets.fitting import ColumnOptions


class Source(ABC):
    """Training records and hold-out of a data set, read shard by shard.

    Every reading gives the same records in the same order, whatever the size of its shards.

    Attributes
    ----------
    name : str
        Name of the data set.
    feature_names, target_names : tuple of str
        One name for each column.
    encoding : Encoding
        What was done to the columns of a file.
    selection : Selection or None
        Which records these are, if that is known.
    notes : tuple of str
        What was assumed, left out and done when a file was read, a line each.
    """

    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    encoding: Encoding
    selection: Selection | None = None
    notes: tuple[str, ...] = ()

    @abstractmethod
    def count(self, split: str) -> int:
        """Count the records of a split.

        Parameters
        ----------
        split : {"train", "holdout"}
            Which records.

        Raises
        ------
        DatasetError
            If there is no such split.
        """

    @abstractmethod
    def shards(self, split: str, size: int) -> Iterator[Dataset]:
        """Read the records of a split.

        Parameters
        ----------
        split : {"train", "holdout"}
            Which records.
        size : int
            Records in a shard, 1 or more; the last shard may have fewer.

        Returns
        -------
        iterator of Dataset
            The shards, in the user's units.

        Raises
        ------
        DatasetError
            At the call, if `split` or `size` is not legal; while shards are read, as the class says.
        """


class SyntheticSource(Source):
    """A known data set, generated anew at every reading.

    Parameters
    ----------
    selection : Selection
        Name of the data set, records in each split, and seed of the generator.
    """

    def __init__(self, selection: Selection) -> None:
        name = self.name = selection.name
        self.selection, self._seed = selection, selection.seed
        self._counts = {"train": selection.records, "holdout": selection.holdout}
        self.feature_names, self.target_names = RECIPES[name].feature_names, RECIPES[name].target_names
        self.encoding = Encoding.numbers(self.feature_names, self.target_names)

    def count(self, split: str) -> int:
        """Count the records of a split."""
        check_split(split)
        return self._counts[split]

    def shards(self, split: str, size: int) -> Iterator[Dataset]:
        """Read the records of a split, `size` in a shard."""
        return chunks(self.name, self.count(split), seed=self._seed, split=split, size=size)


class MemorySource(Source):
    """Records that the caller has in memory, in their order; shards are views of them.

    Parameters
    ----------
    split : Split
        Training records and hold-out.
    """

    def __init__(self, split: Split) -> None:
        self._records = {"train": split.train, "holdout": split.holdout}
        self.name = split.train.name
        self.feature_names, self.target_names = split.train.feature_names, split.train.target_names
        self.encoding = split.encoding or Encoding.numbers(self.feature_names, self.target_names)
        self.selection, self.notes = split.selection, split.notes

    def count(self, split: str) -> int:
        """Count the records of a split."""
        check_split(split)
        return len(self._records[split])

    def shards(self, split: str, size: int) -> Iterator[Dataset]:
        """Read the records of a split, `size` in a shard."""
        check_number("size", size, *RECORDS)
        count, records = self.count(split), self._records[split]
        return (records.take(slice(start, start + size)) for start in range(0, count, size))


class FileSource(Source):
    """The records of a file, read block by block in a random order of the blocks.

    The order of a sorted file would make each shard unteach what the one before has taught. Inside a block, records
    have the file's order. In memory are one byte for each row, which says its split, a block of the file, and the shard
    that is being made; before that, the shuffle that chooses the splits takes eight bytes for each row. `shards` raises
    DatasetError, while it reads, for a file that has changed.

    Parameters
    ----------
    rows : Rows
        The rows of the file, with the columns that the encoding needs.
    encoding : Encoding
        What is done to the columns.
    kept : ndarray of bool, shape (rows,), or None
        The rows that are used, the others have missing cells; None for all.
    selection : Selection
        Which of these rows are in which split.
    notes : tuple of str
        What was assumed, left out and done, a line each.
    """

    def __init__(
        self, rows: Rows, encoding: Encoding, kept: np.ndarray | None, selection: Selection, notes: tuple[str, ...]
    ) -> None:
        self.name, self.encoding, self.selection, self.notes = selection.name, encoding, selection, notes
        self.feature_names, self.target_names = encoding.feature_names, encoding.target_names
        self._rows, self._seed = rows, selection.seed
        self._counts = {"train": selection.records, "holdout": selection.holdout}
        self._split_of_row = np.full(rows.count, len(SPLITS), np.uint8)
        used = rows.count if kept is None else int(kept.sum())
        for split, numbers in zip(("train", "holdout"), selected_rows(selection, used), strict=True):
            self._split_of_row[numbers if kept is None else np.flatnonzero(kept)[numbers]] = SPLITS.index(split)

    def count(self, split: str) -> int:
        """Count the records of a split."""
        check_split(split)
        return self._counts[split]

    def shards(self, split: str, size: int) -> Iterator[Dataset]:
        """Read the records of a split, `size` in a shard."""
        check_number("size", size, *RECORDS)
        shape = min(size, self.count(split)), len(self.feature_names) + len(self.target_names)
        # `take` copies: all shards of `_regroup` are the same memory.
        return (
            self.encoding.dataset(shard, self.name).take(np.arange(len(shard)))
            for shard in _regroup(self._chosen(split), shape)
        )

    def _chosen(self, split: str) -> Iterator[np.ndarray]:
        for start, block in encoded_blocks(self._rows, self.encoding, self._seed, Unseen()):
            yield block[self._split_of_row[start : start + len(block)] == SPLITS.index(split)]


def encoded_blocks(
    rows: Rows, encoding: Encoding, seed: int | None, unseen: Unseen
) -> Iterator[tuple[int, np.ndarray]]:
    """Read and encode the rows of a file, block by block.

    Parameters
    ----------
    rows : Rows
        The file.
    encoding : Encoding
        What is done to its columns.
    seed : int or None
        Seed of the order of the blocks, as `Rows.blocks` takes it.
    unseen : Unseen
        Here texts are counted that the fit has not seen.

    Yields
    ------
    start : int
        Number of the block's first row.
    block : ndarray of float64, shape (rows, features + targets)
        The rows, NaN where a cell is missing.
    """
    for start, block in rows.blocks(seed):
        table = encoding.select(block, rows.name)
        yield start, encoding.matrix(table, rows.name, rows.place, targets=True, unseen=unseen, first_row=start)


def _regroup(blocks: Iterator[np.ndarray], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Regroup the rows of all blocks in arrays of `shape`, the last one perhaps shorter; all are the same memory."""
    shard, filled = np.empty(shape), 0
    for block in blocks:
        while len(block):
            taken = block[: len(shard) - filled]
            shard[filled : filled + len(taken)] = taken
            block, filled = block[len(taken) :], filled + len(taken)
            if filled == len(shard):
                yield shard
                filled = 0
    if filled:
        yield shard[:filled]


def open_source(
    name_or_path: str | Path,
    *,
    records: int | None = None,
    holdout: int | None = None,
    seed: int = 0,
    encoding: Encoding | None = None,
    like: Selection | None = None,
    **columns: Any,
) -> Source:
    """Open the records that `load` gives for the same arguments, without holding more in memory than has to be.

    Records of a known data set are made as they are needed. A file is loaded whole if it takes no more memory than
    `sw.datasets.raw.MEMORY`, or is of a format that cannot be read in blocks. Both splits have the same records as
    `load`'s. The order of the training records differs if a file is read in blocks: `load` shuffles the records, a
    source only the blocks: of .parquet files the row groups, of .feather files the record batches. If such a file is
    sorted, these should be much smaller than a shard.

    Parameters
    ----------
    name_or_path, records, holdout, seed, encoding, like
        As `load` takes them.
    **columns
        The options of `load` about columns: targets, features, ignore, header, missing.

    Returns
    -------
    Source
        Training records and hold-out.

    Raises
    ------
    DatasetError
        As `load` does.
    """
    check_numbers(records, holdout, seed)
    name = str(name_or_path)
    if name in RECIPES:
        return SyntheticSource(select_known(name, records, holdout, seed, like, columns))
    check_path(name_or_path)
    if fits_in_memory(name_or_path):
        split = load(name_or_path, records=records, holdout=holdout, seed=seed, encoding=encoding, like=like, **columns)
        return MemorySource(split)
    from sw.datasets.fitting import ColumnOptions

    rows, encoding, kept, notes = _fitted(name_or_path, ColumnOptions(**columns), encoding)
    used = rows.count if kept is None else int(kept.sum())
    selection = select(Path(rows.name).name, rows.count, used, records, holdout, seed, like)
    return FileSource(rows, encoding, kept, selection, notes)


def _fitted(
    path: str | Path, options: "ColumnOptions", encoding: Encoding | None
) -> tuple[Rows, Encoding, np.ndarray | None, tuple[str, ...]]:
    """Open the columns of a file that an encoding needs, and find the rows without missing cells."""
    from sw.datasets.fitting import TableShape, fit

    rows = open_rows(path)
    if options.header is not None:
        raise DatasetError(f"{path}: a header is assumed or denied in text files only")
    notes, unseen = list(rows.notes), Unseen()
    read = encoding is not None and (encoding.missing != REFUSE or encoding.has_texts)
    if encoding is None:
        shape = TableShape(rows.name, rows.schema, rows.targets, rows.count)
        fitted = fit(shape, options, rows.blocks(), rows.place)
        encoding, read = fitted.encoding, not fitted.complete
        notes += fitted.notes
    found, _ = match([*encoding.feature_columns, *encoding.target_names], rows.schema.names, rows.name)
    rows = open_rows(path, found)
    kept = None
    if read:
        blocks = encoded_blocks(rows, encoding, None, unseen)
        kept = np.concatenate([~np.isnan(block).any(axis=1) for _, block in blocks])
        kept = None if kept.all() else kept
    return rows, encoding, kept, (*notes, *unseen.notes(), *rows_left_out(kept, rows.count))
