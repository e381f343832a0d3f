"""What synthesis makes of the system trains to the same bits as the reference: the last step before place and route."""

import re
from unittest.mock import Mock

import numpy as np
import pytest

import boards
from hw.design import Design
from hw.soc import Soc
from sim.netlist import make_netlist
from sim.virtual_board import VirtualBoard
from sw.board import Board
from sw.machine import Rates
from sw.network import Network
from sw.numerics import WordFormat
from sw.reference import FixedReference
from tests.cases import KINDS

BOARD = boards.find("icebreaker")
DESIGNS = {
    "two layers": Design(board=BOARD, network=Network.two_layer(4, 4, (4, 8))),  # all products of a function share one
    "three layers": Design(board=BOARD, network=Network.chain((2, 4, 2, 2), (4, 8, 4)), lanes=(1, 1, 1)),
}
WORD = WordFormat()
ENDS = (WORD.minimum, WORD.maximum)  # predictions reach them when all nodes are there


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_netlist_has_every_hard_block_and_trains_as_the_reference(design: Design) -> None:
    """One test, so that it is synthesised and compiled once."""
    past = len(design.network.layers) - 1
    rates = Rates((2,) * past, (13,) * past)
    netlist = make_netlist(board=BOARD, soc=Soc(design))
    cells = re.findall(r"^  (SB_\w+) ", netlist, re.MULTILINE)
    assert cells.count("SB_MAC16") == design.multipliers
    assert cells.count("SB_SPRAM256KA") == 4
    with VirtualBoard(netlist, clocks_per_bit=BOARD.clocks_per_bit) as virtual, Board.open(virtual.port) as board:
        assert board.configuration == design.configuration
        nodes, records = KINDS["extreme"](design.network, 40)
        starts = {
            "extreme": (nodes, records),
            "ordinary": KINDS["ordinary"](design.network, 40),
            **{f"all at {end}": ([np.full_like(layer, end) for layer in nodes], records) for end in ENDS},
        }
        for kind, (nodes, records) in starts.items():
            oracle = FixedReference.of(design.configuration, nodes)
            board.nodes = nodes
            assert all(map(np.array_equal, board.nodes, nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind
            assert board.train(records, rates) == oracle.train(records, rates), kind
            assert all(map(np.array_equal, board.nodes, oracle.nodes)), kind
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments)), kind


def test_family_without_models_is_refused() -> None:
    with pytest.raises(ValueError, match="no models for the cells of"):
        make_netlist(board=boards.find("ulx3s"), soc=Mock(spec=Soc))
