"""Reads and writes over lines that lose frames, long ones more often: every word arrives, each WRITE in its turn."""

import random

import numpy as np
import pytest

from sim.buffered_port import BufferedPort
from sw.device.request_size import LEAST_WORDS
from sw.device.transport import HostLink
from sw.spec.protocol import REPLY, Command, Frame, Space, Status
from sw.spec.registers import CONTROLS
from tests.sw.device.scripted import greet, link_to


class LossyBoard(BufferedPort):
    """A board of one memory behind a line on which each byte of a frame is wrong with a probability."""

    def __init__(self, rate: float, seed: int, late: float = 0.3) -> None:
        super().__init__()
        self.time = 0.0
        self.memory: dict[int, int] = {}
        self.writes: list[int] = []
        self.rate, self.late = rate, late
        self._random = random.Random(seed)
        self._expected = 0
        self._late: list[tuple[float, bytes]] = []

    def read(self, size: int = 1, /) -> bytes:
        """Return the bytes that there are, and move the clock on."""
        while self._late and self._late[0][0] <= self.time:
            self.received += self._late.pop(0)[1]
        data = super().read(size)
        self.time += 1e-4 if data else self.timeout or 0.0
        return data

    def write(self, data: bytes, /) -> int:
        """Execute the frames that pass; their replies come at once, or late, but in order."""
        for piece in filter(None, data.split(b"\x00")):
            if self._passes(piece):
                reply = self._execute(Frame.decode(piece))
                if self._passes(reply):
                    late = max([self.time + self._random.choice([0.0, 0.0, self.late]), *(at for at, _ in self._late)])
                    self._late.append((late, reply))
        return len(data)

    def _passes(self, encoded: bytes) -> bool:
        return self._random.random() < (1 - self.rate) ** len(encoded)

    def _execute(self, frame: Frame) -> bytes:
        ahead = (frame.sequence - self._expected) % 256
        if frame.type == Command.HELLO:
            self._expected = 0
            return greet(frame)
        payload = bytes([self._expected, Status.NAK])
        if ahead == 0 or ahead >= 128:
            address = int.from_bytes(frame.payload[1:4], "little")
            payload = bytes([Status.OK])
            if frame.type == Command.READ:
                found = [self.memory.get(address + index, 0) for index in range(frame.payload[4])]
                payload = np.array(found, "<u2").tobytes() + payload
            elif ahead == 0:
                words = np.frombuffer(frame.payload[4:], "<u2").tolist()
                self.memory.update({address + index: word for index, word in enumerate(words)})
                self.writes.append(address)
            self._expected = (self._expected + (ahead == 0)) % 256
        return Frame(frame.type | REPLY, frame.sequence, payload).encode()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rate", [1e-3, 1e-2, 3e-2])
def test_words_come_over_a_line_that_long_frames_do_not_pass(rate: float, seed: int) -> None:
    port = LossyBoard(rate, seed, late=0.01 if rate == 3e-2 else 0.3)
    link = HostLink(port, clock=lambda: port.time)
    words = np.random.default_rng(seed).integers(0, 1 << 16, 1000 + seed)
    count: list[int] = []
    link.write(Space.RECORDS, 5, words, count.append)
    assert [port.memory[5 + index] for index in range(len(words))] == words.tolist() and sum(count) == len(words)
    assert np.array_equal(link.read(Space.RECORDS, 5, len(words)), words)
    link.write(Space.REGISTERS, 9000, range(LEAST_WORDS))
    assert port.writes.count(9000) == 1
    if rate == 3e-2:
        assert link.shortened > 0


def test_requests_are_long_again_on_a_line_that_is_good_again() -> None:
    port = LossyBoard(3e-2, 0, late=0.0)
    link = HostLink(port, clock=lambda: port.time)
    link.write(Space.RECORDS, 0, np.zeros(1000, int))
    port.rate = 0.0
    link.write(Space.RECORDS, 0, np.zeros(8000, int))
    before = link.statistics.requests
    link.write(Space.RECORDS, 0, np.zeros(1220, int))
    assert link.statistics.requests - before == 10


def test_a_request_that_starts_a_pass_is_never_split() -> None:
    assert sum(register.words for register in CONTROLS) <= LEAST_WORDS


def test_a_reply_behind_noise_is_understood() -> None:
    noise = random.Random(1)

    def answer(frame: Frame) -> bytes:
        return noise.randbytes(300).replace(b"\x00", b"\x01") + (
            greet(frame)
            if frame.type == Command.HELLO
            else Frame(frame.type | REPLY, frame.sequence, bytes([7, 0, Status.OK])).encode()
        )

    link, port = link_to(answer)
    assert link.read(Space.RECORDS, 0, 1)[0] == 7 and port.time < 0.5
