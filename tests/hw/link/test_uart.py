# amaranth: UnusedElaboratable=no
import random
from typing import Any

import pytest
from amaranth.hdl import Module

from hw.link.uart import FRAME_BITS, Receiver, Transmitter
from tests.hw.streams import Testbench, simulate, source

BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, *random.Random(1).randbytes(6)]


def waveform(data: list[int], bit_clocks: float, phase: float, stop: int = 1) -> list[int]:
    """Return the line's level in each cycle while `data` is sent without pauses, `bit_clocks` cycles a bit."""
    bits = [1, 1]
    for byte in data:
        bits += [0, *(byte >> i & 1 for i in range(8)), stop]
    bits += [1, 1]
    return [bits[int((cycle + phase) / bit_clocks)] for cycle in range(int(len(bits) * bit_clocks - phase))]


def line(port: Any, levels: list[int]) -> Testbench:
    async def testbench(context: Any) -> None:
        for level in levels:
            context.set(port, level)
            await context.tick()
        await context.tick().repeat(20)

    return testbench


def listen(receiver: Receiver, data: list[int], errors: list[int]) -> Testbench:
    async def testbench(context: Any) -> None:
        async for _, _, valid, payload, error in context.tick().sample(
            receiver.bytes.valid, receiver.bytes.payload, receiver.error
        ):
            if valid:
                data.append(payload)
            if error:
                errors.append(len(data))

    return testbench


def receive(clocks: int, levels: list[int]) -> tuple[list[int], list[int]]:
    """Return the bytes received, and the number of bytes before each error."""
    receiver = Receiver(clocks_per_bit=clocks)
    data: list[int] = []
    errors: list[int] = []
    simulate(receiver, line(receiver.rx, levels), monitors=[listen(receiver, data, errors)], cycles=len(levels) + 200)
    return data, errors


@pytest.mark.parametrize("clocks", [8, 9, 12, 25])
@pytest.mark.parametrize("baud_error", [-0.03, 0.0, 0.03])
def test_receives_in_spite_of_the_senders_clock(clocks: int, baud_error: float) -> None:
    for phase in (0.0, 0.5):
        assert receive(clocks, waveform(BYTES, clocks * (1 + baud_error), phase)) == (BYTES, [])


@pytest.mark.parametrize("clocks", [6, 8, 12])
def test_loopback_at_line_rate(clocks: int) -> None:
    m = Module()
    m.submodules.transmitter = transmitter = Transmitter(clocks_per_bit=clocks)
    m.submodules.receiver = receiver = Receiver(clocks_per_bit=clocks)
    m.d.comb += receiver.rx.eq(transmitter.tx)
    data: list[int] = []
    errors: list[int] = []

    async def drained(context: Any) -> None:
        while len(data) < len(BYTES):
            await context.tick()

    simulate(
        m,
        source(transmitter.bytes, BYTES),
        drained,
        monitors=[listen(receiver, data, errors)],
        cycles=(len(BYTES) * FRAME_BITS + 2) * clocks,
    )
    assert (data, errors) == (BYTES, [])


def test_low_stop_bit_drops_the_byte_and_only_that() -> None:
    good, bad = waveform([0x12, 0x34], 8, 0.0), waveform([0x5A], 8, 0.0, stop=0)
    assert receive(8, good + bad + good) == ([0x12, 0x34, 0x12, 0x34], [2])


def test_a_broken_line_is_one_error() -> None:
    assert receive(8, [1] * 20 + [0] * 400 + [1] * 20 + waveform([0x77], 8, 0.0)) == ([0x77], [0])


def test_pulses_of_one_cycle_are_no_start_bits() -> None:
    assert receive(8, ([1] * 30 + [0]) * 5 + waveform([0x77], 8, 0.0)) == ([0x77], [])


def test_transmitter_waits_for_bytes_at_rest() -> None:
    transmitter = Transmitter(clocks_per_bit=8)
    levels: list[int] = []

    async def record(context: Any) -> None:
        async for _, _, level in context.tick().sample(transmitter.tx):
            levels.append(level)

    simulate(transmitter, source(transmitter.bytes, [0xC4], chance=0.02, seed=3), monitors=[record], cycles=10_000)
    start = levels.index(0)
    expected = waveform([0xC4], 8, 0.0)[16:-16]
    assert levels[start : start + len(expected)] == expected[: len(levels) - start]


def test_too_few_clocks_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6, not 5"):
        Receiver(clocks_per_bit=5)
    with pytest.raises(ValueError, match="at least 6, not 5"):
        Transmitter(clocks_per_bit=5)
