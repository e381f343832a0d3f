import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sw import datasets
from sw.datasets import (
    NAMES,
    Dataset,
    DatasetError,
    MemorySource,
    Source,
    Split,
    generate,
    load,
    open_source,
    raw,
    reading,
)
from sw.datasets.synthetic import SPLITS
from sw.scaling import Scaling
from tests.sw.datasets.test_datasets import FAULTS, FINITE, IN_TMP_PATH, WRITTEN, Case, sorted_rows, table

STREAMED = reading.STREAMED
FORMATS = (*dict.fromkeys((*WRITTEN, *STREAMED)),)
ROW_GROUP = 10


@pytest.fixture(autouse=True, scope="module")
def _blocks_of_a_few_rows():
    """So that small files have many blocks, too, and are read in blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "BLOCK", 8 * 5 * 3)
        patch.setattr(reading, "MEMORY", 0)
        yield


def write(records: Dataset, path: Path) -> None:
    """Write a file of any format, Arrow's in batches of a few rows."""
    if path.suffix not in (".feather", ".arrow"):
        datasets.write(records, path)
        return
    columns = [*records.features.T, *records.targets.T]
    named = pyarrow.table(dict(zip((*records.feature_names, *records.target_names), columns, strict=True)))
    make = pyarrow.ipc.new_file if path.suffix == ".feather" else pyarrow.ipc.new_stream
    with make(path, named.schema) as writer:
        writer.write_table(named, max_chunksize=ROW_GROUP)


def read(source: Source, part: str, size: int) -> Dataset:
    """All shards of a part, in one."""
    shards = list(source.shards(part, size))
    assert [len(shard) for shard in shards[:-1]] == [size] * (len(shards) - 1)
    assert 0 < len(shards[-1]) <= size
    assert all(shard.features.dtype == shard.targets.dtype == np.float64 for shard in shards)
    features, targets = (np.concatenate([getattr(s, side) for s in shards]) for side in ("features", "targets"))
    return Dataset(source.name, features, targets, source.feature_names, source.target_names)


def assert_same(a: Dataset, b: Dataset) -> None:
    assert (a.name, a.feature_names, a.target_names) == (b.name, b.feature_names, b.target_names)
    np.testing.assert_array_equal(a.features, b.features)
    np.testing.assert_array_equal(a.targets, b.targets)


def numbered(count: int) -> Dataset:
    """Records whose every value tells the row."""
    row = np.arange(float(count))
    return Dataset("rows", np.c_[row, -row], np.c_[2 * row, 3 * row], ("a", "b"), ("c", "d"))


@pytest.fixture
def hundred(tmp_path: Path) -> Callable[[str], Path]:
    def make(suffix: str) -> Path:
        write(numbered(100), tmp_path / f"rows{suffix}")
        return tmp_path / f"rows{suffix}"

    return make


