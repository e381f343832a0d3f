"""A damaged data file is refused in one line, or read as finite numbers: where it has checksums, as those written."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from sw.datasets import DatasetError, Split, generate, load, write
from tests.damage import outcomes
from tests.slow import slow

MUTATIONS = (800, slow(2000))
RECORDS = generate("norm2", 12)


def make(path: Path) -> None:
    write(RECORDS, path)


def make_packed(path: Path) -> None:
    write(RECORDS, path.with_suffix(""))
    path.write_bytes(gzip.compress(path.with_suffix("").read_bytes(), mtime=0))


def make_feather(path: Path) -> None:
    columns = [*RECORDS.features.T, *RECORDS.targets.T]
    pyarrow.feather.write_feather(
        pa.table(dict(zip((*RECORDS.feature_names, *RECORDS.target_names), columns, strict=True))), path
    )


def same(split: Split, other: Split) -> bool:
    return all(
        np.array_equal(ours.features, theirs.features) and np.array_equal(ours.targets, theirs.targets)
        for ours, theirs in ((split.train, other.train), (split.holdout, other.holdout))
    )


MAKERS = {
    ".csv": make,
    ".csv.gz": make_packed,
    ".npy": make,
    ".npz": make,
    ".parquet": make,
    ".feather": make_feather,
}


@pytest.mark.parametrize("mutations", MUTATIONS)
@pytest.mark.parametrize("suffix", MAKERS)
def test_damaged_data_are_refused_or_a_table_of_numbers(tmp_path: Path, suffix: str, mutations: int) -> None:
    path = tmp_path / f"data{suffix}"
    MAKERS[suffix](path)
    content, written = path.read_bytes(), load(path)
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]  # of Parquet, which has no checksum
    loaded: list[Split] = []
    for split in outcomes(path, mutations, lambda: load(path), DatasetError):
        assert isinstance(split, Split)
        loaded.append(split)
        for records in (split.train, split.holdout):
            assert len(records) and np.isfinite(records.features).all() and np.isfinite(records.targets).all()
        checked = suffix in (".npz", ".csv.gz") or (suffix == ".parquet" and path.read_bytes().endswith(footer))
        assert same(split, written) or not checked
    assert loaded
