# amaranth: UnusedElaboratable=no
"""The command engine, given requests as hand-made frames on the wire."""

import pytest

from hw.link.commands import CommandEngine
from sw.spec.protocol import CREDITS, MAX_PAYLOAD, REPLY, VERSION, Command, Frame, Space, Status, max_read_words
from tests.hw.link.requests import read, target, write
from tests.hw.link.simulated import DIGEST, EndpointPort

NONCE = b"\x00\x01\xfe\xff"


def ask(port: EndpointPort, *frames: Frame) -> list[Frame]:
    """Send `frames` without waiting between them; return the replies."""
    port.write(b"".join(frame.encode() for frame in frames))
    received = b""
    while received.count(0) < len(frames):
        piece = port.read(1)
        assert piece, f"{received.count(0)} replies to {len(frames)} requests"
        received += piece
    return [Frame.decode(piece) for piece in received.split(b"\x00")[:-1]]


def statuses(replies: list[Frame]) -> list[int]:
    return [reply.payload[-1] for reply in replies]


@pytest.fixture
def port() -> EndpointPort:
    """An endpoint within a link session."""
    port = EndpointPort(bus_chance=0.4)
    port.timeout = 0.02
    assert statuses(ask(port, Frame(Command.HELLO, 9, NONCE))) == [Status.OK]
    return port


@pytest.mark.parametrize("word_bytes", [2, 3])
def test_hello_tells_what_the_host_must_know(word_bytes: int) -> None:
    port = EndpointPort(word_bytes=word_bytes)
    (reply,) = ask(port, Frame(Command.HELLO, 200, NONCE))
    told = bytes([VERSION]) + DIGEST + bytes([word_bytes, CREDITS]) + NONCE
    assert reply == Frame(Command.HELLO | REPLY, 200, told + bytes([Status.OK]))


def test_nothing_happens_without_a_link_session() -> None:
    port = EndpointPort()
    replies = ask(port, write(0, 0, b"ab"), read(255, 0, 1), Frame(77, 3, b""), Frame(Command.HELLO, 0, b"abc"))
    assert statuses(replies) == [Status.NO_SESSION] * 3 + [Status.BAD_LENGTH]
    assert statuses(ask(port, write(0, 0, b"ab"))) == [Status.NO_SESSION]
    assert port.memory.records == []


@pytest.mark.parametrize("word_bytes", [2, 3])
def test_words_are_little_endian_and_addresses_count_them(word_bytes: int) -> None:
    port = EndpointPort(word_bytes=word_bytes, bus_chance=0.5)
    data = bytes(range(1, 1 + 4 * word_bytes))
    words = [int.from_bytes(data[i : i + word_bytes], "little") for i in range(0, len(data), word_bytes)]
    address = 0x1234FF
    replies = ask(
        port,
        Frame(Command.HELLO, 0, NONCE),
        write(0, address, data, Space.PARAMETERS),
        write(1, address, data),
        read(2, address, 4),
    )
    assert statuses(replies) == [Status.OK] * 4
    assert port.memory.records == [(address + i, word) for i, word in enumerate(words)]
    assert replies[3] == Frame(Command.READ | REPLY, 2, data + bytes([Status.OK]))


def test_a_write_seen_before_is_answered_but_not_executed(port: EndpointPort) -> None:
    first, second = write(0, 5, b"abcd"), write(1, 7, b"ef")
    replies = ask(port, first, first, second, first, second)
    assert replies == [Frame(Command.WRITE | REPLY, frame, bytes([Status.OK])) for frame in (0, 0, 1, 0, 1)]
    assert [address for address, _ in port.memory.records] == [5, 6, 7]
    assert port.counters()["duplicates"] == 3


def test_a_read_seen_before_is_executed_again(port: EndpointPort) -> None:
    port.memory.words[Space.PARAMETERS, 3] = 0xBEEF
    replies = ask(port, read(0, 3, 1), read(0, 3, 1))
    assert replies == [Frame(Command.READ | REPLY, 0, b"\xef\xbe\x00")] * 2


def test_a_request_from_the_future_is_not_executed(port: EndpointPort) -> None:
    replies = ask(port, write(0, 0, b"ab"), write(2, 0, b"cd"), read(128, 0, 1), write(1, 1, b"ef"))
    assert statuses(replies) == [Status.OK, Status.NAK, Status.NAK, Status.OK]
    assert [(reply.sequence, reply.payload[0]) for reply in replies[1:3]] == [(2, 1), (128, 1)]
    assert [address for address, _ in port.memory.records] == [0, 1]
    assert port.counters()["gaps"] == 2