@pytest.mark.parametrize("suffix", FORMATS)
@given(data=st.data(), values=arrays(np.float64, st.tuples(st.integers(2, 30), st.just(5)), elements=FINITE))
@IN_TMP_PATH
def test_a_file_has_the_records_that_load_gives(
    tmp_path: Path, suffix: str, data: st.DataObject, values: np.ndarray
) -> None:
    path = tmp_path / f"file{suffix}"
    write(table(values[:, :3], values[:, 3:]), path)
    holdout = data.draw(st.none() | st.integers(1, len(values) - 1))
    left = len(values) - (holdout or max(1, len(values) // 5))
    options: dict[str, Any] = {
        "records": data.draw(st.none() | st.integers(1, left)),
        "holdout": holdout,
        "seed": data.draw(st.integers(0, 99)),
    }
    targets = data.draw(st.sampled_from([[4], [0], [3, 4], [4, 1]]))
    features = [column for column in range(5) if column not in targets]  # those that are named may be constant
    options |= {"targets": targets, "features": features}
    split, source = load(path, **options), open_source(path, **options)
    for part in SPLITS:
        loaded, streamed = getattr(split, part), read(source, part, data.draw(st.integers(1, 40)))
        assert source.count(part) == len(loaded)
        assert (streamed.name, streamed.feature_names) == (loaded.name, loaded.feature_names)
        assert streamed.target_names == loaded.target_names
        np.testing.assert_array_equal(sorted_rows(streamed), sorted_rows(loaded))


@given(st.sampled_from(NAMES), st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**40))
@settings(max_examples=40, deadline=None)
def test_a_known_dataset_is_what_load_gives(name: str, records: int, holdout: int, size: int, seed: int) -> None:
    split = load(name, records=records, holdout=holdout, seed=seed)
    source = open_source(name, records=records, holdout=holdout, seed=seed)
    assert_same(read(source, "train", size), split.train)
    assert_same(read(source, "holdout", size), split.holdout)


def test_det5_is_ready_at_once() -> None:
    source = open_source("det5")
    assert (source.count("train"), source.count("holdout")) == (10_000_000, 2_000_000)
    assert_same(next(source.shards("train", 100)), generate("det5", 100))


@pytest.mark.parametrize("origin", [*FORMATS, "norm2"])
def test_every_reading_is_the_same_whatever_the_size(hundred: Callable[[str], Path], origin: str) -> None:
    source = open_source(hundred(origin) if origin in FORMATS else origin, records=60, holdout=30, seed=3)
    for part in SPLITS:
        readings = [read(source, part, size) for size in (1, 7, 7, 29, 30, 1000)]
        for one, other in pairwise(readings):
            assert_same(one, other)


@pytest.mark.parametrize("suffix", [suffix for suffix in STREAMED if suffix != ".arrow"])
def test_blocks_of_a_streamed_file_come_in_a_random_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    """Since the file may be sorted. Here they have ten rows."""
    path, values = tmp_path / f"rows{suffix}", np.c_[np.arange(1000.0), np.arange(1000.0) % 2]
    if suffix == ".npy":
        monkeypatch.setattr(raw, "BLOCK", ROW_GROUP * values.shape[1] * 8)
        np.save(path, values)
    elif suffix == ".feather":
        write(Dataset("rows", values[:, :1], values[:, 1:], ("a",), ("b",)), path)
    else:
        pyarrow.parquet.write_table(
            pyarrow.table({"a": values[:, 0], "b": values[:, 1]}), path, row_group_size=ROW_GROUP
        )
    sources = [open_source(path, records=990, holdout=10, seed=seed) for seed in (4, 4, 5)]
    first, same, other = ([shard.features[:, 0] for shard in source.shards("train", 100)] for source in sources)
    assert all(np.ptp(shard) > 500 for shard in first)
    steps = np.diff(np.concatenate(first))
    assert 80 < (np.abs(steps) > 10).sum() < 100 and ((0 < steps) & (steps < 10)).sum() > 850
    assert np.array_equal(np.concatenate(first), np.concatenate(same))
    assert not np.array_equal(np.concatenate(first), np.concatenate(other))


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_record_is_in_both_parts_and_the_holdout_does_not_move(hundred: Callable[[str], Path], suffix: str) -> None:
    path = hundred(suffix)
    short, long = (open_source(path, records=n, holdout=30, seed=5) for n in (20, 70))
    assert_same(read(short, "holdout", 8), read(long, "holdout", 8))
    held, trained = (set(read(long, part, 8).features[:, 0]) for part in ("holdout", "train"))
    assert (len(held), len(trained), held & trained) == (30, 70, set())
    assert set(read(short, "train", 8).features[:, 0]) <= trained


def test_two_readings_do_not_disturb_each_other(hundred: Callable[[str], Path]) -> None:
    source = open_source(hundred(".parquet"))
    expected = read(source, "train", 10)
    pairs = zip(source.shards("train", 10), source.shards("train", 10), strict=True)
    for start, (one, other) in enumerate(pairs):
        assert_same(one, other)
        assert_same(one, expected.take(slice(10 * start, 10 * start + 10)))


@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "f8", ">f8", "i1", ">i4", "u8", "?"])
def test_an_array_of_any_numbers_in_any_order(
    tmp_path: Path, dtype: str, arrange: Callable[[np.ndarray], np.ndarray]
) -> None:
    values = np.random.default_rng(1).integers(0, 100, (50, 4)).astype(dtype)
    np.save(tmp_path / "a.npy", arrange(values))
    source = open_source(tmp_path / "a.npy", features=[0, 1, 2])
    parts = [read(source, part, 11) for part in SPLITS]
    np.testing.assert_array_equal(sorted_rows(*parts), values[np.lexsort(values.T[::-1])].astype(float))


