"""Records that are read shard by shard, whatever they lie in: more of them than fit in memory."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sw.datasets.dataset import ColumnChoice, Dataset, Split, check_least
from sw.datasets.rows import STREAMED, Rows, open_rows
from sw.datasets.split import Targets, check_numbers, choose_columns, choose_rows, known_counts, load
from sw.datasets.synthetic import PARTS, RECIPES, check_part, chunks


class Source(ABC):
    """Records of a data set, split in records to train on and a hold-out, read shard by shard.

    Every reading gives the same records in the same order, whatever the size of its shards.

    Attributes
    ----------
    name: of the data set.
    feature_names, target_names: one a column.
    """

    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

    @abstractmethod
    def count(self, part: str) -> int:
        """Records in a part, "train" or "holdout". Raises DatasetError for any other."""

    @abstractmethod
    def shards(self, part: str, size: int) -> Iterator[Dataset]:
        """The records of a part, `size` at a time and the rest in the last shard, float64, in the user's units.

        Raises
        ------
        DatasetError: at the call, for a `part` or `size` that is not legal; while it reads, as the source says.
        """


class SyntheticSource(Source):
    """A known data set, `counts` records in each part, generated anew at every reading."""

    def __init__(self, name: str, counts: dict[str, int], seed: int) -> None:
        self.name, self._counts, self._seed = name, counts, seed
        self.feature_names, self.target_names = RECIPES[name].feature_names, RECIPES[name].target_names

    def count(self, part: str) -> int:
        check_part(part)
        return self._counts[part]

    def shards(self, part: str, size: int) -> Iterator[Dataset]:
        return chunks(self.name, self.count(part), seed=self._seed, part=part, size=size)


class MemorySource(Source):
    """Records that the caller has in memory, in their order; shards are views of them."""

    def __init__(self, split: Split) -> None:
        self._parts = {"train": split.train, "holdout": split.holdout}
        self.name = split.train.name
        self.feature_names, self.target_names = split.train.feature_names, split.train.target_names

    def count(self, part: str) -> int:
        check_part(part)
        return len(self._parts[part])

    def shards(self, part: str, size: int) -> Iterator[Dataset]:
        check_least("size", size, 1)
        count, records = self.count(part), self._parts[part]
        return (records.take(slice(start, start + size)) for start in range(0, count, size))


class FileSource(Source):
    """The records of a file, read block by block, in a random order of the blocks: that of a sorted file would have
    each shard teach what the next one unteaches. Inside a block they have the file's order.

    In memory are one byte a row, which says its part, a block of the file, and the shard that is being made; before
    that, the shuffle that chooses the parts takes eight bytes a row. While it reads, `shards` raises DatasetError for
    a number that is not finite, and for a file that is not the one opened.

    Parameters
    ----------
    rows: of the file.
    layout: of its columns.
    train, holdout: row numbers, disjoint.
    seed: of the order of the blocks.
    """

    def __init__(self, rows: Rows, layout: ColumnChoice, train: np.ndarray, holdout: np.ndarray, seed: int) -> None:
        self.name, self.feature_names, self.target_names = layout.name, layout.feature_names, layout.target_names
        self._rows, self._layout, self._seed = rows, layout, seed
        self._counts = {"train": len(train), "holdout": len(holdout)}
        self._parts = np.full(rows.count, len(PARTS), np.uint8)
        self._parts[train] = PARTS.index("train")
        self._parts[holdout] = PARTS.index("holdout")

    def count(self, part: str) -> int:
        check_part(part)
        return self._counts[part]

    def shards(self, part: str, size: int) -> Iterator[Dataset]:
        check_least("size", size, 1)
        shape = min(size, self.count(part)), len(self._rows.columns)
        return map(self._layout.dataset, _regroup(self._chosen(part), shape))

    def _chosen(self, part: str) -> Iterator[np.ndarray]:
        for start, block in self._rows.blocks(self._seed):
            yield block[self._parts[start : start + len(block)] == PARTS.index(part)]


def _regroup(blocks: Iterator[np.ndarray], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """The rows of all blocks in arrays of `shape`, the last one perhaps shorter; all are the same memory."""
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
    """The records that `load` gives for the same arguments, without holding them, where they come from a generator, a
    .npy file or a .parquet file. A .csv or .npz file is loaded.

    The hold-out has the same records as `load`'s, and so have the training records. Their order differs in .npy and
    .parquet: `load` gives a file's records shuffled, a source only its blocks, which in .parquet are row groups. If a
    .parquet file is sorted, its row groups should be much smaller than a shard.

    Raises
    ------
    DatasetError: as `load`, but for numbers that are not finite: those of .npy and .parquet are found by `shards`.
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
