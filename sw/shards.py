"""Records made ready for the kernels, shard by shard: read, scaled, shuffled and encoded beside the training."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import numpy as np

from sw.compiled import Encoded
from sw.datasets import Dataset, Source

SHARD_RECORDS = 1 << 17
CACHE_BYTES = 1 << 30


class Shards:
    """The training records of a source, encoded.

    A shard's records are shuffled among themselves, by the seed and the shard's number; an epoch visits the shards in
    an order of its own. Shards that fit in `cache_bytes` together are kept; otherwise each epoch reads the source
    again, one shard ahead of the training.

    Parameters
    ----------
    source: of the records.
    encode: makes a shard ready for training.
    seed: of the orders.
    size: records of a shard.
    cache_bytes: to keep encoded shards in.
    """

    def __init__(
        self,
        source: Source,
        encode: Callable[[Dataset], Encoded],
        *,
        seed: int,
        size: int = SHARD_RECORDS,
        cache_bytes: int = CACHE_BYTES,
    ):
        self._source, self._encode, self._seed, self._size = source, encode, seed, size
        self._cache: list[Encoded] | None = None
        self._cache_bytes = cache_bytes

    def epoch(self, number: int) -> Iterator[Encoded]:
        """All shards once, in the order of the epoch of that number."""
        if number and self._cache:
            order = np.random.default_rng((self._seed, number)).permutation(len(self._cache))
            yield from (self._cache[index] for index in order)
            return
        self._cache = []
        for shard in _ahead(self._read()):
            if self._cache is not None:
                self._cache.append(shard)
                if sum(kept.arguments.nbytes + kept.targets.nbytes for kept in self._cache) > self._cache_bytes:
                    self._cache = None
            yield shard

    def _read(self) -> Iterator[Encoded]:
        for index, shard in zip(count(), self._source.shards("train", self._size), strict=False):
            order = np.random.default_rng((self._seed, 0, index)).permutation(len(shard))
            yield self._encode(shard.take(order))


def _ahead(items: Iterator[Encoded]) -> Iterator[Encoded]:
    """The same items, each made by another thread while the one before is in use."""
    with ThreadPoolExecutor(1) as pool:
        following: Future[Encoded | None] = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item
