"""The whole system under cocotb and Verilator, behind its two pins."""

from pathlib import Path

import pytest

import boards
from hw.design import Design
from hw.soc import Soc
from sim.bench import run_bench
from sw.network import Network


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "delayed"])
def test_the_host_trains_the_board_through_its_pins(exact: bool, waves: Path | None) -> None:
    board = boards.find("icebreaker")
    design = Design(board=board, network=Network.two_layer(2, 4, (4, 8)), taps=2, exact=exact)
    parameters = {"configuration": design.configuration.text, "clocks_per_bit": board.clocks_per_bit}
    run_bench(Soc(design), "tests.sim.bench_soc", parameters=parameters, waves=waves)