def test_sequence_numbers_wrap(port: EndpointPort) -> None:
    for start in range(0, 260, 4):
        replies = ask(port, *(write((start + i) % 256, start + i, b"ab") for i in range(4)))
        assert statuses(replies) == [Status.OK] * 4
    assert [address for address, _ in port.memory.records] == list(range(260))


def test_refused_and_missing_words_end_the_request_there(port: EndpointPort) -> None:
    missing = {(Space.RECORDS, 2), (Space.PARAMETERS, 1)}
    port.memory.missing = lambda space, address: (space, address) in missing
    port.memory.busy = {Space.CONFIGURATION}
    port.memory.words[Space.PARAMETERS, 0] = 0x4241
    replies = ask(
        port,
        write(0, 0, b"abcdefgh"),
        read(0, 0, 3),
        read(0, 0, 3, Space.CONFIGURATION),
        write(0, 9, b"xy", Space.CONFIGURATION),
    )
    assert statuses(replies) == [Status.BAD_ADDRESS, Status.BAD_ADDRESS, Status.BUSY, Status.BUSY]
    assert replies[1].payload[:-1] == b"AB"
    assert [address for address, _ in port.memory.records] == [0, 1]


def test_a_failed_request_may_be_tried_again(port: EndpointPort) -> None:
    port.memory.busy = {Space.RECORDS}
    assert statuses(ask(port, write(0, 0, b"ab"), write(1, 1, b"cd"))) == [Status.BUSY, Status.NAK]
    port.memory.busy = set()
    assert statuses(ask(port, write(0, 0, b"ab"), write(1, 1, b"cd"))) == [Status.OK, Status.OK]
    assert [address for address, _ in port.memory.records] == [0, 1]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Frame(4, 0, b""), Status.BAD_LENGTH),
        (Frame(4, 0, b"xxxxx"), Status.BAD_COMMAND),
        (Frame(0, 0, b"xxxxx"), Status.BAD_COMMAND),
        (Frame(Command.READ, 0, b""), Status.BAD_LENGTH),
        (Frame(Command.READ, 0, target(Space.PARAMETERS, 0)[:2]), Status.BAD_LENGTH),
        (Frame(Command.READ, 0, target(Space.PARAMETERS, 0)), Status.BAD_LENGTH),
        (Frame(Command.READ, 0, target(Space.PARAMETERS, 0) + b"\x01\x00"), Status.BAD_LENGTH),
        (read(0, 0, 0), Status.BAD_LENGTH),
        (read(0, 0, max_read_words(2) + 1), Status.BAD_LENGTH),
        (read(0, 0, 1, space=4), Status.BAD_ADDRESS),
        (write(0, 0, b""), Status.BAD_LENGTH),
        (write(0, 0, b"a"), Status.BAD_LENGTH),
        (Frame(Command.HELLO, 0, b""), Status.BAD_LENGTH),
        (Frame(Command.HELLO, 0, b"12345"), Status.BAD_LENGTH),
        (Frame(Command.HELLO, 0, bytes(MAX_PAYLOAD)), Status.BAD_LENGTH),
    ],
)
def test_what_cannot_be_executed_is_refused_and_the_link_session_goes_on(
    port: EndpointPort, request_: Frame, status: Status
) -> None:
    replies = ask(port, request_, write(0, 3, b"ab"))
    assert statuses(replies) == [status, Status.OK]
    assert replies[0].type == request_.type | REPLY
    assert port.memory.records == [(3, 0x6261)]


def test_the_longest_read_fits_one_reply(port: EndpointPort) -> None:
    count = max_read_words(2)
    (reply,) = ask(port, read(0, 0, count))
    assert reply.payload == bytes(2 * count) + bytes([Status.OK])


def test_hello_begins_a_new_link_session(port: EndpointPort) -> None:
    replies = ask(port, write(0, 1, b"ab"), Frame(Command.HELLO, 0, NONCE), write(0, 2, b"cd"))
    assert statuses(replies) == [Status.OK] * 3
    assert [address for address, _ in port.memory.records] == [1, 2]


def test_digest_and_word_are_checked() -> None:
    with pytest.raises(ValueError, match="8 bytes, not 3"):
        CommandEngine(word_bytes=2, digest=b"abc")
    with pytest.raises(ValueError, match="at least 2, not 1"):
        CommandEngine(word_bytes=1, digest=DIGEST)
