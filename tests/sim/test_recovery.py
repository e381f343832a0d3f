"""A board that is reset, stalls, or is unplugged in a training: it ends with the oracle's bits, or in a named error."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Timer
from typing import Any

import numpy as np
import pytest

from hw.flow.tools import emit_verilog
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.device.errors import BoardError, BoardResetError, BoardTakenError, LinkError, NoAnswerError
from sw.device.recovery import LastingClient
from sw.device.serial_port import open_port
from sw.oracle.contexts import ContextReference
from tests.cases import RATES, ordinary
from tests.sim.test_streaming import design_for

DESIGN = design_for("icebreaker")
GATEWARE = emit_verilog(Soc(DESIGN))


@pytest.fixture
def virtual() -> Iterator[VirtualBoard]:
    with VirtualBoard(GATEWARE, clocks_per_bit=DESIGN.board.clocks_per_bit) as virtual:
        yield virtual


def client(virtual: VirtualBoard, **options: object) -> LastingClient:
    return LastingClient(lambda: open_port(virtual.port), **{"timeout": 2.0, **options})  # type: ignore[arg-type]


def at_word(board: BoardClient, word: int, act: Callable[[], object]) -> None:
    """Act once, when so many words of records have been sent."""

    def transfer(done: int, _: int) -> None:
        if done >= word:
            board.transfer = lambda done, total: None
            act()

    board.transfer = transfer


@pytest.mark.parametrize("fate", ["reset", "stalled", "unplugged"])
@pytest.mark.parametrize("keep_seconds", [0.0, 1e6])
def test_a_training_outlasts_what_happens_to_its_board(virtual, fate, keep_seconds):
    """With the snapshot of the last pass, or with that of the beginning."""
    nodes, records = ordinary(DESIGN.network, 5 * DESIGN.configuration.block)
    with client(virtual, keep_seconds=keep_seconds) as board:

        def stall() -> None:
            os.kill(virtual._process.pid, signal.SIGSTOP)
            Timer(2.5, os.kill, (virtual._process.pid, signal.SIGCONT)).start()

        def unplug() -> None:
            """Leave a file descriptor that is readable and gives nothing, as an unplugged port does."""
            port: Any = board.link._frames._port
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), port.fileno())

        acts = {"reset": virtual.reset, "stalled": stall, "unplugged": unplug}
        board.nodes = nodes
        oracle = ContextReference.of(board.configuration, nodes)
        for part in range(3):
            words = len(records) * board._record_size
            at_word(board, (2 * part + 1) * words // 6, acts[fate] if part != 1 or fate != "stalled" else list)
            assert board.train(records, RATES) == oracle.train(records, RATES)
        (results, statistics), (expected, counts) = (each.predict_and_train(records, RATES) for each in (board, oracle))
        assert np.array_equal(results, expected) and statistics == counts
        assert all(map(np.array_equal, board.nodes, oracle.nodes))
        assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments))
        # Before the first pass has begun, a board that was reset is not told from one that was not.
        assert board.losses >= 2 and (board.restorations >= 2 if fate == "reset" else board.restorations <= 1)


def test_a_reset_between_two_calls_is_noticed_by_whichever_comes_next(virtual):
    nodes, records = ordinary(DESIGN.network, 100)
    with client(virtual) as board:
        board.nodes = nodes
        oracle = ContextReference.of(board.configuration, nodes)
        board.train(records, RATES), oracle.train(records, RATES)
        for ask in (lambda trainer: trainer.nodes, lambda trainer: list(trainer.predict(records.arguments))):
            virtual.reset()
            assert all(map(np.array_equal, ask(board), ask(oracle)))
        virtual.reset()
        assert board.train(records, RATES) == oracle.train(records, RATES)
        assert all(map(np.array_equal, board.nodes, oracle.nodes)) and board.restorations == 3


def test_a_plain_client_names_a_reset_and_never_trains_on_what_the_store_held_before(virtual):
    nodes, records = ordinary(DESIGN.network, 100)
    with BoardClient.open(virtual.port) as board:
        board.nodes = nodes
        board.train(records, RATES)
        virtual.reset()
        with pytest.raises(BoardResetError, match="was reset before"):
            board.train(records, RATES)
        sent: list[int] = []
        board.transfer = lambda done, total: sent.append(done)
        board.nodes = nodes
        assert board.train(records, RATES) == ContextReference.of(board.configuration, nodes).train(records, RATES)
        assert sent


def test_a_board_that_was_reset_before_its_nodes_were_known_is_an_error(virtual):
    with client(virtual) as board:
        virtual.reset()
        with pytest.raises(BoardError, match="reset before its nodes were read; write nodes to it"):
            board.predict(np.zeros((1, 3), np.int64))


def test_another_program_on_the_board_is_noticed(virtual):
    """Whether it takes the board between two passes, or while the link is lost."""
    nodes, records = ordinary(DESIGN.network, 100)
    with client(virtual) as board:
        board.nodes = nodes
        board.train(records, RATES)
        board.link.close()
        with BoardClient.open(virtual.port) as other:
            other.train(records, RATES)
        with pytest.raises(BoardTakenError, match="another program has trained on the board"):
            board.train(records, RATES)


def test_a_board_that_does_not_come_back_is_given_up_in_bounded_time(virtual):
    nodes, records = ordinary(DESIGN.network, 100)
    said: list[str] = []
    with client(virtual, timeout=0.5, reconnect=1.0, tell=said.append) as board:
        board.nodes = nodes
        os.kill(virtual._process.pid, signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"no answer from .* \(the board was looked for, 1 s long\)"):
            board.train(records, RATES)
        assert 1.0 < time.monotonic() - begun < 5.0
        os.kill(virtual._process.pid, signal.SIGCONT)
    (line,) = said
    assert line.startswith("the link is lost: no progress for 0.5 s at ")


@pytest.mark.parametrize(
    "opening", [BoardClient.open, lambda port: LastingClient(partial(open_port, port), timeout=0.3)]
)
def test_a_failed_opening_leaves_the_port_free(virtual, opening):
    os.kill(virtual._process.pid, signal.SIGSTOP)
    with pytest.raises(LinkError, match="no answer"):
        opening(virtual.port)
    os.kill(virtual._process.pid, signal.SIGCONT)
    with BoardClient.open(virtual.port) as board:
        assert board.network == DESIGN.network
