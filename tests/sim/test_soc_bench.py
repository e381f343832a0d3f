"""The whole system under cocotb and Verilator, behind its two pins."""

from dataclasses import replace
from pathlib import Path

import pytest

import boards
from hw.design.design import Design
from hw.link.uart import MIN_CLOCKS_PER_BIT
from hw.soc.soc import Soc
from sim.cocotb_bench.runner import run_bench
from sw.spec.network import Network
from tests.slow import slow

NETWORK = Network.two_layer(2, 4, (4, 8), gain=0)
TESTS = ["the_board_equals_the_fixed_point_oracle", "the_board_follows_the_unquantised_model"]
LONG = ["streaming_fills_the_wire", "training_is_as_accurate_as_floating_point"]


@pytest.mark.parametrize(
    ("exact", "tests"),
    [
        slow(True, TESTS, id="exact"),
        pytest.param(False, TESTS, id="streaming"),
        slow(False, LONG, id="streaming, long"),
    ],
)
def test_the_host_trains_the_board_through_its_pins(exact: bool, tests: list[str], waves: Path | None) -> None:
    board = boards.find("icebreaker")
    board = replace(board, baud=board.clock_hz // MIN_CLOCKS_PER_BIT)  # most of the time goes into the line
    design = Design(board=board, network=NETWORK, taps=2, exact=exact, store_words=2048)
    parameters = {"configuration": design.configuration.text, "clocks_per_bit": board.clocks_per_bit}
    run_bench(Soc(design), "tests.sim.bench_soc", testcase=tests, parameters=parameters, waves=waves)
