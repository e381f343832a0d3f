"""Link sessions with boards that are missing, not the right one, or in a bad state."""

import os

import pytest

from sw.device.errors import BoardResetError, BusyError, LinkError, NoAnswerError, RejectedError, WrongDeviceError
from sw.spec.protocol import VERSION, Command, Frame, Space, Status
from tests.sw.device.scripted import DIGEST, Answer, greet, link_to, replying


def test_silence_is_no_answer_in_bounded_time() -> None:
    link, port = link_to(lambda frame: b"")
    with pytest.raises(NoAnswerError, match="no answer from the port within 2 s"):
        link.hello()
    assert 2.0 <= port.time < 3.5
    assert 2 <= len(port.requests) < 20


@pytest.mark.parametrize(
    "answer",
    [
        lambda frame: b"login: ",
        lambda frame: b"\x03ab\x00",
        lambda frame: frame.encode(),
        lambda frame: os.urandom(1000).replace(b"\x00", b"\x01"),
        lambda frame: greet(Frame(1, 0, b"old!")),
    ],
    ids=["terminal", "other frames", "echo", "noise", "stale"],
)
def test_another_device_is_told_from_silence(answer: Answer) -> None:
    link, _ = link_to(answer)
    with pytest.raises(WrongDeviceError, match="answers, but not as a kanloom board"):
        link.hello()


def test_another_version_is_refused() -> None:
    link, _ = link_to(lambda frame: greet(frame, version=VERSION + 1))
    with pytest.raises(WrongDeviceError, match=f"version {VERSION + 1} of the protocol, this program {VERSION}"):
        link.hello()


def test_another_configuration_is_refused_now_and_later() -> None:
    link, _ = link_to(lambda frame: greet(frame, digest=bytes(8)))
    assert link.hello().digest == bytes(8)
    for attempt in (lambda: link.hello(DIGEST), lambda: link.read(Space.PARAMETERS, 0, 1)):
        with pytest.raises(WrongDeviceError, match=f"digest 0000000000000000, not {DIGEST.hex()}"):
            attempt()


@pytest.mark.parametrize(
    ("payload", "error", "message"),
    [
        (bytes([Status.BUSY]), BusyError, "WRITE at word 7 of PARAMETERS is refused while the board trains"),
        (bytes([Status.BAD_ADDRESS]), RejectedError, "rejects WRITE at word 7 of PARAMETERS: BAD_ADDRESS"),
        (bytes([99]), RejectedError, "rejects WRITE at word 7 of PARAMETERS: status 99"),
        (bytes([Status.NO_SESSION]), BoardResetError, "was reset before WRITE at word 7 of PARAMETERS"),
        (bytes([100, Status.NAK]), BoardResetError, "expects request 100, not 0"),
    ],
)
def test_refusals_are_errors_and_the_next_access_begins_a_link_session(
    payload: bytes, error: type[LinkError], message: str
) -> None:
    link, port = link_to(replying(payload))
    for _ in range(2):
        port.requests.clear()
        with pytest.raises(error, match=message):
            link.write(Space.PARAMETERS, 7, [1])
        assert [frame.type for frame in port.requests[:2]] == [Command.HELLO, Command.WRITE]


def test_an_interrupted_write_leaves_no_link_session() -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    link, port = link_to(replying(bytes([Status.OK])))
    with pytest.raises(KeyboardInterrupt):
        link.write(Space.RECORDS, 0, range(1000), interrupt)
    port.requests.clear()
    link.write(Space.RECORDS, 0, [1])
    assert [(frame.type, frame.sequence) for frame in port.requests] == [(Command.HELLO, 0), (Command.WRITE, 0)]
