import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.link.frames import BYTE_CYCLES, FrameReceiver, FrameTransmitter, PacketMemory, crc_algorithm
from sw.spec.protocol import CREDITS, DELIMITER, MAX_PAYLOAD, Frame, checksum
from tests.hw.streams import lawful, simulate, sink, source
from tests.slow import slow

IDLE_CYCLES = 512
LONGEST = [Frame(3, index, random.Random(index).randbytes(MAX_PAYLOAD)) for index in range(CREDITS + 1)]
SHORT = [Frame(1, 7, b""), Frame(2, 8, b"\x00\x00"), Frame(3, 9, b"abc")]


@given(st.binary(max_size=300))
def test_both_ends_have_one_crc(data: bytes) -> None:
    assert crc_algorithm()().compute(data) == checksum(data)


def packets(items: list[Any]) -> list[bytes]:
    """Return the packets in a list of packet bytes."""
    complete, packet = [], bytearray()
    for item in items:
        packet.append(item.data)
        if item.last:
            complete.append(bytes(packet))
            packet.clear()
    return complete


def content(frame: Frame) -> bytes:
    return bytes([frame.type, frame.sequence]) + frame.payload


class Reception:
    """A receiver's packets and errors for `pieces`, each of which is bytes to send or a number of idle cycles."""

    def __init__(self, *pieces: bytes | int, expected: list[bytes], patient: bool = False) -> None:
        receiver = FrameReceiver(idle_cycles=IDLE_CYCLES)
        self.events = {"crc_error": 0, "frame_error": 0, "overrun": 0, "timeout": 0}
        items: list[Any] = []
        sent = False

        async def send(context: Any) -> None:
            nonlocal sent
            for piece in pieces:
                if isinstance(piece, int):
                    await context.tick().repeat(piece)
                else:
                    await source(receiver.bytes, piece)(context)
            await context.tick().repeat(2 * BYTE_CYCLES)
            sent = True

        async def take(context: Any) -> None:
            while patient and not sent:
                await context.tick()
            await sink(receiver.packets, items, sum(map(len, expected)))(context)

        async def watch(context: Any) -> None:
            async for _, _, *pulses in context.tick().sample(*(getattr(receiver, name) for name in self.events)):
                for name, pulse in zip(self.events, pulses, strict=True):
                    self.events[name] += pulse

        simulate(receiver, send, take, monitors=[watch, lawful(receiver.packets)], cycles=50_000)
        assert packets(items) == expected

    def errors(self) -> dict[str, int]:
        return {name: count for name, count in self.events.items() if count}


def test_receives_frames_back_to_back() -> None:
    frames = [*SHORT, LONGEST[0], *SHORT]
    reception = Reception(*(frame.encode() for frame in frames), expected=[content(frame) for frame in frames])
    assert reception.errors() == {}


def test_holds_as_many_of_the_longest_frames_as_there_are_credits() -> None:
    reception = Reception(
        *(frame.encode() for frame in LONGEST), expected=[content(frame) for frame in LONGEST[:-1]], patient=True
    )
    assert reception.errors() == {"overrun": 1}


@pytest.mark.slow
def test_memory_is_free_again_after_reading() -> None:
    """One more frame than it holds, as in the test above. Each run fills a small memory many times."""
    reception = Reception(*(frame.encode() for frame in LONGEST), expected=[content(frame) for frame in LONGEST])
    assert reception.errors() == {}


def test_every_flipped_bit_is_noticed() -> None:
    """In one simulation: each damaged frame is an error; if the flip makes a delimiter in it, each of its pieces is."""
    good = SHORT[0].encode()
    sent, pieces = [], 0
    for bit in range(8 * len(good)):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        sent += [bytes(damaged), DELIMITER, good]
        pieces += sum(map(bool, damaged.split(DELIMITER)))
    reception = Reception(*sent, expected=[content(SHORT[0])] * 8 * len(good))
    assert reception.errors().keys() <= {"crc_error", "frame_error"}
    assert sum(reception.errors().values()) == pieces >= 8 * len(good)


@pytest.mark.parametrize(
    ("damaged", "errors"),
    [
        (Frame(1, 2, b"").encode()[:-2] + DELIMITER, {"frame_error": 1}),
        (b"\x02\x55\x00", {"frame_error": 1}),
        (b"\x01" * 255 + DELIMITER, {"crc_error": 1}),
        (b"\x01" * 256 + DELIMITER, {"frame_error": 1}),
        slow(b"\x01" * 3000 + DELIMITER, {"frame_error": 1}, id="endless"),
        (DELIMITER * 5, {}),
    ],
    ids=["cut", "short", "longest", "too long", None, "delimiters"],
)
def test_drops_what_is_no_frame(damaged: bytes, errors: dict[str, int]) -> None:
    reception = Reception(SHORT[0].encode(), damaged, SHORT[1].encode(), expected=[content(f) for f in SHORT[:2]])
    assert reception.errors() == errors


