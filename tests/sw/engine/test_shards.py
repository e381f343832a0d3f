import threading

import numpy as np
import pytest

from sw.datasets import Dataset, DatasetError, MemorySource, Split
from sw.engine.shards import SourceShards


def numbered(count: int) -> MemorySource:
    column = np.arange(float(count))[:, None]
    train, held = (Dataset("numbers", column, sign * column, ("x",), ("y",)) for sign in (1, -1))
    return MemorySource(Split(train, held))


class Counted:
    """Makes arrays of the records, and counts how often."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, index: int, shard: Dataset) -> np.ndarray:
        self.made.append(index)
        return shard.targets[:, 0].copy()


@pytest.mark.parametrize(("count", "size"), [(1, 4), (4, 4), (11, 4), (12, 4)])
@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
@pytest.mark.parametrize(("split", "sign"), [("train", 1), ("holdout", -1)])
def test_every_reading_has_every_record_once_in_order(count, size, cache_bytes, split, sign):
    make = Counted()
    shards = SourceShards(numbered(count), split, make, size=size, cache_bytes=cache_bytes)
    for _ in range(3):
        assert np.concatenate(list(shards)).tolist() == (sign * np.arange(count)).tolist()
    once = list(range(len(shards)))
    assert make.made == (once if cache_bytes else 3 * once)


@pytest.mark.parametrize(("cache_bytes", "readings"), [(3 * 32 - 1, 2), (3 * 32, 1)])
def test_all_is_kept_or_nothing(cache_bytes, readings):
    make = Counted()
    shards = SourceShards(numbered(12), "train", make, size=4, cache_bytes=cache_bytes)
    assert len(list(shards)) == len(list(shards)) == 3
    assert len(make.made) == 3 * readings


def test_a_reading_that_was_broken_off_is_not_kept():
    shards = SourceShards(numbered(12), "train", Counted(), size=4)
    reading = iter(shards)
    next(reading)
    reading.close()
    assert len(np.concatenate(list(shards))) == 12


def test_the_next_shard_is_made_while_one_is_in_use():
    following = threading.Event()

    def make(index: int, shard: Dataset) -> np.ndarray:
        if index == 1:
            following.set()
        return shard.targets

    reading = iter(SourceShards(numbered(12), "train", make, size=4))
    next(reading)
    assert following.wait(5)
    reading.close()


def test_what_is_wrong_with_a_source_is_raised_where_it_is_read():
    def make(index: int, shard: Dataset) -> np.ndarray:
        if index:
            raise DatasetError("a number is missing")
        return shard.targets

    reading = iter(SourceShards(numbered(12), "train", make, size=4))
    next(reading)
    with pytest.raises(DatasetError, match="missing"):
        next(reading)
