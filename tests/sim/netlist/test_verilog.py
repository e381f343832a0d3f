"""The netlist that synthesis makes trains to the same bits as the reference: the last step before place and route."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import boards
from hw.design.design import Design
from hw.flow.build_steps import Build
from hw.plan.cost_model import requirements
from hw.soc.soc import Soc
from sim.netlist.ecp5_models import ecp5_models
from sim.netlist.verilog import make_netlist
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.device.serial_port import open_port
from sw.device.transport import HostLink
from sw.oracle.contexts import ContextReference
from sw.spec.network import Network
from sw.spec.records import Records
from tests.cases import KINDS, rates_of

ICE40 = boards.find("icebreaker")
# To be simulated as fast, their serial ports take as few clocks for a bit.
HX8K, ECP5 = (
    replace(board, baud=board.clock_hz // ICE40.clocks_per_bit) for board in map(boards.find, ("hx8k", "ulx3s"))
)
TWO_LAYERS = Network.two_layer(2, 4, (4, 8))
TIMEOUT = 60.0  # seconds: a simulated netlist takes long for a clock, and longer beside other tests
DESIGNS = {
    "iCE40, products in logic": Design(
        board=HX8K, network=Network.two_layer(2, 2, (4, 4), width=10, gain=0), lanes=(1, 1)
    ),
    "iCE40, three layers": Design(board=ICE40, network=Network.chain((2, 4, 2, 2), (4, 8, 4)), lanes=(1, 1, 1)),
    "ECP5, two layers, products in cells and logic": Design(
        board=replace(ECP5, budget=replace(ECP5.budget, multipliers=4)), network=TWO_LAYERS, taps=2
    ),
}


def check_netlist(build: Build, design: Design, *, count: int, kinds: tuple[str, ...]) -> None:
    """Check that a build's netlist has every hard block, and trains as the reference on `count` records of some kinds.

    One check for both, so that each design is synthesised and compiled once.
    """
    rates = rates_of(design.network, 2)
    netlist = make_netlist(build, design.board)
    cells, need = design.board.technology.flow.cells, requirements(design)
    found = {name: len(re.findall(rf"^  ({'|'.join(kinds)}) ", netlist, re.MULTILINE)) for name, kinds in cells.items()}
    assert found.get("multipliers", 0) == need.multipliers == design.plan.multipliers - design.logic_products
    assert found["block_ram"] == need.block_ram
    assert found.get("single_port_ram", 0) == need.single_port_ram
    with (
        VirtualBoard(netlist, clocks_per_bit=design.board.clocks_per_bit) as virtual,
        BoardClient(HostLink(open_port(virtual.port), timeout=TIMEOUT)) as board,
    ):
        assert board.configuration == design.configuration
        for kind in kinds:
            nodes, records = STARTS[kind](design.network, count)
            oracle = ContextReference.of(design.configuration, nodes)
            board.nodes = nodes
            assert all(map(np.array_equal, board.nodes, nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind
            assert board.train(records, rates) == oracle.train(records, rates), kind
            assert all(map(np.array_equal, board.nodes, oracle.nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind


def all_at(end: str) -> Callable[[Network, int], tuple[list[np.ndarray], Records]]:
    """Return a maker of extreme records, and of nodes at one end of the word: predictions reach it, too."""

    def make(network: Network, count: int) -> tuple[list[np.ndarray], Records]:
        nodes, records = KINDS["extreme"](network, count)
        return [np.full_like(layer, getattr(network.word, end)) for layer in nodes], records

    return make


STARTS = {
    "extreme": KINDS["extreme"],
    "ordinary": KINDS["ordinary"],
    **{f"all at {end}": all_at(end) for end in ("minimum", "maximum")},
}


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_netlist_has_every_hard_block_and_trains_as_the_reference(design: Design, tmp_path: Path) -> None:
    """That of an iCE40 with two layers is checked in each run, when its bitstream is made (tests/hw/build)."""
    board = design.board
    build = Build(
        platform=board.platform(), design=board.top(Soc(design)), technology=board.technology, directory=tmp_path
    )
    build.synthesise()
    check_netlist(build, design, count=40, kinds=tuple(STARTS))


def test_family_without_models_is_refused() -> None:
    with pytest.raises(ValueError, match="no models for the cells of Artix-7, only for iCE40UP5K, iCE40HX8K, ECP5"):
        make_netlist(Mock(spec=Build), boards.find("nexys-a7"))


def memory(parameters: dict[str, str], connections: dict[str, list]) -> dict[str, Any]:
    """Return a memory cell that is modelled, unless the given parameters and connections are not."""
    off = {port: ["0"] for port in ("CSA0", "CSA1", "CSA2", "CSB0", "CSB1", "CSB2", "RSTA", "RSTB", "WEB")}
    return {
        "type": "DP16KD",
        "parameters": {"DATA_WIDTH_A": f"{18:032b}", "REGMODE_A": "NOREG"} | parameters,
        "connections": off | {"OCEA": ["1"], "OCEB": ["1"]} | connections,
    }


def test_cell_in_a_configuration_that_is_modelled_is_accepted() -> None:
    assert "module DP16KD" in ecp5_models({"nodes": memory({}, {})})


@pytest.mark.parametrize(
    ("parameters", "connections", "message"),
    [
        ({"REGMODE_A": "OUTREG"}, {}, "nodes: a DP16KD with REGMODE_A = OUTREG is not modelled"),
        ({"DATA_WIDTH_A": f"{36:032b}"}, {}, "with DATA_WIDTH_A = 0+100100 is not"),
        ({"NEW": "1"}, {}, "with NEW = 1 is not"),
        ({}, {"RSTA": [7]}, "with RSTA other than 0 is not"),
        ({}, {"WEB": ["1"]}, "with WEB other than 0 is not"),
    ],
)
def test_cell_in_another_configuration_is_refused(parameters, connections, message) -> None:
    with pytest.raises(ValueError, match=message):
        ecp5_models({"nodes": memory(parameters, connections)})
