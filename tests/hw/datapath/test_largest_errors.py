"""Errors of many outputs that are all as large as can be, in Amaranth's simulator against the oracle."""

import numpy as np
import pytest

from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sim.simulated_trainer import SimulatedTrainer
from sw.oracle.fixed import FixedReference
from sw.spec.network import Network
from sw.spec.records import Records
from tests.cases import rates_of


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
def test_the_largest_errors_of_many_output_groups_add_up_at_the_smallest_back_shift(technology):
    """Each of 8 groups of outputs sends back the largest error times the largest slope, with the same sign."""
    network = Network.two_layer(1, 2, (2, 2), outputs=8)
    word, (inner, outer) = network.word, network.layers
    ends = np.array([word.minimum, word.maximum, word.minimum])
    nodes = [np.zeros(inner.shape, np.int64), np.broadcast_to(ends[:, None], outer.shape)]
    codes = np.array([[0], [1], [network.formats[0].last_code]]).repeat(2, axis=0)
    targets = np.where(np.arange(len(codes))[:, None] % 2, word.minimum, word.maximum).repeat(8, axis=1)
    gateware = SimulatedTrainer(network, nodes, chain(1, (1, 1)), technology=technology, exact=True)
    oracle, rates = FixedReference(network, nodes), rates_of(network, 1, word.back_shifts.start)
    assert gateware.train(Records(codes, targets), rates) == oracle.train(Records(codes, targets), rates)
    assert all(map(np.array_equal, gateware.nodes, oracle.nodes))
    assert np.abs(oracle.nodes[0]).max() > word.maximum // 2
