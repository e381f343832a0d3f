"""The netlist that synthesis makes trains to the same bits as the reference: the last step before place and route."""

import re
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import boards
from hw.design.design import Design
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
from sw.spec.schedule import Rates
from tests.cases import KINDS

ICE40 = boards.find("icebreaker")
# To be simulated as fast, their serial ports take as few clocks for a bit.
HX8K, ECP5 = (
    replace(board, baud=board.clock_hz // ICE40.clocks_per_bit) for board in map(boards.find, ("hx8k", "ulx3s"))
)
TWO_LAYERS = Network.two_layer(2, 4, (4, 8))
TIMEOUT = 60.0  # seconds: a simulated netlist takes long for a clock, and longer beside other tests
DESIGNS = {
    "iCE40, two layers": Design(board=ICE40, network=TWO_LAYERS),
    "iCE40, products in logic": Design(
        board=HX8K, network=Network.two_layer(2, 2, (4, 4), width=10, gain=0), lanes=(1, 1)
    ),
    "iCE40, three layers": Design(board=ICE40, network=Network.chain((2, 4, 2, 2), (4, 8, 4)), lanes=(1, 1, 1)),
    "ECP5, two layers": Design(board=ECP5, network=TWO_LAYERS, taps=2),
}
LONG = [name for name in DESIGNS if name != "iCE40, two layers"]


@pytest.mark.parametrize(
    "design",
    [pytest.param(design, id=name, marks=[pytest.mark.slow] * (name in LONG)) for name, design in DESIGNS.items()],
)
def test_netlist_has_every_hard_block_and_trains_as_the_reference(design: Design) -> None:
    """One test, so that each design is synthesised and compiled once."""
    past = len(design.network.layers) - 1
    word = design.network.word
    rates = Rates((2,) * past, (word.width - 3,) * past)
    netlist = make_netlist(board=design.board, soc=Soc(design))
    cells, need = design.board.technology.flow.cells, requirements(design)
    count = {name: len(re.findall(rf"^  ({'|'.join(kinds)}) ", netlist, re.MULTILINE)) for name, kinds in cells.items()}
    hard = design.board.technology.multiplies(word.width)
    assert count.get("multipliers", 0) == need.multipliers == hard * design.plan.multipliers
    assert count["block_ram"] == need.block_ram
    assert count.get("single_port_ram", 0) == need.single_port_ram
    with (
        VirtualBoard(netlist, clocks_per_bit=design.board.clocks_per_bit) as virtual,
        BoardClient(HostLink(open_port(virtual.port), timeout=TIMEOUT)) as board,
    ):
        assert board.configuration == design.configuration
        nodes, records = KINDS["extreme"](design.network, 40)
        starts = {
            "extreme": (nodes, records),
            "ordinary": KINDS["ordinary"](design.network, 40),
            # Predictions reach the ends of the word when all nodes are at one of them.
            **{
                f"all at {end}": ([np.full_like(layer, end) for layer in nodes], records)
                for end in (word.minimum, word.maximum)
            },
        }
        for kind, (nodes, records) in starts.items():
            oracle = ContextReference.of(design.configuration, nodes)
            board.nodes = nodes
            assert all(map(np.array_equal, board.nodes, nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind
            assert board.train(records, rates) == oracle.train(records, rates), kind
            assert all(map(np.array_equal, board.nodes, oracle.nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind


def test_family_without_models_is_refused() -> None:
    with pytest.raises(ValueError, match="no models for the cells of Artix-7, only for iCE40UP5K, iCE40HX8K, ECP5"):
        make_netlist(board=boards.find("nexys-a7"), soc=Mock(spec=Soc))


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
