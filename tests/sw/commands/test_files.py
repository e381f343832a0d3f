"""Files of the user's that the commands must leave alone, and files that cannot be written: said before the work."""

import os
import re
import shutil
from pathlib import Path

import pytest

from sw.commands.command_line import run
from sw.outputs import MARKER


@pytest.fixture
def user(folder, tmp_path, monkeypatch):
    """A folder with a model and data, which the process is in."""
    for name in ("model.npz", "norm.csv", "norm.npy"):
        shutil.copy(folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("folder", "thesis.txt").write_text("mine")
    Path("records.csv").write_text("a,b\n1,2\n")
    Path("notes.json").write_text('{"notes": 1}')
    assert run(["data", "norm2", "--records", "50", "--output", "records.npz", "--quiet"]) == 0
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


READ, EXISTS = "is read by this command", "exists and is not"
STREAM = ["stream", "norm2", "--port", "/dev/nowhere"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "model.npz", "norm.csv", "--output", "norm.csv", "--force"], READ),
        (["predict", "model.npz", "norm.csv", "--output", "./folder/../norm.csv"], READ),
        (["predict", "model.npz", "norm.csv", "--output", "norm.npy"], f"{EXISTS} empty"),
        (["train", "records.csv"], "records.npz exists and is not a kanloom model; name another file with --output"),
        (["train", "records.npz"], "records.npz is read by this command; name another file with --output"),
        (
            ["train", "norm.csv", "--json", "norm.csv"],
            "norm.csv is read by this command; .* with --json",
        ),
        (["train", "norm.csv", "--json", "notes.json"], "not a file of figures that kanloom wrote"),
        (
            ["train", "norm.csv", "--output", "m.npz", "--json", "m.npz"],
            "--json and --output name the same file",
        ),
        (
            ["train", "norm.csv", "--output", "m.npz", "--checkpoint", "m.npz"],
            "--checkpoint and --output name",
        ),
        (["train", "norm.csv", "--checkpoint", "notes.json"], f"{EXISTS} a kanloom checkpoint"),
        (["train", "norm.csv", "--checkpoint", "model.npz"], f"{EXISTS} a kanloom checkpoint"),
        (["train", "norm2", "--output", "folder", "--checkpoint", "c.ck"], "folder is a folder; --output names a file"),
        (["train", "norm2", "--checkpoint", "no/such/c.ck"], "there is no folder no/such"),
        (["train", "norm2", "--json", "no/such/j.json"], "there is no folder no/such"),
        (["train", "norm2", "--json", "/proc/j.json"], "/proc/j.json cannot be written: "),
        (["info", "model.npz", "--json", "model.npz"], "model.npz is read by this command; name another"),
        (["bench", "norm.csv", "--json", "norm.csv"], "norm.csv is read by this command"),
        (["plot", "model.npz", "--output", "notes.png"], f"{EXISTS} a picture that kanloom drew"),
        (["data", "norm2", "--output", "norm.csv"], f"{EXISTS} empty"),
        (["load", "--read", "model.npz", "--like", "model.npz", "--port", "/dev/nowhere"], "with --read"),
        (["load", "--read", "norm.csv", "--like", "model.npz", "--port", "/dev/nowhere"], f"{EXISTS} a kanloom model"),
        ([*STREAM, "--output", "no/such/x.npz"], "there is no folder no/such"),
        ([*STREAM, "--output", "norm.csv"], f"{EXISTS} a kanloom model"),
        ([*STREAM, "--json", "norm.csv"], f"{EXISTS} a file of figures"),
        (["devices", "--port", "/dev/nowhere", "--json", "norm.csv"], f"{EXISTS} a file of figures"),
        (["doctor", "--json", "norm.csv"], f"{EXISTS} a file of figures"),
        (["simulate", "--waves", "norm.csv"], f"{EXISTS} waveforms of a simulation"),
        (["build", "--board", "icebreaker", "--json", "no/such/r.json"], "there is no folder no/such"),
        (["simulate", "--waves", "norm.csv"], f"{EXISTS} waveforms of a simulation"),
        (["build", "--board", "icebreaker", "--json", "norm.csv"], f"{EXISTS} a file of figures"),
        (["build", "--board", "icebreaker", "--output", "folder"], f"folder has files in it that .* no {MARKER}"),
        (["build", "--board", "icebreaker", "--output", ".", "--force"], "has files in it that are not a build's"),
        (["build", "--board", "icebreaker", "--output", "norm.csv"], "norm.csv is a file, not a folder"),
    ],
)
def test_nothing_of_the_users_is_replaced_and_what_cannot_be_written_is_said(user, capsys, words, message):
    Path("notes.png").write_text("mine")
    before = contents(user)
    assert run(words) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1
    assert re.search(message, printed), printed
    assert contents(user) == before


def test_what_the_verb_has_written_is_replaced_and_other_files_with_force(user, capsys):
    plot, info = ["plot", "model.npz", "--output", "model.png"], ["info", "model.npz", "--json", "info.json"]
    predict = ["predict", "model.npz", "norm.csv", "--output", "predicted.csv"]
    for words in (plot, info, plot, info, predict):
        assert run(words) == 0, capsys.readouterr().err
    assert run(predict) == 1
    Path("model.png").write_text("mine")
    assert run(plot) == 1
    for words in (plot, predict):
        assert run([*words, "--force"]) == 0, capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk is Linux's /dev/full")
def test_figures_that_cannot_be_written_cost_no_model(user, capsys):
    few = ["--records", "2000", "--holdout", "300", "--epochs", "1"]
    assert run(["train", "norm2", *few, "--output", "new.npz", "--json", "/dev/full"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "error: /dev/full cannot be written: No space left on device\n"
    assert "The best model is in new.npz" in printed.out and Path("new.npz").exists()


def test_a_folder_that_is_called_like_a_data_set_is_no_input(user):
    Path("norm2").mkdir()
    assert (
        run(["train", "norm2", "--records", "100", "--holdout", "50", "--epochs", "1", "--output", "norm2/m.npz"]) == 0
    )
