"""A source's records, read and converted shard by shard, while the shard before is in use."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from sw.datasets import Dataset, Source

SHARD_RECORDS = 1 << 17
CACHE_BYTES = 1 << 30


class Sized(Protocol):
    """A converted shard, whose size in memory is known."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""


Made = TypeVar("Made", bound=Sized)


class SourceShards(Generic[Made]):
    """The shards of one split of a source, converted, in the source's order.

    They are kept if all of them fit in `cache_bytes`. Otherwise each reading reads the source again, and has then two
    or three shards in memory: one that is in use, one that is ready, one that is being converted. Both give the same.

    Parameters
    ----------
    source : Source
        The records.
    split : {"train", "holdout"}
        Which of them.
    make : callable
        Converts a shard, from its number and its records; called in another thread.
    size : int, optional
        Records of a shard.
    cache_bytes : int, optional
        Memory for converted shards.
    """

    def __init__(
        self,
        source: Source,
        split: str,
        make: Callable[[int, Dataset], Made],
        *,
        size: int = SHARD_RECORDS,
        cache_bytes: int = CACHE_BYTES,
    ):
        self._source, self._split, self._make, self._size = source, split, make, size
        self._cache_bytes = cache_bytes
        self._kept: list[Made] = []

    def __len__(self) -> int:
        return -(-self._source.count(self._split) // self._size)

    def __iter__(self) -> Generator[Made, None, None]:
        if self._kept:
            yield from self._kept
            return
        kept = []
        for made in _ahead(self._read()):
            if len(self) * made.nbytes <= self._cache_bytes:
                kept.append(made)
            yield made
        if len(kept) == len(self):
            self._kept = kept

    def _read(self) -> Iterator[Made]:
        for index, shard in enumerate(self._source.shards(self._split, self._size)):
            yield self._make(index, shard)


def _ahead(items: Iterator[Made]) -> Iterator[Made]:
    """Yield the same items, each made by another thread while the one before is in use."""
    with ThreadPoolExecutor(1) as pool:
        following: Future[Made | None] = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item
