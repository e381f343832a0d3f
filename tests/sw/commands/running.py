"""The command line as a user types it, in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("--records", 2000, "--holdout", 300)


def command(*arguments: object) -> list[str]:
    """The words that run a verb."""
    return [sys.executable, "-m", "sw", *map(str, arguments)]


def sw(*arguments: object, code: int = 0) -> str:
    """What a verb printed: to stdout, or what is wrong."""
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr
