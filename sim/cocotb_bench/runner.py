"""Runs cocotb benches against gateware compiled with Verilator, from pytest or any program."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cocotb_tools.config
from amaranth.hdl import Elaboratable
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from hw.flow.tools import emit_verilog
from sim.verilator import compile_executable

_LIBRARIES = cocotb_tools.config.libs_dir
_PARAMETERS = "KANLOOM_BENCH_PARAMETERS"

# A bench sees the ports only: were all signals public, Verilator could not optimise, and compiling took twice as long.
_PUBLIC_PORTS = """
`verilator_config
public_flat_rw -module "top" -var "*"
"""


class BenchError(AssertionError):
    """A bench failed, crashed, or held no test; the message ends with the bench's log."""


def run_bench(
    design: Elaboratable | str,
    module: str,
    *,
    testcase: str | Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    waves: Path | None = None,
) -> None:
    """Run the cocotb tests of a module against a design.

    Parameters
    ----------
    design : Elaboratable or str
        A component, or Verilog whose top module is `top`. Its ports have Amaranth's names: `clk`, `rst`, and members of
        a signature joined by two underscores, as in `dut.stream__valid`.
    module : str
        Importable name of the module with the tests, such as `tests.sim.bench_counter`.
    testcase : str or sequence of str, optional
        Names of the tests to run; by default, all tests of the module.
    parameters : mapping, optional
        Values for the bench to read with `bench_parameters()`, of types that JSON can hold.
    seed : int
        Seed of cocotb's and Python's random numbers in the bench.
    waves : Path, optional
        File to write waveforms to, in VCD format.

    Raises
    ------
    BenchError
        If a test fails, the bench crashes, or there is no test.
    CompileError
        If the simulation cannot be compiled.
    """
    text = design if isinstance(design, str) else emit_verilog(design)
    executable = compile_executable(
        text + _PUBLIC_PORTS,
        cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp",
        options=["--vpi", "--timescale", "1ns/1ps", *(["--trace-vcd"] if waves else [])],
        libraries=[f"-L{_LIBRARIES}", f"-Wl,-rpath,{_LIBRARIES}", "-lcocotbvpi_verilator"],
    )
    with tempfile.TemporaryDirectory(prefix="kanloom-bench-") as scratch:
        log, results = Path(scratch) / "log", Path(scratch) / "results.xml"
        # cocotb's runner wants the executable under the name of the top module.
        (Path(scratch) / "top").symlink_to(executable)
        try:
            get_runner("verilator").test(
                test_module=module,
                testcase=testcase,
                hdl_toplevel="top",
                hdl_toplevel_lang="verilog",
                build_dir=scratch,
                test_dir=scratch,
                results_xml=str(results),
                log_file=log,
                seed=seed,
                waves=waves is not None,
                extra_env={_PARAMETERS: json.dumps(dict(parameters or {}))},
            )
            ending = "finished"
        except (SystemExit, RuntimeError) as error:
            ending = f"{type(error).__name__} {error}"
        if waves and (Path(scratch) / "dump.vcd").exists():
            waves.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(scratch) / "dump.vcd", waves)
        tests, failed = get_results(results) if results.exists() else (0, 0)
        if ending != "finished" or failed or tests == 0:
            text = log.read_text() if log.exists() else ""
            raise BenchError(f"{failed} of {tests} tests of {module} failed ({ending}):\n{text[-8000:]}")


def bench_parameters() -> dict[str, Any]:
    """Return, inside a bench, the `parameters` of `run_bench`."""
    return json.loads(os.environ[_PARAMETERS])
