from pathlib import Path

import pytest

from sim.cocotb_bench.runner import BenchError, run_bench
from tests.sim.designs import Accumulator

MODULE = "tests.sim.cocotb_bench.bench_accumulator"


def test_bench_reads_its_parameters_and_passes(waves: Path | None) -> None:
    values = [255] * 300 + [7]
    run_bench(Accumulator(), MODULE, testcase="equals_model", parameters={"values": values}, waves=waves)


def test_failing_bench_raises_with_its_log() -> None:
    with pytest.raises(BenchError, match=r"1 of 1 tests .*(?s:.*)assert 3 == 4"):
        run_bench(Accumulator(), MODULE, testcase="differs_from_a_wrong_model")


def test_bench_without_tests_is_an_error() -> None:
    with pytest.raises(BenchError, match="0 of 0 tests"):
        run_bench(Accumulator(), MODULE, testcase="no_such_test")


def test_waveforms_hold_the_ports(tmp_path: Path) -> None:
    file = tmp_path / "accumulator.vcd"
    run_bench(Accumulator(), MODULE, testcase="equals_model", parameters={"values": [1]}, waves=file)
    assert " total " in file.read_text()
