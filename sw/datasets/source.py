"""Records that are read shard by shard, so that a data set may be larger than memory."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sw.datasets.dataset import ColumnChoice, Dataset, Split, check_number
from sw.datasets.rows import STREAMED, Rows, open_rows
from sw.datasets.split import Targets, check_numbers, choose_columns, choose_rows, known_counts, load
from sw.datasets.synthetic import RECIPES, SPLITS, check_split, chunks
from sw.spec.bounds import RECORDS


class Source(ABC):
    """Training records and hold-out of a data set, read shard by shard.

    Every reading gives the same records in the same order, whatever the size of its shards.

    Attributes
    ----------
    name : str
        Name of the data set.
    feature_names, target_names : tuple of str
        One name for each column.
    """

    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

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
    name : str
        Name of the data set.
    counts : dict of str to int
        Records in each split.
    seed : int
        Seed of the generator.
    """

    def __init__(self, name: str, counts: dict[str, int], seed: int) -> None:
        self.name, self._counts, self._seed = name, counts, seed
        self.feature_names, self.target_names = RECIPES[name].feature_names, RECIPES[name].target_names

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
    DatasetError, while it reads, for a number that is not finite and for a file that has changed.

    Parameters
    ----------
    rows : Rows
        The rows of the file.
    layout : ColumnChoice
        Which columns are features and which are targets.
    train, holdout : ndarray of int
        Row numbers, disjoint.
    seed : int
        Seed of the order of the blocks.
    """

    def __init__(self, rows: Rows, layout: ColumnChoice, train: np.ndarray, holdout: np.ndarray, seed: int) -> None:
        self.name, self.feature_names, self.target_names = layout.name, layout.feature_names, layout.target_names
        self._rows, self._layout, self._seed = rows, layout, seed
        self._counts = {"train": len(train), "holdout": len(holdout)}
        self._split_of_row = np.full(rows.count, len(SPLITS), np.uint8)
        self._split_of_row[train] = SPLITS.index("train")
        self._split_of_row[holdout] = SPLITS.index("holdout")

    def count(self, split: str) -> int:
        """Count the records of a split."""
        check_split(split)
        return self._counts[split]

    def shards(self, split: str, size: int) -> Iterator[Dataset]:
        """Read the records of a split, `size` in a shard."""
        check_number("size", size, *RECORDS)
        shape = min(size, self.count(split)), len(self._rows.columns)
        return map(self._layout.dataset, _regroup(self._chosen(split), shape))

    def _chosen(self, split: str) -> Iterator[np.ndarray]:
        for start, block in self._rows.blocks(self._seed):
            yield block[self._split_of_row[start : start + len(block)] == SPLITS.index(split)]


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
    targets: Targets = None,
) -> Source:
    """Open the records that `load` gives for the same arguments, without holding them in memory.

    Records of a known data set, a .npy file or a .parquet file are read as they are needed. A .csv or .npz file is
    loaded whole. Both splits have the same records as `load`'s. The order of the training records differs in .npy and
    .parquet files: `load` shuffles the records, a source only the blocks, which in .parquet are row groups. If a
    .parquet file is sorted, its row groups should be much smaller than a shard.

    Parameters
    ----------
    name_or_path, records, holdout, seed, targets
        As `load` takes them.

    Returns
    -------
    Source
        Training records and hold-out.

    Raises
    ------
    DatasetError
        As `load` does, except that `shards` finds the numbers of .npy and .parquet files that are not finite.
    """
    check_numbers(records, holdout, seed)
    name, path = str(name_or_path), Path(name_or_path)
    if name in RECIPES:
        return SyntheticSource(name, known_counts(name, records, holdout, targets), seed)
    if path.suffix.lower() not in STREAMED:
        return MemorySource(load(path, records=records, holdout=holdout, seed=seed, targets=targets))
    rows = open_rows(path)
    layout = choose_columns(path, rows.columns, rows.columns[-1:] if targets is None else targets)
    return FileSource(rows, layout, *choose_rows(path.name, rows.count, records, holdout, seed), seed)
