"""The host's end and the board's end of the link, with a bad line between them."""

from collections import Counter

import numpy as np
import pytest

import sw.device.transport
from sim.faulty_port import FaultRates, FaultyPort
from sw.device.transport import HostLink
from sw.spec.protocol import Space
from sw.spec.registers import LINK_COUNTERS
from tests.hw.link.simulated import DIGEST, EndpointPort
from tests.slow import slow

WORDS_A_FRAME = 6


def connect(
    port: EndpointPort, rates: FaultRates, seed: int, resend_after: float = 1.2e-3
) -> tuple[HostLink, FaultyPort]:
    faulty = FaultyPort(port, rates, seed=seed)
    link = HostLink(faulty, timeout=0.3, resend_after=resend_after, clock=port.clock)
    faulty.enabled = False  # HELLO carries random bytes; what follows does not
    assert link.hello(DIGEST).digest == DIGEST
    faulty.enabled = True
    return link, faulty


@pytest.mark.parametrize(
    "rates",
    [
        slow(FaultRates(flip=0.015), id="flips"),
        slow(FaultRates(drop=0.015), id="drops"),
        pytest.param(FaultRates(flip=0.005, drop=0.005, duplicate=0.005), id="all"),
    ],
)
def test_every_record_arrives_exactly_once(rates: FaultRates, monkeypatch: pytest.MonkeyPatch) -> None:
    # Short frames: more of them, in all the states that the faults lead to, in the simulator's time.
    monkeypatch.setattr(sw.device.transport, "max_write_words", lambda _: WORDS_A_FRAME)
    port = EndpointPort(bus_chance=0.5)
    link, faulty = connect(port, rates, seed=2)
    words = np.random.default_rng(1).integers(0, 1 << 16, 30 * WORDS_A_FRAME)
    written: list[int] = []

    link.write(Space.RECORDS, 0, words, progress=written.append)
    for index in range(16):
        link.write(Space.RECORDS, len(words) + index, [index])

    sent = [*words.tolist(), *range(16)]
    assert port.memory.records == list(enumerate(sent))
    assert sum(written) == len(words)
    assert (link.read(Space.RECORDS, 0, 10) == words[:10]).all()

    # What makes this hard did happen: replies were lost, so that a write came twice, and requests were.
    faults = Counter(faulty.sent.__dict__) + Counter(faulty.received.__dict__)
    counters = port.counters()
    assert faults.total() > 20 and link.statistics.resent and counters["duplicates"] and counters["gaps"]


def test_a_lost_reply_does_not_repeat_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortest story of a duplicate: everything arrives at the board, nothing comes back for a while."""
    port = EndpointPort()
    link, _ = connect(port, FaultRates(), seed=0)
    whole = port.read

    def read(size: int = 1) -> bytes:
        return whole(size)[:0] if port.clock() < deaf_until else whole(size)

    monkeypatch.setattr(port, "read", read)
    deaf_until = port.clock() + 0.006
    link.write(Space.RECORDS, 0, [1, 2, 3])
    assert port.memory.records == [(0, 1), (1, 2), (2, 3)]
    assert port.counters()["duplicates"] == link.statistics.resent > 0


def test_a_clean_line_needs_no_second_try() -> None:
    port = EndpointPort()
    link, _ = connect(port, FaultRates(), seed=0, resend_after=20e-3)
    words = np.arange(-130, 130)  # in three frames
    link.write(Space.PARAMETERS, 100, words)
    assert (link.read(Space.PARAMETERS, 100, 260) == words & 0xFFFF).all()
    assert link.statistics.resent == 0
    assert port.counters() == {register.name: 0 for register in LINK_COUNTERS}
