"""The command line as a user types it, in a process of its own."""

import sys
from pathlib import Path
from subprocess import CompletedProcess

from tests.warm import commands

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("--records", 2000, "--holdout", 300)


def command(*arguments: object) -> list[str]:
    """The words that start an interpreter with a verb."""
    return [sys.executable, "-m", "sw", *map(str, arguments)]


def ran(*arguments: object) -> CompletedProcess[str]:
    """What became of a verb: its status and all that it printed."""
    return commands().run([str(ROOT / "sw" / "__main__.py"), *map(str, arguments)])


def sw(*arguments: object, code: int = 0) -> str:
    """What a verb printed: to stdout, or what is wrong."""
    done = ran(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr
