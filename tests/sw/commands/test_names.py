"""Names from files are printed safely and drawn literally by every verb that shows them."""

import json
from pathlib import Path

import numpy as np
import pytest

from sw.commands import command_line
from sw.model import HISTORY, Model
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes

EVIL = "\x1b[31mred\x07", "rtl\u202eevil", "$\\frac{1$", "面積", "[bold]x[/]"
NETWORK = Network.two_layer(4, 4, (4, 8))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    history = np.array([(100, 0.5, 0.9, 2.0, False), (200, 1.5, 0.99, 1.0, False)], HISTORY)
    scaling = Scaling.of(rng.normal(size=(9, 4)), rng.normal(size=(9, 1)))
    path = tmp_path / "model.npz"
    Model(NETWORK, scaling, random_nodes(NETWORK, rng), 2, EVIL[:4], EVIL[4:], history=history).save(path)
    return path


def safe(text: str) -> bool:
    return not any(mark in text for mark in ("\x1b", "\x07", "\u202e"))


def test_a_table_of_names_is_safe_and_complete(model, capsys):
    assert command_line.run(["info", str(model)]) == 0
    shown = capsys.readouterr().out
    assert safe(shown)
    assert all(name in shown for name in ("\\x1b[31mred", "rtl\\u202eevil", "$\\frac{1$", "面積", "[bold]x[/]"))


def test_an_error_that_quotes_names_is_safe(model, tmp_path, capsys):
    data = tmp_path / "data.csv"
    data.write_text("a\x1b[2Jb,c\n1,2\n3,4\n")
    assert command_line.run(["predict", str(model), str(data)]) == 1
    said = capsys.readouterr().err
    assert safe(said) and said.count("\n") == 1 and "\\x1b[2Jb" in said and "\\x1b[31mred" in said
    with pytest.raises(SystemExit):
        command_line.run(["train", "norm2", "--epochs", "\x1b[2J"])
    assert safe(capsys.readouterr().err)
    assert command_line.run(["predict", str(model), "no\x1b[2Jfile.csv", "--verbose"]) == 1
    assert safe(capsys.readouterr().err)


def test_a_file_whose_name_is_no_text_is_named(capsys):
    assert command_line.run(["info", "\udcff.npz"]) == 1
    assert "\\udcff.npz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "data.csv"], "data.csv is a CSV file, not a kanloom model"),
        (["plot", "data.csv", "--output", "a.png"], "data.csv is a CSV file, not a kanloom model"),
        (
            ["predict", "data.csv", "model.npz"],
            "the model comes first, then the data: model.npz data.csv",
        ),
        (["predict", "model.npz", "model.npz"], "model.npz is a kanloom model, not data"),
        (["train", "model.npz"], "model.npz is a kanloom model, not data"),
        (["plot", "data.csv", "model.npz", "--kind", "predictions", "--output", "a.png"], "the model comes first"),
        (["plot", "model.npz", "model.npz", "--kind", "predictions", "--output", "a.png"], "kanloom model, not data"),
        (["info", "."], ". is a folder, not a kanloom model"),
        (["info", "none.npz"], "none.npz: No such file or directory"),
    ],
)
def test_files_that_have_changed_places_are_named(model, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(model.parent)
    Path("data.csv").write_text("a,b\n" + "1,2\n" * 9)
    assert command_line.run(arguments) == 1
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and "pickle" not in said


def test_figures_in_a_file_have_the_names_themselves(model, tmp_path):
    figures = tmp_path / "info.json"
    assert command_line.run(["info", str(model), "--json", str(figures), "--quiet"]) == 0
    assert [each["name"] for each in json.loads(figures.read_text())["features"]] == list(EVIL[:4])