def test_a_frame_cut_short_is_forgotten_after_an_idle_gap() -> None:
    cut = LONGEST[0].encode()[:100]
    good = SHORT[:2]
    reception = Reception(cut, IDLE_CYCLES + 2, *(f.encode() for f in good), expected=[content(f) for f in good])
    assert reception.errors() == {"timeout": 1}


def test_a_pause_within_a_frame_is_allowed() -> None:
    encoded = LONGEST[0].encode()
    reception = Reception(encoded[:50], IDLE_CYCLES - 20, encoded[50:], expected=[content(LONGEST[0])])
    assert reception.errors() == {}


def test_a_broken_byte_spoils_its_frame_only() -> None:
    receiver = FrameReceiver(idle_cycles=IDLE_CYCLES)
    items: list[Any] = []
    encoded = SHORT[2].encode()

    async def send(context: Any) -> None:
        async def pulse() -> None:
            context.set(receiver.broken, 1)
            await context.tick()
            context.set(receiver.broken, 0)

        await pulse()
        await source(receiver.bytes, encoded[:4])(context)
        await pulse()
        await source(receiver.bytes, encoded[4:])(context)
        await source(receiver.bytes, SHORT[1].encode())(context)

    simulate(receiver, send, sink(receiver.packets, items, len(content(SHORT[1]))), cycles=5_000)
    assert packets(items) == [content(SHORT[1])]


def test_packet_memory_against_a_model() -> None:
    """Commits and rolls back at random, through many turns of a small memory."""
    memory = PacketMemory(depth=64, trailer_bytes=3)
    generator = random.Random(5)
    jobs = [(generator.randbytes(generator.randint(4, 40)), generator.random() < 0.6) for _ in range(60)]
    expected = [data[:-3] for data, keep in jobs if keep]
    items: list[Any] = []

    async def write(context: Any) -> None:
        for data, keep in jobs:
            await source(memory.bytes, data)(context)
            verdict = memory.commit if keep else memory.rollback
            assert context.get(memory.extent) == len(data) + 1
            context.set(verdict, 1)
            await context.tick()
            context.set(verdict, 0)

    simulate(
        memory,
        write,
        sink(memory.packets, items, sum(map(len, expected)), chance=0.5, seed=2),
        monitors=[lawful(memory.packets)],
        cycles=30_000,
    )
    assert packets(items) == expected


def test_a_memory_that_overflows_loses_whole_packets_only() -> None:
    """Packets of all lengths come faster than they are read, and are given up at the first byte without a place."""
    memory = PacketMemory(depth=16, trailer_bytes=1)
    generator = random.Random(6)
    expected: list[bytes] = []
    items: list[Any] = []
    written = False

    async def write(context: Any) -> None:
        nonlocal written
        for number in range(150):
            data = bytes([number % 256, *generator.randbytes(generator.randint(1, 6))])
            whole = True
            for byte in data:
                await context.tick().repeat(2)
                whole = whole and bool(context.get(memory.bytes.ready))
                if whole:
                    context.set(memory.bytes.payload, byte)
                    context.set(memory.bytes.valid, 1)
                    await context.tick()
                    context.set(memory.bytes.valid, 0)
            verdict = memory.commit if whole else memory.rollback
            expected.extend([data[:-1]] * whole)
            context.set(verdict, 1)
            await context.tick()
            context.set(verdict, 0)
        written = True

    async def read(context: Any) -> None:
        left = 40  # looks after the last packet
        while left:
            left -= written
            await context.tick().repeat(generator.randint(1, 9))
            if context.get(memory.packets.valid):
                items.append(context.get(memory.packets.payload))
                context.set(memory.packets.ready, 1)
                await context.tick()
                context.set(memory.packets.ready, 0)

    simulate(memory, write, read, monitors=[lawful(memory.packets)], cycles=60_000)
    assert packets(items) == expected and 40 < len(expected) < 120


@pytest.mark.parametrize("chance", [1.0, 0.5])
def test_transmits_frames_that_the_host_understands(chance: float) -> None:
    transmitter = FrameTransmitter()
    frames = [*SHORT, LONGEST[0], *SHORT, Frame(0x83, 1, bytes(MAX_PAYLOAD))]
    tokens = [
        token
        for frame in frames
        for token in [*({"data": byte, "end": 0} for byte in content(frame)), {"data": 0, "end": 1}]
    ]
    expected = b"".join(frame.encode() for frame in frames)
    taken: list[int] = []
    simulate(
        transmitter,
        source(transmitter.tokens, tokens, chance=chance, seed=3),
        sink(transmitter.bytes, taken, len(expected), chance=chance, seed=4),
        monitors=[lawful(transmitter.bytes)],
        cycles=50_000,
    )
    assert bytes(taken) == expected