@pytest.mark.parametrize("group", [1, 7, 1000])
def test_row_groups_of_any_size(tmp_path: Path, group: int) -> None:
    columns = {"a": np.arange(50, dtype=np.int16), "b": np.arange(50) % 2 == 0, "c": np.arange(50, dtype=np.float32)}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet", row_group_size=group)
    source = open_source(tmp_path / "a.parquet")
    parts = [read(source, part, 11) for part in SPLITS]
    np.testing.assert_array_equal(sorted_rows(*parts), np.column_stack(list(columns.values())))


def test_memory_gives_views_in_the_order_of_the_split() -> None:
    split = Split(numbered(20), numbered(5))
    source = MemorySource(split)
    assert (source.count("train"), source.count("holdout"), source.name) == (20, 5, "rows")
    assert_same(read(source, "train", 8), split.train)
    assert_same(read(source, "holdout", 8), split.holdout)
    assert all(np.shares_memory(shard.features, split.train.features) for shard in source.shards("train", 8))


@pytest.mark.parametrize("make", [make for make, _ in FAULTS])
def test_what_is_wrong_is_said_as_load_says_it(tmp_path: Path, make: Case) -> None:
    path, options = make(tmp_path / "file")
    with pytest.raises(DatasetError) as loading:
        load(path, **options)
    with pytest.raises(DatasetError) as streaming:
        read(open_source(path, **options), "train", 2)
    assert str(streaming.value) == str(loading.value)


@pytest.mark.parametrize("suffix", STREAMED)
@pytest.mark.parametrize("part", SPLITS)
def test_a_fault_deep_in_a_file_is_named_by_its_row(tmp_path: Path, suffix: str, part: str) -> None:
    records = numbered(100)
    records.features[71, 1] = np.inf
    write(records, tmp_path / f"a{suffix}")
    column = "1" if suffix == ".npy" else "b"
    with pytest.raises(DatasetError, match=f"row 71, column '{column}': inf is not a finite number"):
        read(open_source(tmp_path / f"a{suffix}"), part, 10)


def test_an_empty_cell_deep_in_a_file_is_named_by_its_row(tmp_path: Path) -> None:
    cells = [None if row == 71 else row for row in range(100)]
    pyarrow.parquet.write_table(pyarrow.table({"a": cells, "b": range(100)}), tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match=r"missing in a \(1\); the first is in row 71, column 'a'"):
        read(open_source(tmp_path / "a.parquet"), "train", 10)


@pytest.mark.parametrize("option", [{"records": 0}, {"holdout": -1}, {"seed": -1}])
def test_counts_and_seeds_out_of_range_are_refused(option: dict[str, Any], hundred: Callable[[str], Path]) -> None:
    for origin in ("norm2", hundred(".npy"), hundred(".csv")):
        with pytest.raises(DatasetError, match=r"must be a whole number from \d to"):
            open_source(origin, **option)


@pytest.mark.parametrize("origin", ["norm2", ".csv", ".npy"])
def test_parts_and_sizes_are_refused_at_the_call(hundred: Callable[[str], Path], origin: str) -> None:
    source = open_source(hundred(origin) if origin in FORMATS else origin)
    with pytest.raises(DatasetError, match="'test' is not one of train, holdout"):
        source.count("test")
    with pytest.raises(DatasetError, match="'test' is not one of train, holdout"):
        source.shards("test", 10)
    with pytest.raises(DatasetError, match="size 0 must be a whole number from 1"):
        source.shards("train", 0)


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 20)


