"""What is made of a source's records, shard by shard, beside the work that needs it."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from sw.datasets import Dataset, Source

SHARD_RECORDS = 1 << 17
CACHE_BYTES = 1 << 30


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Made = TypeVar("Made", bound=Sized)


class Shards(Generic[Made]):
    """What `make` makes of each shard of a part of a source, in the source's order.

    It is kept if all of it fits in `cache_bytes`; otherwise each reading reads the source again, and has then two or
    three shards in memory: one that is worked on, one that is ready, one that is being made. Both give the same.

    Parameters
    ----------
    source, part: of the records.
    make: of a shard's number and its records; called in another thread.
    size: records of a shard.
    cache_bytes: to keep in.
    """

    def __init__(
        self,
        source: Source,
        part: str,
        make: Callable[[int, Dataset], Made],
        *,
        size: int = SHARD_RECORDS,
        cache_bytes: int = CACHE_BYTES,
    ):
        self._source, self._part, self._make, self._size = source, part, make, size
        self._cache_bytes = cache_bytes
        self._kept: list[Made] = []

    def __len__(self) -> int:
        return -(-self._source.count(self._part) // self._size)

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
        for index, shard in enumerate(self._source.shards(self._part, self._size)):
            yield self._make(index, shard)


def _ahead(items: Iterator[Made]) -> Iterator[Made]:
    """The same items, each made by another thread while the one before is in use."""
    with ThreadPoolExecutor(1) as pool:
        following: Future[Made | None] = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item
