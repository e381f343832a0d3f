"""A C program to compare with: compiled, run, its figures read."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

COMPILER = ("gcc", "-O3", "-march=native", "-ffast-math")


@dataclass(frozen=True)
class CBaseline:
    """A program to compare with, `./program EPOCHS SEED`: it prints {"ns_per_update": ..., "pearson": ..., ...}."""

    source: Path
    program: Path

    @classmethod
    @contextmanager
    def compiled(cls, source: Path) -> Iterator["CBaseline"]:
        """A C file's. Raises ValueError if it cannot be compiled."""
        if not source.is_file():
            raise ValueError(f"{source}: there is no such file")
        if not shutil.which(COMPILER[0]):
            raise ValueError(f"{source} cannot be compiled: there is no {COMPILER[0]}")
        with TemporaryDirectory() as folder:
            program = Path(folder) / source.stem
            command = [*COMPILER, "-o", str(program), str(source), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise ValueError(f"{source} cannot be compiled: {done.stderr}")
            yield cls(source, program)

    def run(self, epochs: int, seed: int) -> dict[str, float]:
        done = subprocess.run([self.program, str(epochs), str(seed)], capture_output=True, text=True)
        names = "ns_per_update", "pearson"
        try:
            figures = json.loads(done.stdout)
            return {name: float(figures[name]) for name in names}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{self.source} printed {done.stdout!r} (exit code {done.returncode}), not JSON of {', '.join(names)}"
            ) from error
