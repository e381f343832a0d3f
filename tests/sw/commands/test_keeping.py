"""A trained model is never lost, and never replaces a better one unasked."""

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

from sw.commands.command_line import run
from sw.commands.keeping import check_predecessor, keep
from sw.engine import checkpoint
from sw.engine.history import TrainingHistory
from sw.model import Model
from sw.outputs import OutputError
from tests.sw.commands.running import ROOT, SMALL, command, sw


@pytest.fixture
def models(folder, tmp_path):
    """A model in a file, and another one."""
    shutil.copy(folder / "model.npz", tmp_path)
    first = Model.load(tmp_path / "model.npz")
    return tmp_path / "model.npz", replace(first, nodes=[nodes ^ 1 for nodes in first.nodes])


def rmse_of(second, first_rmse, second_rmse):
    """A judge that knows the second model."""
    return lambda model: second_rmse if np.array_equal(model.nodes[0], second.nodes[0]) else first_rmse


def history_of(path):
    history = Model.load(path).history
    assert history is not None
    return history


def same(path, model):
    return all(map(np.array_equal, Model.load(path).nodes, model.nodes))


@pytest.mark.parametrize("rmse", [0.5, 1.0])
def test_a_model_that_is_not_worse_takes_the_place(models, rmse):
    path, second = models
    path.chmod(0o640)
    assert keep(second, path, rmse_of(second, 1.0, rmse), force=False) == (path, "")
    assert same(path, second) and list(path.parent.iterdir()) == [path] and path.stat().st_mode & 0o777 == 0o640


def test_a_better_model_is_written_once_and_follows_a_link(models, tmp_path, monkeypatch):
    path, second = models
    link, written, save = tmp_path / "link" / "model.npz", [], Model.save
    link.parent.mkdir()
    link.symlink_to(path)

    def saved(model, path):
        written.append(path)
        save(model, path)

    monkeypatch.setattr(Model, "save", saved)
    assert keep(second, link, rmse_of(second, 1.0, 0.5), force=False) == (link, "")
    assert written == [link.with_name("model.1.npz")]
    assert link.is_symlink() and list(link.parent.iterdir()) == [link] and same(path, second)


def test_a_worse_model_goes_beside_and_both_figures_are_said(models):
    path, second = models
    before = path.read_bytes()
    for number in (1, 2):
        saved, remark = keep(second, path, rmse_of(second, 0.25, 0.75), force=False)
        assert saved == path.with_name(f"model.{number}.npz") and same(saved, second)
        assert "its model is better, RMSE 0.25 against 0.75" in remark and "--force" in remark
    assert path.read_bytes() == before
    assert keep(second, path, rmse_of(second, 0.25, 0.75), force=True) == (path, "") and same(path, second)


def stopped(model):
    raise KeyboardInterrupt


@pytest.mark.parametrize("judge", [None, lambda model: None, stopped])
def test_a_model_that_cannot_be_compared_goes_beside(models, judge):
    path, second = models
    saved, remark = keep(second, path, judge, force=False)
    assert saved.name == "model.1.npz" and same(saved, second) and not same(path, second)
    assert "was not found out" in remark


def test_a_model_that_cannot_be_written_goes_to_the_temporary_files(models, tmp_path, monkeypatch):
    _, second = models
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OutputError, match=r"no/m.npz cannot be written: .*; the model is in .*m.npz instead") as raised:
        keep(second, tmp_path / "no" / "m.npz", None, force=False)
    assert same(str(raised.value).split(" is in ")[1].removesuffix(" instead"), second)


def test_a_file_of_a_model_of_other_columns_is_refused_before_the_work(models):
    path, _ = models
    check_predecessor(path, ("x1", "x2"), ("norm",), force=False)
    check_predecessor(path.with_name("new.npz"), ("a",), ("b",), force=False)
    check_predecessor(path, ("a",), ("b",), force=True)
    for columns in ((("x1",), ("norm",)), (("x2", "x1"), ("norm",))):
        with pytest.raises(ValueError, match=r"is a model of other columns, x1, x2 for norm; name another file with"):
            check_predecessor(path, *columns, force=False)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"damaged.*name another file with --output, or replace it with --force"):
        check_predecessor(path, ("x1", "x2"), ("norm",), force=False)


def test_a_worse_training_leaves_the_better_model(models, capsys):
    path, _ = models
    before = path.read_bytes()
    train = ["train", "norm2", "--records", "2000", "--holdout", "300", "--epochs", "1", "--output", str(path)]
    assert run(train) == 0
    assert "its model is better, RMSE 0.0" in capsys.readouterr().out
    assert path.read_bytes() == before and history_of(path.with_name("model.1.npz"))["records"].tolist() == [2000]
    assert run([*train, "--force"]) == 0 and path.read_bytes() != before


def test_an_interrupted_training_leaves_the_better_model(models):
    """So few records are soon learnt by heart."""
    path, _ = models
    before = path.read_bytes()
    words = command("train", "norm2", "--records", 20, "--holdout", 300, "--epochs", 1_000_000, "--output", path)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "20 records" in line)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
    assert process.returncode == 130 and "Stopped after" in printed
    assert "its model is better" in printed and "The best model is in" in printed
    assert path.read_bytes() == before and path.with_name("model.1.npz").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_evaluation_is_interrupted_and_the_model_saved(tmp_path, number):
    saved, figures = tmp_path / "model.npz", tmp_path / "figures.json"
    words = command("train", "norm2", "--records", 2000, "--holdout", 10**9, "--output", saved, "--json", figures)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "2,000 records" in line)
        time.sleep(3)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 130 and "The model was not evaluated" in printed
    assert Model.load(saved).history is None and json.loads(figures.read_text())["rmse"] is None


def test_a_training_goes_on_past_the_epochs_of_its_checkpoint(tmp_path, capsys):
    train = [
        "train",
        "norm2",
        *map(str, SMALL),
        "--checkpoint",
        str(tmp_path / "c.ck"),
        "--json",
        str(tmp_path / "j.json"),
    ]
    figures = []
    for number, epochs in enumerate((3, 6, 6)):
        output = str(tmp_path / f"{number}.npz")
        assert run([*train, "--epochs", str(epochs), "--output", output]) == 0, capsys.readouterr().err
        figures.append(json.loads((tmp_path / "j.json").read_text()))
    first, longer, ended = figures
    assert [row["records"] for row in longer["history"]] == list(range(2000, 12001, 2000))
    assert longer["history"][:3] == first["history"] and longer["seconds"] > first["seconds"]
    assert longer["records_trained"] == 12000
    assert longer["records_per_s"] == pytest.approx(12000 / longer["seconds"])
    sw("train", "norm2", *SMALL, "--epochs", 6, "--output", tmp_path / "whole.npz")
    whole = Model.load(tmp_path / "whole.npz")
    assert same(tmp_path / "1.npz", whole) and same(tmp_path / "2.npz", whole)
    assert ended["rmse"] == longer["rmse"] and ended["seconds"] == longer["seconds"] and not ended["stopped"]
    assert "12,000 records" in sw("info", tmp_path / "2.npz")
    assert run([*train, "--epochs", "2", "--seed", "1", "--output", str(tmp_path / "3.npz")]) == 1
    printed = capsys.readouterr().err
    assert "is of another training: the seed 0, not 1" in printed and "6 epochs, not 2" in printed
    assert "{" not in printed and "epochs (" not in printed


def test_a_training_goes_on_from_a_model(folder, tmp_path, capsys):
    first, second = Model.load(folder / "model.npz"), tmp_path / "second.npz"
    train = ["train", "norm2", *map(str, SMALL), "--from", str(folder / "model.npz"), "--output", str(second)]
    assert run([*train, "--epochs", "2"]) == 0
    model, history, before = Model.load(second), history_of(second), history_of(folder / "model.npz")
    assert history["records"].tolist() == [10000, 12000, 14000] and before["records"][-1] == 10000
    assert history["seconds"][0] == before["seconds"][-1] < history["seconds"][-1]
    assert history["rmse"][0] == pytest.approx(before["rmse"].min())
    assert history["rmse"].min() <= before["rmse"].min()
    assert model.network == first.network and np.array_equal(model.scaling.target_high, first.scaling.target_high)
    assert run([*train, "--network", "2-4-1"]) == 2
    assert "--from MODEL brings its own network" in capsys.readouterr().err
    other = ["train", str(folder / "norm.csv"), "--from", str(folder / "model.npz"), "--output", str(second), "--force"]
    assert run([*other, "--targets", "x1"]) == 2
    assert "--from MODEL says what is done to columns; leave out --targets" in capsys.readouterr().err
    assert run(["train", "norm4", *other[2:]]) == 1
    assert "norm4 has 4 features and 1 target" in capsys.readouterr().err
    same_file = ["--from", str(second), "--output", str(second), "--epochs", "1"]
    assert run(["train", "norm2", *map(str, SMALL), *same_file, "--checkpoint", str(tmp_path / "c.ck")]) == 1
    assert "second.npz must stay as it is for a checkpoint" in capsys.readouterr().err
    assert run(["train", "norm2", *map(str, SMALL), *same_file]) == 0
    assert history_of(second)["records"].tolist() == [14000, 16000]


def test_a_training_that_goes_on_treats_columns_as_the_first_one(tmp_path, capsys):
    """The second file has a column more, a text less, and its constant is none in the first."""
    values = np.random.default_rng(0).uniform(size=(200, 2))
    for name, colours, more in (("one", ("red", "blue", "grey"), ()), ("two", ("red", "blue"), (1, 2, 3))):
        lines = [
            f"{x},{colours[row % len(colours)]},{x * z},{','.join(map(str, more))}" for row, (x, z) in enumerate(values)
        ]
        header = "x,colour,product," + ",".join(f"m{number}" for number in more)
        (tmp_path / f"{name}.csv").write_text("\n".join(line.rstrip(",") for line in (header, *lines)) + "\n")
    first, second = tmp_path / "one.npz", tmp_path / "two.npz"
    train = ["--epochs", "1", "--output"]
    assert run(["train", str(tmp_path / "one.csv"), "--targets", "product", *train, str(first)]) == 0
    assert run(["train", str(tmp_path / "two.csv"), "--from", str(first), *train, str(second)]) == 0
    assert Model.load(second).feature_names == ("x", "colour=blue", "colour=grey", "colour=red")


def test_an_exception_leaves_the_best_model_so_far(tmp_path, monkeypatch, capsys):
    """Such as the one that a second Ctrl-C raises, or an error output that is closed."""
    evaluate, output = TrainingHistory.evaluate, tmp_path / "model.npz"

    def fails(history, stop):
        if len(history.history) == 2:
            raise KeyboardInterrupt
        return evaluate(history, stop)

    monkeypatch.setattr(TrainingHistory, "evaluate", fails)
    assert run(["train", "norm2", *map(str, SMALL), "--epochs", "5", "--output", str(output)]) == 130
    assert f"the best model so far is in {output}" in capsys.readouterr().err
    assert history_of(output)["records"].tolist() == [2000, 4000]


def test_a_checkpoint_that_cannot_be_written_costs_no_model_but_the_success(tmp_path, monkeypatch, capsys):
    def fails(*_):
        raise OutputError("c.ck cannot be written: No space left on device")

    monkeypatch.setattr(checkpoint, "save", fails)
    output = tmp_path / "model.npz"
    train = ["train", "norm2", *map(str, SMALL), "--epochs", "3", "--output", str(output)]
    with pytest.warns(UserWarning, match="No space left on device; the training goes on, and tries again later"):
        assert run([*train, "--checkpoint", str(tmp_path / "c.ck"), "--checkpoint-seconds", "0"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "error: c.ck cannot be written: No space left on device\n"
    assert "The best model is in" in printed.out and len(history_of(output)) == 3


def test_a_training_begins_anew_in_place_of_a_users_file_if_it_must(tmp_path, capsys):
    """With --force, a file that is no checkpoint is replaced, not read; one that is a checkpoint is gone on from."""
    state = tmp_path / "c.ck"
    state.write_text("mine")
    train = ["train", "norm2", *map(str, SMALL), "--epochs", "2", "--output", str(tmp_path / "m.npz"), "--force"]
    for words in ("2 epochs", "Going on from"):
        assert run([*train, "--checkpoint", str(state)]) == 0
        assert words in capsys.readouterr().out
