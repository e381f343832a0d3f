"""`kanloom predict`: the bits of the oracle, from files of every kind."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from sw import datasets
from sw.commands.command_line import run
from sw.datasets import reading
from sw.datasets.dataset import Selection
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


def test_predict_finds_features_by_name_or_takes_columns_in_order(folder, tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    expected = true_predictions(Model.load(folder / "model.npz"), x)
    files = tmp_path / "named.csv", tmp_path / "others.csv", tmp_path / "none.npy"
    np.savetxt(files[0], np.column_stack([x[:, 1], x[:, 0], x[:, 0]]), delimiter=",", header="x2,more,x1", comments="")
    np.savetxt(files[1], x, delimiter=",", header="height,width", comments="")
    np.save(files[2], x)
    for file in files:
        output = tmp_path / "predicted.npy"
        options = ["--by-position"] if file == files[1] else []
        sw("predict", folder / "model.npz", file, "--output", output, "--force", *options)
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
        (["MODEL", "CAPITALS"], "has no column x1, x2; with other capitals it has X1 for x1, X2 for x2; the columns"),
    ],
)
def test_what_cannot_be_predicted_is_said(folder, tmp_path, arguments, message):
    capitals = tmp_path / "capitals.csv"
    capitals.write_text("X2,X1\n1,2\n3,4\n")
    names = {"MODEL": folder / "model.npz", "FILE": folder / "norm.csv", "FILE.npy": folder / "norm.npy"}
    names["CAPITALS"] = capitals
    assert message in sw("predict", *(names.get(argument, argument) for argument in arguments), code=1)


def test_values_beyond_the_training_are_clipped_counted_and_said(folder, tmp_path):
    model = Model.load(folder / "model.npz")
    low, high = model.scaling.feature_low, model.scaling.feature_high
    x = np.array([low, high, low - 1, [high[0] + 2, low[1]], (low + high) / 2])
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header="x1,x2", comments="", fmt="%.17g")
    printed = sw("predict", folder / "model.npz", tmp_path / "x.csv", "--output", tmp_path / "predicted.npy")
    assert np.array_equal(np.load(tmp_path / "predicted.npy"), true_predictions(model, np.clip(x, low, high)))
    (line,) = [line for line in printed.splitlines() if "range of training" in line]
    assert "x1 (2: " in line and "x2 (1: " in line
    sw("predict", folder / "model.npz", folder / "norm.csv", "--output", tmp_path / "predicted.npy", "--force")


def test_every_row_has_a_prediction_or_an_empty_cell(folder, tmp_path, capsys):
    """Under any rule for missing cells no row moves; medians are those of the training, which only it can know."""
    model = Model.load(folder / "model.npz")
    filled = tuple(replace(rule, fill=0.25) for rule in model.encoding.features)
    for rule, features in (("drop", model.encoding.features), ("median", filled)):
        encoding = replace(model.encoding, missing=rule, features=features)
        replace(model, encoding=encoding).save(tmp_path / f"{rule}.npz")
    files = {"refuse": folder / "model.npz", "drop": tmp_path / "drop.npz", "median": tmp_path / "median.npz"}
    (tmp_path / "x.csv").write_text("x1,x2\n0.5,0.5\n,0.5\n-0.5,0.25\n")
    output = tmp_path / "predicted.csv"
    first, median, last = true_predictions(model, np.array([[0.5, 0.5], [0.25, 0.5], [-0.5, 0.25]]))[:, 0].tolist()
    for trained, path in files.items():
        for asked in (None, "refuse", "drop", "median"):
            rule = asked or trained
            options = ["--output", str(output), "--force", *(["--missing", asked] if asked else [])]
            code = run(["predict", str(path), str(tmp_path / "x.csv"), *options])
            printed = capsys.readouterr()
            if rule == "median" != trained:
                assert f"the model was trained with --missing {trained} and has no medians" in printed.err and code == 1
            elif rule == "refuse":
                assert "x1 (1); the first is in line 3" in printed.err and code == 1
                assert "--missing drop leaves the predictions of such rows empty" in printed.err
            else:
                assert ("1 of 3 rows have missing cells; their predictions are empty" in printed.out) == (
                    rule == "drop"
                )
                rows = [row[0] for row in csv.reader(output.open())][1:]
                assert [float(row) if row else None for row in rows] == [
                    first,
                    median if rule == "median" else None,
                    last,
                ]


def test_predict_says_that_rows_were_trained_on(folder, tmp_path):
    model = Model.load(folder / "model.npz")
    selection = Selection("norm.csv", 400, 320, 80, 5)
    replace(model, selection=selection).save(tmp_path / "model.npz")
    assert Model.load(tmp_path / "model.npz").selection == selection
    printed = sw("predict", tmp_path / "model.npz", folder / "norm.csv", "--output", tmp_path / "predicted.csv")
    assert "trained on 320 of these 400 rows" in printed
    printed = sw(
        "predict", folder / "model.npz", folder / "norm.csv", "--output", tmp_path / "predicted.csv", "--force"
    )
    assert "trained on" not in printed.replace("trained on -", "")
