"""`kanloom export`: headers of trained models, and what it refuses."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sw.commands.command_line import run
from sw.engine.conversion import as_floating
from sw.model import Model
from tests.sw.commands.running import sw


def test_the_header_of_a_trained_model_compiles(folder, tmp_path):
    shutil.copy(folder / "model.npz", tmp_path / "norm 2.npz")
    printed = sw("export", "c", tmp_path / "norm 2.npz")
    assert "call norm_2_predict with 2 numbers of type float" in printed
    header = (tmp_path / "norm 2.h").read_text()
    assert '[0] "x1", -0.99' in header and '[0] "norm"' in header
    sw("export", "c", tmp_path / "norm 2.npz", "--output", tmp_path / "other.h", "--quiet")
    assert (tmp_path / "other.h").read_text() == header
    if shutil.which("gcc"):
        strict = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-x", "c"]
        subprocess.run([*strict, tmp_path / "norm 2.h"], check=True)


def test_a_header_replaces_a_header_and_nothing_else(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "model.npz", "model.npz")
    assert run(["export", "c", "model.npz"]) == run(["export", "c", "model.npz"]) == 0
    Path("model.h").write_text("#include <mine.h>\n")
    assert run(["export", "c", "model.npz"]) == 1
    assert "model.h exists and is not a C header that kanloom wrote" in capsys.readouterr().err
    assert run(["export", "c", "model.npz", "--force"]) == 0
    assert run(["export", "c", "model.npz", "--output", "model.npz"]) == 1
    assert "does not end in .h" in capsys.readouterr().err


def test_a_model_in_floating_point_is_refused_in_one_line(folder, tmp_path, capsys):
    as_floating(Model.load(folder / "model.npz")).save(tmp_path / "floating.npz")
    assert run(["export", "c", str(tmp_path / "floating.npz")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "train with --arithmetic fixed16" in said


@pytest.mark.parametrize("arguments", [[], ["cobol"], ["c"], ["c", "model.npz", "--json", "f"]])
def test_wrong_usage_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        run(["export", *arguments])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1 and "--help shows the usage" in said


def test_a_form_has_a_help_of_its_own_with_examples():
    assert "\nexamples:\n  python -m sw export c " in sw("export", "c", "--help")
