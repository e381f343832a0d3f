"""A baseline in C to compare training times with: it is compiled and run, and its figures are read."""

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
    """A program, run as `./program EPOCHS SEED`, that prints {"ns_per_update": ..., "pearson": ..., ...}.

    Attributes
    ----------
    source : Path
        The C file.
    program : Path
        The compiled program.
    """

    source: Path
    program: Path

    @classmethod
    @contextmanager
    def compiled(cls, source: Path) -> Iterator["CBaseline"]:
        """Compile a C file for the time of a `with` statement.

        Raises
        ------
        ValueError
            If it cannot be compiled.
        """
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
        """Run the program; returns its "ns_per_update" and "pearson".

        Raises
        ------
        ValueError
            If it prints anything but JSON with these figures.
        """
        done = subprocess.run([self.program, str(epochs), str(seed)], capture_output=True, text=True)
        names = "ns_per_update", "pearson"
        try:
            figures = json.loads(done.stdout)
            return {name: float(figures[name]) for name in names}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{self.source} printed {done.stdout!r} (exit code {done.returncode}), not JSON of {', '.join(names)}"
            ) from error
