"""Training over MPI: the same as in one process; and processes that are killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sw.engine.training import Training
from sw.spec.schedule import Phase
from tests.sw.engine.train_program import SHARD
from tests.trainings import PHASES, STRATEGIES, model_of, source_of, trained

pytest.importorskip("mpi4py")
ROOT = Path(__file__).resolve().parents[3]
MPIEXEC = Path(sys.executable).parent / "mpiexec"


def command(results: Path, *arguments: object, processes: int = 0) -> list[str]:
    prefix = [MPIEXEC, "-n", processes] if processes else []
    mpi = ["--mpi"] if processes else []
    return [
        str(part)
        for part in (*prefix, sys.executable, "-m", "tests.sw.engine.train_program", results, *arguments, *mpi)
    ]


def started(results: Path, *arguments: object, processes: int = 0) -> subprocess.Popen:
    """In a process group of its own."""
    return subprocess.Popen(
        command(results, *arguments, processes=processes),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(results: Path, *arguments: object, processes: int = 0) -> str:
    completed = subprocess.run(
        command(results, *arguments, processes=processes), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def one_process(name: str, models: int, epochs: int = 1) -> np.ndarray:
    source = source_of()
    phases = (*PHASES[:-1], Phase(epochs, PHASES[-1].rates))
    strategy = replace(STRATEGIES[name], models=models, phases=phases)
    return trained(Training(model_of(source), source, strategy, shard_records=SHARD))


@pytest.mark.parametrize(("processes", "models"), [(2, 2), (4, 1)])
def test_processes_train_as_one_that_has_all_models(tmp_path, processes, models):
    finished(tmp_path, *STRATEGIES, "--models", models, processes=processes)
    for name in STRATEGIES:
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), one_process(name, processes * models)), name


def test_a_process_that_fails_ends_all_with_its_message(tmp_path):
    """The others wait for it to merge."""
    completed = subprocess.run(
        command(tmp_path, "pairs", "--fails", 1, processes=2), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode != 0
    assert "RuntimeError: the disk is full" in completed.stderr
    assert not (tmp_path / "pairs.npy").exists()


def killed(running: subprocess.Popen, victim: str) -> None:
    """Kill a program that trains, in the middle: "group", all that it consists of; or "process", one of those that
    train."""
    assert running.stdout
    identities = []
    positions = 0
    for line in running.stdout:
        if line.startswith("process"):
            identities.append(int(line.split()[-1]))
        positions += line.startswith("Position")
        if positions == 5:
            break
    if victim == "group":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        os.kill(identities[-1], signal.SIGKILL)
    running.communicate(timeout=30)
    assert running.returncode != 0
    deadline = time.monotonic() + 10
    while any(map(alive, identities)):
        assert time.monotonic() < deadline, "processes live on after the run"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("name", "processes", "victim"),
    [("fixed16", 0, "process"), ("pairs", 2, "group"), ("float32", 2, "process")],
)
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, name, processes, victim):
    arguments = tmp_path, name, "--models", 2, "--epochs", 20, "--checkpoint", tmp_path / "state.npz"
    killed(started(*arguments, processes=processes), victim)
    assert not (tmp_path / f"{name}.npy").exists()
    assert "resumed Position" in finished(*arguments, processes=processes)
    expected = one_process(name, 2 * max(processes, 1), epochs=20)
    assert np.array_equal(np.load(tmp_path / f"{name}.npy"), expected)
