"""`kanloom data`: the file holds the records that are generated."""

import numpy as np
import pytest

from sw.datasets import generate, load
from tests.sw.commands.running import sw


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".parquet"])
def test_the_file_holds_the_generated_records(tmp_path, suffix):
    path = tmp_path / f"triangle{suffix}"
    assert "area" in sw("data", "triangle", "--output", path, "--records", 50, "--seed", 4)
    split = load(path, records=40, holdout=10)
    expected = generate("triangle", 50, seed=4)
    written = np.concatenate([split.train.targets, split.holdout.targets])
    np.testing.assert_array_equal(np.sort(written, axis=0), np.sort(expected.targets, axis=0))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["det6"], 2),
        (["det4", "--records", 0], 2),
        (["det4", "--output", "a.txt"], 1),
        (["det4", "--output", "no/a.csv"], 1),
    ],
)
def test_what_cannot_be_written_is_said(arguments, code):
    assert sw("data", *arguments, code=code).startswith("error: ")
