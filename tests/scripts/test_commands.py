"""The commands as a user types them."""

import json
import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.slow
def test_the_demo_trains_on_a_users_file(tmp_path):
    table, figures = tmp_path / "triangle.csv", tmp_path / "figures.json"
    assert run("-m", "sw", "data", "triangle", "--output", table, "--records", 700).returncode == 0
    done = run("scripts/demo.py", table, "--network", "triangle", "--epochs", 2, "--json", figures)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(figures.read_text())
    assert report["parameters_equal"] == report["parameters"] and report["records"] == 560


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 1, "unknown data set 'nothing'"),
        (["none.csv", "--network", "norm2"], 1, "none.csv"),
        (["norm2", "--board", "teensy"], 2, "invalid choice: 'teensy' (choose from 'hx8k', "),
        (["norm2", "--epochs", "0"], 2, "'0' must be a whole number from 1 to 1000000"),
    ],
)
def test_the_demo_says_what_is_wrong_in_one_line(arguments, code, message):
    done = run("scripts/demo.py", *arguments)
    assert done.returncode == code and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr


def test_ctrl_c_ends_the_demo_and_its_oracles_without_a_traceback():
    """As a terminal sends it: to the whole process group."""
    words = [sys.executable, "scripts/demo.py", "norm2"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        next(line for line in demo.stdout if "The oracles train in the background" in line)
        time.sleep(1)
        os.killpg(demo.pid, signal.SIGINT)
        _, printed = demo.communicate(timeout=30)
    assert demo.returncode == 130 and printed == "stopped\n"
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


def test_a_virtual_board_runs_until_it_is_stopped():
    with subprocess.Popen(
        [sys.executable, "-m", "sim.board", "--network", "norm2", "--taps", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as board:
        assert board.stdout is not None
        line = next(line for line in board.stdout if "/dev/" in line)
        port = next(word for word in line.split() if word.startswith("/dev/"))
        done = run("-m", "sw", "devices", "--port", port)
        board.send_signal(signal.SIGTERM)
        assert "cycles simulated" in board.stdout.read()
    assert board.returncode == 0
    assert done.returncode == 0 and "2-8-1" in done.stdout
