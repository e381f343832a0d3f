"""A data set larger than the board's store is streamed in blocks during the passes, and trains to the oracle's bits."""

from dataclasses import replace

import numpy as np
import pytest

import boards
from hw.design.design import Design
from hw.link.uart import MIN_CLOCKS_PER_BIT
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.oracle.contexts import ContextReference
from sw.spec.network import Network
from sw.spec.records import Records
from tests.cases import RATES, ordinary
from tests.slow import slow


def design_for(name: str) -> Design:
    """Return a design with a small store for a board."""
    board = boards.find(name)
    board = replace(board, baud=board.clock_hz // MIN_CLOCKS_PER_BIT)  # most of the time goes into the line
    return Design(board=board, network=Network.two_layer(3, 4, (4, 8), outputs=2), taps=3, store_words=256)


@pytest.fixture(scope="module", params=["icebreaker", slow("ulx3s")])
def board(request: pytest.FixtureRequest):
    """A board whose record store is single-port RAM, and one whose store is block RAM; `test_record_store` has both."""
    design = design_for(request.param)
    with (
        VirtualBoard(Soc(design), clocks_per_bit=design.board.clocks_per_bit) as virtual,
        BoardClient.open(virtual.port) as board,
    ):
        yield board


def test_what_does_not_fit_the_store_is_streamed_through_it(board: BoardClient):
    configuration = board.configuration
    nodes, records = ordinary(board.network, 5 * configuration.block + 3)
    oracle = ContextReference.of(board.configuration, nodes)
    board.nodes = nodes
    sent: list[tuple[int, int]] = []
    board.transfer = lambda *progress: sent.append(progress)
    for _ in range(2):
        sent.clear()
        assert board.train(records, RATES) == oracle.train(records, RATES)
        words = len(records) * configuration.record_rows * configuration.row_words
        assert sent == sorted(set(sent)) and sent[-1] == (words, words)
    assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments))
    (results, statistics), (expected, counts) = (each.predict_and_train(records, RATES) for each in (board, oracle))
    assert np.array_equal(results, expected) and statistics == counts
    assert all(map(np.array_equal, board.nodes, oracle.nodes))


def test_what_fits_the_store_is_sent_once(board: BoardClient):
    """Unless predictions have taken its place."""
    nodes, records = ordinary(board.network, 2 * board.configuration.block)
    others = Records(records.arguments[1:], records.targets[1:])
    oracle = ContextReference.of(board.configuration, nodes)
    board.nodes = nodes
    sent: list[tuple[int, int]] = []
    board.transfer = lambda *progress: sent.append(progress)
    for given, sends in ((records, True), (records, False), (others, True), (records, True)):
        sent.clear()
        assert board.train(given, RATES) == oracle.train(given, RATES)
        assert bool(sent) == sends
    for sends in (False, True):
        sent.clear()
        (results, statistics), (expected, counts) = (each.predict_and_train(records, RATES) for each in (board, oracle))
        assert np.array_equal(results, expected) and statistics == counts
        assert bool(sent) == sends
    sent.clear()
    assert board.train(records, RATES) == oracle.train(records, RATES) and sent
    assert all(map(np.array_equal, board.nodes, oracle.nodes))
