"""Running the tools of the build, which come as Python packages."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOKED_AT_EVERY = 1.0  # s, the log of a tool that runs


class BuildError(Exception):
    """A build that failed, said so that its user can act on it."""


def run_tool(
    command: list[str], directory: Path, log: str | None = None, watch: Callable[[str], None] | None = None
) -> None:
    """Raises BuildError with what the tool said, if it fails or is not there. `watch` is given the file `log` now and
    then; what it raises stops the tool."""
    name = f"yowasp-{command[0]}"
    tool = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if tool is None:
        raise BuildError(f"{name} is not installed; `pip install kanloom[gateware]` brings it")
    path = directory / log if log else None
    if path:
        path.unlink(missing_ok=True)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([tool, *command[1:]], cwd=directory, **pipes) as process:
        said = None
        try:
            while said is None:
                try:
                    said, _ = process.communicate(timeout=LOOKED_AT_EVERY)
                except subprocess.TimeoutExpired:
                    if watch and path and path.exists():
                        watch(path.read_text())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        errors = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines()[-3:]
        where = f"; see {path}" if path else ""
        raise BuildError(f"{command[0]} failed: {' '.join(errors).strip() or process.returncode}{where}")
