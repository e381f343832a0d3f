from pathlib import Path

import numpy as np
import pytest

from scripts.make_dataset import main
from sw.datasets import generate, load


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".parquet"])
def test_the_file_holds_the_generated_records(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"triangle{suffix}"
    main(["triangle", str(path), "--records", "50", "--seed", "4"])
    split = load(path, records=40, holdout=10)
    expected = generate("triangle", 50, seed=4)
    written = np.concatenate([split.train.targets, split.holdout.targets])
    np.testing.assert_array_equal(np.sort(written, axis=0), np.sort(expected.targets, axis=0))
    assert "area" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["det6", "a.csv"], ["det4", "a.txt"], ["det4", "a.csv", "--records", "0"]])
def test_wrong_arguments_are_usage_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
