"""The commands as a user types them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True)


def test_the_demo_trains_on_the_virtual_board_and_every_parameter_equals_the_oracles(tmp_path):
    figures = tmp_path / "figures.json"
    done = run("scripts/demo.py", "--records", 2000, "--holdout", 500, "--epochs", 6, "--json", figures)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(figures.read_text())
    assert report["parameters_equal"] == report["parameters"] == 344
    assert report["pearson"] > 0.998
    assert report["rmse"] <= 1.1 * report["rmse_float"]
    assert report["cycles"] >= 6 * 2000 * 8


def test_the_demo_trains_on_a_users_file(tmp_path):
    table, figures = tmp_path / "triangle.csv", tmp_path / "figures.json"
    assert run("scripts/make_dataset.py", "triangle", table, "--records", 700).returncode == 0
    done = run("scripts/demo.py", table, "--network", "triangle", "--epochs", 2, "--json", figures)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(figures.read_text())
    assert report["parameters_equal"] == report["parameters"] and report["records"] == 560


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no preset 'nothing'"),
        (["norm2", "--board", "teensy"], "there is no board 'teensy'"),
        (["norm2", "--epochs", "0"], "0 epochs"),
        (["none.csv", "--network", "norm2"], "none.csv"),
    ],
)
def test_the_demo_says_what_is_wrong(arguments, message):
    done = run("scripts/demo.py", *arguments)
    assert done.returncode == 1 and message in done.stdout + done.stderr


def test_a_virtual_board_is_streamed_to_by_its_port_alone(tmp_path):
    figures, model = tmp_path / "figures.json", tmp_path / "model.npz"
    with subprocess.Popen(
        [sys.executable, "-m", "sim.board", "--network", "norm2"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as board:
        assert board.stdout is not None
        line = next(line for line in board.stdout if "/dev/" in line)
        port = next(word for word in line.split() if word.startswith("/dev/"))
        stream = ["scripts/stream.py", "--port", port, "norm2", "--records", 2000, "--holdout", 300, "--epochs", 6]
        done = run(*stream, "--json", figures, "--save", model)
        wrong = run("scripts/stream.py", "--port", port, "norm4")
        board.send_signal(signal.SIGTERM)
        assert "cycles simulated" in board.stdout.read()
    assert board.returncode == 0
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(figures.read_text())
    assert report["pearson"] > 0.99 and report["records"] == 2000 and sum(report["link_errors"].values()) == 0
    assert model.exists()
    assert wrong.returncode == 1 and "norm4 has 4 features" in wrong.stdout


def test_a_port_that_is_not_there_is_named():
    done = run("scripts/stream.py", "--port", "/dev/nowhere", "norm2")
    assert done.returncode == 1 and "/dev/nowhere" in done.stdout
