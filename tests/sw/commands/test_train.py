"""`kanloom train`: the best model is kept, whatever stops the training."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sw import datasets, experiment
from sw.commands.command_line import run
from sw.datasets import raw, reading
from sw.model import Model
from tests.sw.commands.predictions import true_predictions
from tests.sw.commands.running import ROOT, SMALL, command, ran, sw


def test_train_keeps_the_best_model_and_writes_every_figure(folder):
    figures, model = json.loads((folder / "train.json").read_text()), Model.load(folder / "model.npz")
    assert figures["records"] == 2000 and figures["holdout"] == 300 and figures["epochs"] == 5
    assert figures["arithmetic"] == "fixed16" and not figures["stopped"] and figures["pearson"] > 0.99
    errors = [row["rmse"] for row in figures["history"]]
    assert [row["records"] for row in figures["history"]] == [2000, 4000, 6000, 8000, 10000]
    assert figures["rmse"] == min(errors) and errors[figures["best_epoch"] - 1] == min(errors)
    assert model.history is not None and model.history["rmse"].tolist() == errors
    holdout = datasets.generate("norm2", 300, split="holdout")
    error = np.sqrt(np.mean((true_predictions(model, holdout.features) - holdout.targets) ** 2))
    assert error == pytest.approx(figures["rmse"])


def test_train_on_a_file_with_a_network_and_a_strategy_of_ones_own(folder, tmp_path):
    saved, figures = tmp_path / "own.npz", tmp_path / "own.json"
    sw(
        *("train", folder / "norm.csv", "--targets", "x1", "--network", "2-6-1", "--segments", "2,16", "--epochs", 1),
        *("--pretraining", "2:1", "--threads", 2, "--models", 3, "--round-records", 50, "--merge", "pairs"),
        *("--relaxation", 1.2, "--output", saved, "--json", figures),
    )
    report, model = json.loads(figures.read_text()), Model.load(saved)
    assert str(model.network).startswith("2-6-1 (2/16") and model.target_names == ("x1",)
    assert (report["models"], report["threads"], report["merge"]) == (3, 2, "pairs")
    assert [row["pretraining"] for row in report["history"]] == [True, False]


def test_data_without_a_preset_has_a_network_by_default_and_a_name_for_its_model(folder, tmp_path):
    done = subprocess.run(
        command("train", folder / "norm.npy", "--epochs", 1), cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Model.load(tmp_path / "norm.npz").network.features == 2


def test_a_sorted_file_is_learnt_alike_in_every_format(tmp_path, monkeypatch):
    """In memory to the same bits; and in blocks, whose ranges come from a sample of the rows."""
    x, z = np.linspace(-1, 1, 20_000), np.random.default_rng(0).uniform(-1, 1, 20_000)
    records = datasets.Dataset("sorted", np.c_[x, z], (np.sin(3 * x) + z)[:, None], ("x", "z"), ("y",))

    def r2_of(suffix: str) -> float:
        file, figures = tmp_path / f"sorted{suffix}", tmp_path / f"figures{suffix}.json"
        datasets.write(records, file)
        shape = ["--network", "2-8-1", "--segments", "4,32", "--epochs", "8", "--force", "--json", str(figures)]
        assert run(["train", str(file), *shape, "--output", str(tmp_path / "model.npz")]) == 0
        return json.loads(figures.read_text())["r2"]

    first, *others = map(r2_of, (".csv", ".npy", ".npz", ".parquet"))
    assert first > 0.999 and others == [first] * 3
    monkeypatch.setattr(reading, "MEMORY", 0)
    monkeypatch.setattr(raw, "BLOCK", 500 * 3 * 8)
    monkeypatch.setattr(experiment, "SCALING_RECORDS", 1000)
    assert all(r2_of(suffix) > 0.999 for suffix in (".npy", ".parquet"))


def test_a_raw_table_is_trained_on_and_predicted_with_all_that_is_assumed_said(tmp_path, capsys):
    """A row number without a name, an id, a date, text, missing cells, and rows of nothing but delimiters."""
    x = np.random.default_rng(0).uniform(-1, 1, (300, 2)).tolist()
    rows = [
        f"{row},n{row},2020-{row % 12 + 1:02d}-01,{'red' if row % 3 else 'blue'},{'?' if row == 5 else a},{b},{a * b}"
        for row, (a, b) in enumerate(x)
    ]
    table, new, model = tmp_path / "table.csv", tmp_path / "new.csv", str(tmp_path / "model.npz")
    table.write_text("\n".join([",id,when,colour,a,b,y", *rows, ",,,,,,", ",,,,,,"]) + "\n")
    train = ["train", str(table), "--network", "4-8-1", "--segments", "4,8", "--epochs", "1", "--output", model]
    assert run(train) == 1
    printed = capsys.readouterr().err
    assert "cells are missing in a (1); the first is in line 7, column 'a'" in printed and "--missing median" in printed
    assert run([*train, "--missing", "median"]) == 0
    printed = capsys.readouterr().out
    for said in (
        "header: id, when, colour, a, b, y",
        "column 0 has no name and holds row numbers: left out",
        "empty rows and comments, left out: 2",
        "left out (more than 32 different texts): id",
        "colour is text: 0 for blue, 1 for red",
        "dates count as days since 1970-01-01, times of a day as hours: when",
        "cells are missing in a (1, now ",
    ):
        assert f"table.csv: {said}" in printed, said
    new.write_text("y,colour,b,a,when,id\nunknown,red,0.5,?,2021-05-05,\n,,0.25,-0.5,2020-01-01,17\n")
    assert run(["predict", model, str(new)]) == 0
    header, *predicted = capsys.readouterr().out.split()
    assert header == "y" and len(predicted) == 2 and all(abs(float(each)) < 10 for each in predicted)


def test_a_single_layer_is_trained_shown_drawn_and_exported(tmp_path, capsys):
    """An additive model has neither hidden arguments nor addends."""
    x = np.random.default_rng(0).uniform(-1, 1, (900, 2))
    table, model = tmp_path / "table.csv", str(tmp_path / "model.npz")
    datasets.write(
        datasets.Dataset("added", x, (np.sin(3 * x[:, 0]) + x[:, 1] ** 2)[:, None], ("a", "b"), ("y",)), table
    )
    figures = tmp_path / "figures.json"
    train = ["train", str(table), "--network", "2-1", "--segments", "16", "--output", model]
    assert run([*train, "--pretraining", "1"]) == 1
    assert "2-1 (16 segments, 16 bit) has 1 layer; only a network of 2 has addends" in capsys.readouterr().err
    assert run([*train, "--json", str(figures)]) == 0 and json.loads(figures.read_text())["r2"] > 0.99
    assert run(["info", model]) == 0
    printed = capsys.readouterr().out
    assert "2-1 (16 segments, 16 bit)" in printed and "of moved nodes" in printed and "hidden" not in printed
    assert run(["plot", model, "--output", str(tmp_path / "model.svg")]) == 0
    assert run(["export", "c", model, "--output", str(tmp_path / "model.h")]) == 0
    assert (
        run(["train", str(table), "--from", model, "--epochs", "1", "--models", "2", "--output", model, "--force"]) == 0
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_leaves_its_best_model(tmp_path, number):
    saved, figures = tmp_path / "stopped.npz", tmp_path / "stopped.json"
    train = command("train", "norm2", "--records", 50000, "--epochs", 100000, "--output", saved, "--json", figures)
    with subprocess.Popen(train, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "50,000 records" in line)
        process.send_signal(number)
        printed = process.stdout.read()
    assert process.returncode == 130 and "Stopped" in printed
    report, model = json.loads(figures.read_text()), Model.load(saved)
    assert report["stopped"] and model.history is not None
    assert report["rmse"] == min(row["rmse"] for row in report["history"]) == model.history["rmse"].min()


def parameters(checkpoint: Path) -> np.ndarray:
    with np.load(checkpoint) as file:
        return file["parameters"]


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_end(tmp_path):
    killed, whole = tmp_path / "killed.ck", tmp_path / "whole.ck"
    train = ["train", "norm2", *SMALL, "--epochs", 1000, "--output", tmp_path / "model.npz", "--checkpoint"]
    with subprocess.Popen(
        command(*train, killed, "--checkpoint-seconds", 0), cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not (tmp_path / "killed.ck.previous").exists():
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert "Going on from" in sw(*train, killed)
    sw(*train, whole)
    np.testing.assert_array_equal(parameters(killed), parameters(whole))
    assert "epochs done 1000" in sw(*train, whole)  # an ended training gives its model
    other = sw("train", "norm2", *SMALL, "--epochs", 2, "--checkpoint", whole, "--output", tmp_path / "b.npz", code=1)
    assert "another training" in other


def test_processes_of_mpi_come_to_what_one_process_does(tmp_path):
    train = ["train", "norm2", *SMALL, "--epochs", 3, "--round-records", 100, "--output"]
    mpiexec = Path(sys.executable).parent / "mpiexec"
    done = subprocess.run(
        [mpiexec, "-n", "2", *command(*train, tmp_path / "two.npz")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("The best model is in") == 1
    sw(*train, tmp_path / "one.npz", "--models", 2)
    ours, theirs = (Model.load(tmp_path / name).nodes for name in ("one.npz", "two.npz"))
    assert all(map(np.array_equal, ours, theirs))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "unknown data set 'nothing'"),
        (["norm2", "--network", "3-8-1"], "norm2 has 2 features"),
        (["norm2", "--segments", "2,16,16"], "segments 2,16,16: a network of 2 layers needs 2 numbers"),
        (["norm2", "--pretraining", "8:1"], "groups of 8 addends"),
        (["norm2", "--output", "no/folder.npz"], "there is no folder no"),
    ],
)
def test_what_cannot_be_trained_is_said(arguments, message):
    assert message in sw("train", *arguments, code=1)


def test_quiet_training_says_its_results_alone_and_a_verbose_one_says_each_step(tmp_path):
    train = "train", "norm2", *SMALL, "--epochs", 1, "--output", tmp_path / "model.npz"
    quiet = ran(*train, "--quiet")
    scores, place = quiet.stdout.splitlines()
    assert (quiet.returncode, quiet.stderr, place) == (0, "", f"The best model is in {tmp_path / 'model.npz'}.")
    assert re.match(r"Pearson 0\.\d+, RMSE 0\.\d+, R2 0\.\d+ on 300 unseen records, after 2,000 of training", scores)
    verbose = ran(*train, "--verbose")
    assert verbose.returncode == 0 and "epoch 1: Pearson" in verbose.stderr
    assert "loading kernels ..." in verbose.stderr  # the training before has compiled them


def test_kernels_that_are_not_there_are_compiled_and_said_to_be(tmp_path):
    train = command("train", "norm2", *SMALL, "--epochs", 1, "--output", tmp_path / "model.npz", "--verbose")
    environment = os.environ | {"KANLOOM_CACHE": str(tmp_path / "cache")}
    with subprocess.Popen(train, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "kernels" in line)
        process.kill()
    assert said == "compiling kernels (once a machine) ...\n"


def test_the_next_steps_begin_as_this_command_did(tmp_path):
    printed = sw("train", "norm2", *SMALL, "--epochs", 1, "--output", tmp_path / "model.npz")
    assert f"python -m sw plot {tmp_path / 'model.npz'} --output" in printed
