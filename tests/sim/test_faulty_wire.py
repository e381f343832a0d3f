"""A board at the end of a bad wire, with more records than its store holds: it still trains to the oracle's bits."""

import numpy as np
import pytest

from hw.soc.soc import Soc
from sim.faulty_port import FaultRates, FaultyPort
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.device.serial_port import open_port
from sw.device.transport import HostLink
from sw.oracle.contexts import ContextReference
from tests.cases import RATES, ordinary
from tests.sim.test_streaming import design_for
from tests.slow import slow

DESIGN = design_for("icebreaker")


@pytest.fixture(scope="module")
def virtual():
    with VirtualBoard(Soc(DESIGN), clocks_per_bit=DESIGN.board.clocks_per_bit) as virtual:
        yield virtual


@pytest.mark.parametrize(
    "faults",
    [
        slow(FaultRates(flip=0.002), id="flips"),
        slow(FaultRates(drop=0.002), id="drops"),
        pytest.param(FaultRates(flip=0.001, drop=0.001, duplicate=0.001), id="all"),
    ],
)
def test_training_over_a_bad_wire_ends_in_the_oracles_nodes(virtual, faults):
    nodes, records = ordinary(DESIGN.network, 400)
    port = FaultyPort(open_port(virtual.port), faults, seed=7)
    with BoardClient(HostLink(port, resend_after=0.05)) as board:
        before = board.counters()
        board.nodes = nodes
        oracle = ContextReference.of(board.configuration, nodes)
        for _ in range(2):
            assert board.train(records, RATES) == oracle.train(records, RATES)
        assert np.array_equal(board.predict(records.arguments[:200]), oracle.predict(records.arguments[:200]))
        assert all(map(np.array_equal, board.nodes, oracle.nodes))
        noticed = sum(board.counters().values()) - sum(before.values())
        assert noticed > 5 and board.link.statistics.resent > 5
