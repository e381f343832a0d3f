"""Damaged data files have no checksums in most formats: what is loaded is a table of finite numbers."""

from pathlib import Path

import numpy as np
import pytest

from sw.datasets import DatasetError, generate, load, write
from tests.damage import outcomes

MUTATIONS = 2000
FORMATS = (".csv", ".npy", ".npz", ".parquet")


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_data_are_refused_or_a_table_of_numbers(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    write(generate("norm2", 12), path)
    for loaded in outcomes(path, MUTATIONS // len(FORMATS), lambda: load(path), DatasetError):
        for split in (loaded.train, loaded.holdout):  # type: ignore[attr-defined]
            assert len(split) and np.isfinite(split.features).all() and np.isfinite(split.targets).all()
