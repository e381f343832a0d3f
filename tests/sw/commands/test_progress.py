"""Progress: lines now and then where there is no terminal, bars where there is one, nothing if quiet."""

import os
import pty
import subprocess
import sys
import time

import pytest

from sw.commands.progress import TerminalReporter
from tests.sw.commands.running import ROOT


def test_a_step_writes_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter("kanloom", line_seconds=0.05)
    with reporter.step("training", 200, "records") as step:
        step.update(50, note="Pearson 0.5")
        time.sleep(0.3)
        with reporter.step("evaluating"):
            time.sleep(0.3)
    time.sleep(0.2)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and 4 <= len(lines) <= 13
    assert lines[0] == "training: 25% of 200 records, Pearson 0.5, 0 s" and lines[-1] == "evaluating: 0 s"


def test_a_short_step_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter("kanloom")
    with reporter.step("planning"):
        pass
    assert capsys.readouterr() == ("", "")


def test_details_are_lines_at_begin_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter("kanloom", verbose=True)
    with pytest.raises(ValueError), reporter.step("planning"):
        raise ValueError
    assert capsys.readouterr().err == "planning ...\nplanning: done in 0.0 s\n"


def test_quiet_shows_results_only(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter("kanloom", quiet=True, line_seconds=0.01)
    with reporter.step("training") as step:
        step.update(1)
        time.sleep(0.1)
        reporter.note("a remark")
        reporter.show("a result")
    assert capsys.readouterr() == ("a result\n", "")


def test_a_terminal_shows_a_bar_that_vanishes_and_results_stay_in_the_pipe() -> None:
    code = """
import time
from sw.commands.progress import TerminalReporter
reporter = TerminalReporter("kanloom")
with reporter.step("training", 4, "epochs") as step:
    step.update(1, note="Pearson 0.5")
    time.sleep(0.5)
    reporter.show("a result")
"""
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, text=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(terminal)
    shown = os.read(controller, 1 << 16).decode()
    os.close(controller)
    assert done.returncode == 0 and done.stdout == "a result\n"
    assert "training" in shown and "25% of 4 epochs, Pearson 0.5" in shown
    assert "\x1b[2K" in shown.rpartition("Pearson 0.5")[2]
