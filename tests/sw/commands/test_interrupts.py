"""Ctrl-C and SIGTERM: status 130, no traceback, whatever the command is doing."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.sw.commands.running import ROOT, command

ARGUMENTS = {
    "train": ["train", "norm2", "--epochs", "100000"],
    "bench": ["bench", "norm2", "--trials", "100000"],
    "plan": ["plan", "--board", "ulx3s", "--network", "det4"],
    "build": ["build", "--board", "icebreaker"],
    "data": ["data", "det4", "--records", "5000000", "--output", "records.csv"],
}


def interrupted(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What the process writes to stderr after the signal."""
    process.send_signal(number)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    return printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("verb", "module"),
    [
        ("train", "sw.commands.verbs"),
        ("train", "numpy"),
        ("train", "numba"),
        ("plan", "amaranth"),
        ("build", "hw.flow"),
    ],
)
def test_imports_are_interrupted_without_a_traceback(tmp_path, number, verb, module):
    """Python tells on stderr what it has imported; the signal comes in the midst of `module`, or soon after."""
    words = [*command(*ARGUMENTS[verb])]
    words[1:1] = ["-X", "importtime"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.rpartition("|")[2].strip().startswith(module))
        assert "Traceback" not in interrupted(process, number)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("verb", "after"), [("bench", 0.5), ("bench", 2.0), ("plan", 0.5), ("plan", 2.0), ("build", 2.0), ("data", 1.5)]
)
def test_work_is_interrupted_without_a_traceback(tmp_path, verb, after):
    words = command(*ARGUMENTS[verb])
    with subprocess.Popen(
        words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(after)
        assert interrupted(process, signal.SIGINT).strip() == "stopped"
    assert not list(tmp_path.glob("*.csv")) and not list(tmp_path.glob(".kanloom*.tmp"))


def test_a_second_signal_ends_a_command_that_does_not_end():
    code = """
import time
from sw.commands import interrupts
interrupts.catch()
with interrupts.working():
    try:
        print("working", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("cleaning", flush=True)
        time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "cleaning\n"
        assert interrupted(process, signal.SIGTERM) == "stopped\n"


def test_a_signal_in_a_finalizer_is_not_lost():
    code = """
import os, signal
from sw.commands import interrupts
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass
interrupts.catch()
with interrupts.working():
    Finalized()
    print("went on", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_a_terminal_has_its_cursor_again():
    code = """
import time
from sw.commands import interrupts
from sw.commands.progress import TerminalReporter
interrupts.catch()
with TerminalReporter("kanloom").step("starting"):
    print("started", flush=True)
    time.sleep(60)
"""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, text=True,
        env=os.environ | {"TERM": "xterm"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    os.close(terminal)
    shown = os.read(controller, 1 << 16).decode()
    os.close(controller)
    assert "\x1b[?25l" in shown and shown.rstrip().endswith("\x1b[?25hstopped")
