"""The board's end of the link, over its two wires."""

import random
from typing import Any

from hw.link.endpoint import LinkEndpoint
from sw.spec.protocol import Command, Frame, Status, max_write_words
from sw.spec.registers import LINK_COUNTERS
from tests.hw.link.requests import write
from tests.hw.link.test_uart import waveform
from tests.hw.streams import simulate, steady

CLOCKS_PER_BIT = 8
IDLE_BITS = 64


def run(levels: list[int], replies: int) -> tuple[list[tuple[int, int]], list[Frame], dict[str, int]]:
    """Return words written, replies and counters, after the line had `levels`, one a cycle."""
    link = LinkEndpoint(clocks_per_bit=CLOCKS_PER_BIT, word_bytes=2, digest=bytes(8), idle_bits=IDLE_BITS)
    written: list[tuple[int, int]] = []
    encoded = bytearray()
    counters = {register.name: 0 for register in LINK_COUNTERS}

    async def send(context: Any) -> None:
        before = 1
        for level in levels:
            if level != before:
                context.set(link.rx, level)
                before = level
            await context.tick()

    async def receive(context: Any) -> None:
        while encoded.count(0) < replies:
            while context.get(link.tx):
                await context.tick()
            await context.tick().repeat(CLOCKS_PER_BIT // 2)
            byte = 0
            for place in range(8):
                await context.tick().repeat(CLOCKS_PER_BIT)
                byte |= context.get(link.tx) << place
            await context.tick().repeat(CLOCKS_PER_BIT)
            assert context.get(link.tx), "the stop bit is low"
            encoded.append(byte)

    async def count(context: Any) -> None:
        async for _, _, events in context.tick().sample(link.events):
            for name in counters:
                counters[name] += events[name]

    async def target(context: Any) -> None:
        context.set(link.bus.ready, 1)
        async for _, _, valid, address, word in context.tick().sample(
            link.bus.valid, link.bus.address, link.bus.write_data
        ):
            if valid:
                written.append((address, word))

    bus = link.bus
    held = steady(bus.valid, bus.ready, bus.write, bus.space, bus.address, bus.write_data)
    simulate(link, send, receive, monitors=[target, count, held], cycles=len(levels) + 100 * 10 * CLOCKS_PER_BIT)
    return written, [Frame.decode(piece) for piece in bytes(encoded).split(b"\x00")[:-1]], counters


def test_frames_at_line_rate_are_not_lost() -> None:
    longest = random.Random(0).randbytes(2 * max_write_words(2))
    writes = [b"xy", longest, b"xy", b"xy", b"xy"]
    frames = [Frame(Command.HELLO, 0, b"abcd")]
    for index, data in enumerate(writes):
        frames.append(write(index, 128 * index, data))
    line = waveform([byte for frame in frames for byte in frame.encode()], CLOCKS_PER_BIT * 0.98, 0.3)
    written, replies, counters = run(line, len(frames))
    assert [reply.payload[-1] for reply in replies] == [Status.OK] * len(frames)
    assert not any(counters.values())
    assert written == [
        (128 * index + place // 2, int.from_bytes(data[place : place + 2], "little"))
        for index, data in enumerate(writes)
        for place in range(0, len(data), 2)
    ]


def test_a_cut_frame_and_a_broken_byte_are_counted() -> None:
    hello = list(Frame(Command.HELLO, 0, b"abcd").encode())
    request = list(write(0, 0, b"xy").encode())
    line = waveform(request[:6], CLOCKS_PER_BIT, 0) + [1] * (2 * IDLE_BITS * CLOCKS_PER_BIT)
    line += waveform(request[:4], CLOCKS_PER_BIT, 0) + waveform(request[4:5], CLOCKS_PER_BIT, 0, stop=0)
    line += waveform(request[5:], CLOCKS_PER_BIT, 0) + waveform(hello + request, CLOCKS_PER_BIT, 0)
    written, replies, counters = run(line, 2)
    assert [reply.payload[-1] for reply in replies] == [Status.OK, Status.OK]
    assert written == [(0, 0x7978)]
    assert {name: count for name, count in counters.items() if count} == {
        "timeouts": 1,
        "uart_errors": 1,
        "frame_errors": 1,
    }
