import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hw.flow.tools import emit_verilog
from sim import verilator
from sim.verilator import CompileError, compile_executable
from sw import cache
from tests.caches import UNWRITABLE, unwritable
from tests.sim.designs import Accumulator

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(verilator.__file__).with_name("virtual_board.cpp")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    return tmp_path / "verilator"


def test_equal_designs_emit_equal_verilog() -> None:
    assert emit_verilog(Accumulator()) == emit_verilog(Accumulator())


def test_refused_design_names_the_fault_and_leaves_nothing(build: Path) -> None:
    with pytest.raises(CompileError, match="nonsense"):
        compile_executable("module top(input clk); nonsense; endmodule", HARNESS)
    assert not list(build.glob("*/"))


def test_a_compiler_that_is_missing_is_named(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    verilator._toolchain.cache_clear()
    with pytest.raises(CompileError, match=r"g\+\+, which compiles simulations, is not on PATH; .*doctor"):
        compile_executable("module top(input clk); endmodule", HARNESS)
    assert not list(build.glob("*/"))


def test_simultaneous_requests_build_once(build: Path) -> None:
    built = []

    def make(directory: Path) -> None:
        built.append(directory)
        time.sleep(0.2)
        (directory / "product").touch()

    with ThreadPoolExecutor() as pool:
        directories = list(pool.map(lambda _: verilator._cached("thing", ["key"], make), range(4)))
    assert len(built) == 1
    assert len(set(directories)) == 1 and (directories[0] / "product").exists()


def test_interrupted_build_is_built_again(build: Path) -> None:
    def fail(directory: Path) -> None:
        (directory / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verilator._cached("thing", ["key"], fail)
    directory = verilator._cached("thing", ["key"], lambda directory: (directory / "whole").touch())
    assert [path.name for path in directory.iterdir()] == ["whole"]


COMPILING = """
import signal, sys
from pathlib import Path
from sim.verilator import compile_executable
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
compile_executable("module top(input clk); endmodule", Path(sys.argv[1]))
"""


def test_an_interrupted_build_ends_its_compilers(tmp_path: Path) -> None:
    environment = os.environ | {cache.VARIABLE: str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", COMPILING, HARNESS], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not list(tmp_path.glob("verilator/*/product/objects/SLOW.cpp")):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate()
    assert printed.endswith("KeyboardInterrupt\n")
    assert not [path for path in (tmp_path / "verilator").iterdir() if path.is_dir()]


def test_a_product_that_is_used_stays_and_an_old_one_goes(build: Path) -> None:
    directories = {name: verilator._cached(name, (), lambda directory: None) for name in ("used", "unused")}
    old = time.time() - (cache.UNUSED_DAYS + 1) * 24 * 3600
    for directory in directories.values():
        os.utime(directory, (old, old))
    assert verilator._cached("used", (), lambda directory: None) == directories["used"]
    verilator._cached("new", (), lambda directory: None)
    assert directories["used"].exists() and not directories["unused"].exists()


WITHOUT_CACHE = """
from sim import verilator
for turn in range(2):
    product = verilator._cached("thing", (), lambda directory: (directory / "product").write_text("made"))
    assert (product / "product").read_text() == "made"
print(product)
"""


@pytest.mark.parametrize("name", UNWRITABLE)
def test_without_a_cache_products_last_as_long_as_the_process(name: str, tmp_path: Path) -> None:
    environment = unwritable(name, tmp_path) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT_CACHE]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1 and "compiled without a cache" in done.stderr
    assert not Path(done.stdout.strip()).exists()
