import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TOOLS = ("git", "g++", "make", "perl")


def run_demo(repository: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    (repository / "scripts").mkdir(parents=True)
    for name in ("demo", "environment.sh"):
        shutil.copy(SCRIPTS / name, repository / "scripts")
    return subprocess.run(
        [shutil.which("bash") or "bash", repository / "scripts" / "demo"],
        env=os.environ | {"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Directory with what the commands need, and nothing else."""
    directory = tmp_path / "bin"
    directory.mkdir()
    python = directory / "python3"
    python.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in ("bash", "cat", "dirname", *TOOLS):
        found = shutil.which(name)
        assert found
        (directory / name).symlink_to(found)
    return directory


@pytest.mark.parametrize("tool", TOOLS)
def test_absent_tool_is_named(tool: str, tools: Path, tmp_path: Path) -> None:
    (tools / tool).unlink()
    result = run_demo(tmp_path / "repository", tools)
    assert result.returncode == 1
    assert f"this machine lacks {tool}. " in result.stderr


def test_old_python_is_refused_with_its_version(tools: Path, tmp_path: Path) -> None:
    old = tools / "python3"
    old.unlink()
    old.write_text('#!/usr/bin/env bash\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    result = run_demo(tmp_path / "repository", tools)
    assert result.returncode == 1
    assert "lacks Python 3.11 or newer (python3 is: Python 3.9.2)" in result.stderr


def test_space_in_the_path_is_refused(tools: Path, tmp_path: Path) -> None:
    result = run_demo(tmp_path / "my repository", tools)
    assert result.returncode == 1
    assert "space" in result.stderr and "my repository" in result.stderr