def rewrite(path: Path) -> None:
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def grow(path: Path) -> None:
    write(numbered(130), path)


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("suffix", STREAMED)
@pytest.mark.parametrize(
    ("change", "words"),
    [(shrink, "has changed"), (rewrite, "has changed"), (grow, "has changed"), (remove, "no such file")],
)
def test_a_file_that_changes_between_readings_is_noticed(
    hundred: Callable[[str], Path], suffix: str, change: Callable[[Path], None], words: str
) -> None:
    path = hundred(suffix)
    source = open_source(path)
    read(source, "train", 10)
    change(path)
    with pytest.raises(DatasetError, match=words):
        read(source, "train", 10)


@pytest.mark.parametrize("suffix", STREAMED)
@pytest.mark.parametrize("change", [shrink, rewrite, grow])
def test_a_file_that_changes_while_it_is_read_is_noticed(
    hundred: Callable[[str], Path], suffix: str, change: Callable[[Path], None]
) -> None:
    path = hundred(suffix)
    shards = open_source(path).shards("train", 10)
    next(shards)
    change(path)
    with pytest.raises(DatasetError, match="has changed since"):
        list(shards)


@pytest.mark.parametrize("keep", [0, 50, 0.5, 0.99])
@pytest.mark.parametrize("suffix", STREAMED)
def test_a_file_cut_short_is_refused_when_opened(hundred: Callable[[str], Path], suffix: str, keep: float) -> None:
    path = hundred(suffix)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(DatasetError, match="is not a"):
        open_source(path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("size", [1, 13, 1000])
def test_the_scaling_of_a_source_is_that_of_its_training_records(tmp_path: Path, suffix: str, size: int) -> None:
    values = np.random.default_rng(2).normal(0, 100, (200, 4))
    write(table(values[:, :3], values[:, 3:]), tmp_path / f"a{suffix}")
    options: dict[str, Any] = {"records": 90, "holdout": 60, "seed": 7}
    train = load(tmp_path / f"a{suffix}", **options).train
    expected = Scaling.of(train.features, train.targets)
    found = Scaling.of_source(open_source(tmp_path / f"a{suffix}", **options), size)
    for name in Scaling.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


MEGABYTES = 300
COLUMNS = 50


def large_npy(path: Path, rows: int) -> None:
    np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS))  # zeros that take no room on the disk


def large_fortran_npy(path: Path, rows: int) -> None:
    np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS), fortran_order=True)


def large_feather(path: Path, rows: int) -> None:
    column = pyarrow.array(np.random.default_rng(0).random(rows, np.float32))
    columns = pyarrow.table({str(index): column for index in range(COLUMNS)})
    with pyarrow.ipc.new_file(path, columns.schema) as writer:
        writer.write_table(columns, max_chunksize=1 << 14)


def large_parquet(path: Path, rows: int) -> None:
    column = pyarrow.array(np.random.default_rng(0).random(rows, np.float32))
    columns = pyarrow.table({str(index): column for index in range(COLUMNS)})
    pyarrow.parquet.write_table(columns, path, row_group_size=rows, use_dictionary=False, compression="none")


PEAK = """
import sys
import pyarrow.parquet
from sw.datasets import open_source, reading

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

before = peak()
reading.MEMORY = 0
source = open_source(sys.argv[1], features=range(49))
read = sum(len(shard) for part in ("train", "holdout") for shard in source.shards(part, 8192))
print(read, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from Linux")
@pytest.mark.parametrize(
    ("suffix", "make", "size"),
    [
        (".npy", large_npy, MEGABYTES // 3),
        (".npy", large_fortran_npy, MEGABYTES // 3),
        (".parquet", large_parquet, MEGABYTES),
        (".feather", large_feather, MEGABYTES // 3),
    ],
)
def test_a_large_file_needs_little_memory(
    tmp_path: Path, suffix: str, make: Callable[[Path, int], None], size: int
) -> None:
    path, count = tmp_path / f"large{suffix}", size * 2**20 // (4 * COLUMNS)
    make(path, count)
    assert path.stat().st_size >= size * 2**20
    # The peak that `resource.getrusage` gives is no use here: a process inherits its parent's.
    result = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
    records, megabytes = result.stdout.split()
    assert int(records) == count
    assert float(megabytes) < size / 2  # Parquet holds a page of each column
    path.unlink()
