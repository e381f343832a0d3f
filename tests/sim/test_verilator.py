import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sim import verilator
from sim.verilator import CompileError, compile_executable, emit_verilog
from tests.sim.designs import Accumulator

HARNESS = Path(verilator.__file__).with_name("virtual_board.cpp")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(verilator, "BUILD", tmp_path)
    return tmp_path


def test_equal_designs_emit_equal_verilog() -> None:
    assert emit_verilog(Accumulator()) == emit_verilog(Accumulator())


def test_refused_design_names_the_fault_and_leaves_nothing(build: Path) -> None:
    with pytest.raises(CompileError, match="nonsense"):
        compile_executable("module top(input clk); nonsense; endmodule", HARNESS)
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
