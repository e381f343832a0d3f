"""Reads and writes of the host's end of the link."""

import pytest

from sw.device.errors import NoAnswerError
from sw.spec.protocol import CREDITS, REPLY, Command, Frame, Space, Status
from tests.sw.device.scripted import greet, link_to, replying


def test_a_board_that_falls_silent_is_given_up_in_bounded_time() -> None:
    link, port = link_to(lambda frame: greet(frame) if frame.type == Command.HELLO else b"")
    with pytest.raises(NoAnswerError, match="no progress for 2 s"):
        link.write(Space.RECORDS, 0, [1, 2])
    assert 2.0 <= port.time < 3.5
    assert len(port.requests) < 20


def test_words_and_addresses_that_do_not_fit_are_refused() -> None:
    link, _ = link_to(replying(bytes([Status.OK])))
    for word in (1 << 16, -(1 << 15) - 1):
        with pytest.raises(ValueError, match=f"a word has 16 bits; {word} does not fit"):
            link.write(Space.RECORDS, 0, [0, word])
    with pytest.raises(ValueError, match="an address is 0 to 16777215, not 16777216"):
        link.write(Space.RECORDS, 1 << 24, [0])


def test_the_window_never_exceeds_the_credits() -> None:
    waiting = 0

    def answer(frame: Frame) -> bytes:
        nonlocal waiting
        if frame.type == Command.HELLO:
            return greet(frame)
        waiting += 1
        assert waiting <= CREDITS
        if waiting < CREDITS and frame.sequence < 9:
            return b""
        replies = range(frame.sequence - waiting + 1, frame.sequence + 1)
        waiting = 0
        return b"".join(Frame(frame.type | REPLY, reply, bytes([Status.OK])).encode() for reply in replies)

    link, port = link_to(answer)
    link.write(Space.RECORDS, 0, range(10 * 122))
    assert link.statistics.resent == 0 and len(port.requests) == 11
