"""`kanloom predict`: the bits of the oracle, from files of every kind."""

import csv
import io

import numpy as np
import pytest

from sw import datasets
from sw.datasets import reading
from sw.engine.conversion import as_floating
from sw.model import Model
from tests.sw.commands.predictions import true_predictions
from tests.sw.commands.running import sw


@pytest.mark.parametrize("suffix", [None, ".csv", ".npy", ".parquet"])
def test_predict_gives_what_the_oracle_gives(folder, tmp_path, suffix):
    model, records = Model.load(folder / "model.npz"), datasets.generate("norm2", 400, seed=3)
    expected = true_predictions(model, records.features)
    if suffix is None:
        header, *rows = csv.reader(io.StringIO(sw("predict", folder / "model.npz", folder / "norm.csv")))
        assert header == ["norm"] and np.array_equal(np.array(rows, float), expected)
        return
    output = tmp_path / f"predicted{suffix}"
    sw("predict", folder / "model.npz", folder / "norm.csv", "--output", output, "--threads", 2)
    assert np.array_equal(np.column_stack(reading.read(output).columns.columns), expected)


def test_predict_finds_features_by_name_or_takes_all_columns_in_order(folder, tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    expected = true_predictions(Model.load(folder / "model.npz"), x)
    files = tmp_path / "named.csv", tmp_path / "others.csv", tmp_path / "none.npy"
    np.savetxt(files[0], np.column_stack([x[:, 1], x[:, 0], x[:, 0]]), delimiter=",", header="x2,more,x1", comments="")
    np.savetxt(files[1], x, delimiter=",", header="height,width", comments="")
    np.save(files[2], x)
    for file in files:
        output = tmp_path / "predicted.npy"
        sw("predict", folder / "model.npz", file, "--output", output)
        assert np.array_equal(np.load(output), expected)


def test_predict_takes_floating_point_models(folder, tmp_path):
    model, records = Model.load(folder / "model.npz"), datasets.generate("norm2", 400, seed=3)
    as_floating(model).save(tmp_path / "float.npz")
    sw("predict", tmp_path / "float.npz", folder / "norm.npy", "--output", tmp_path / "predicted.npy", code=1)
    sw("predict", tmp_path / "float.npz", folder / "norm.csv", "--output", tmp_path / "predicted.npy")
    assert np.allclose(np.load(tmp_path / "predicted.npy"), true_predictions(model, records.features), atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.npz", "none.csv"], "none.npz: No such file"),
        (["MODEL", "none.csv"], "none.csv: there is no such file"),
        (["MODEL", "FILE", "--output", "x.txt"], "x.txt does not end in .csv, .npy, .parquet"),
        (["MODEL", "FILE.npy"], "has no column x1, x2"),
    ],
)
def test_what_cannot_be_predicted_is_said(folder, arguments, message):
    names = {"MODEL": folder / "model.npz", "FILE": folder / "norm.csv", "FILE.npy": folder / "norm.npy"}
    assert message in sw("predict", *(names.get(argument, argument) for argument in arguments), code=1)
