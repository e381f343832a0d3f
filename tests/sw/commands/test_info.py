"""`kanloom info`: what is in a model file, without the modules that training needs."""

import json
import subprocess
import sys

from tests.sw.commands.running import ROOT, sw


def test_info_says_what_the_model_is(folder, tmp_path):
    printed = sw("info", folder / "model.npz", "--json", tmp_path / "info.json")
    figures = json.loads((tmp_path / "info.json").read_text())
    assert "2-8-1" in printed and "344" in printed and "fixed16" in printed and "10,000 records" in printed
    assert figures["parameters"] == 344 and figures["version"] == 2 and len(figures["history"]) == 5
    assert [each["name"] for each in figures["features"] + figures["targets"]] == ["x1", "x2", "norm"]
    assert all(-1 <= each["low"] < -0.9 for each in figures["features"])
    assert 0 < figures["counted"]["zero_steps"] < 0.5 and "of steps zero" in printed and "--fine" not in printed


def test_info_imports_neither_numba_nor_matplotlib(folder):
    call = f"run(['info', {str(folder / 'model.npz')!r}])"
    code = f"import sys; from sw.commands.command_line import run; {call}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "sw.model" in done.stdout and "numba" not in done.stdout and "matplotlib" not in done.stdout


def test_a_file_that_is_no_model_is_refused(folder):
    assert "is a NumPy array, not a kanloom model" in sw("info", folder / "norm.npy", code=1)
