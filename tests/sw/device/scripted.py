"""Boards that are a function from requests to replies, behind a serial port with a made-up clock."""

from collections.abc import Callable

from sim.buffered_port import BufferedPort
from sw.device.transport import HostLink
from sw.spec.protocol import CREDITS, REPLY, VERSION, Command, Frame, Status

DIGEST = b"kanloom!"

Answer = Callable[[Frame], bytes]


def greet(frame: Frame, version: int = VERSION, digest: bytes = DIGEST) -> bytes:
    """Return the encoded reply to a HELLO."""
    payload = bytes([version]) + digest + bytes([2, CREDITS]) + frame.payload + bytes([Status.OK])
    return Frame(Command.HELLO | REPLY, frame.sequence, payload).encode()


def replying(payload: bytes) -> Answer:
    """Return a board that greets, and answers everything else with `payload`."""
    return lambda frame: (
        greet(frame) if frame.type == Command.HELLO else Frame(frame.type | REPLY, frame.sequence, payload).encode()
    )


class ScriptedPort(BufferedPort):
    """A port that answers each request by a function; a read without an answer takes `timeout` of the clock `time`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.requests: list[Frame] = []
        self.time = 0.0
        self._answer = answer

    def read(self, size: int = 1, /) -> bytes:
        """Return the bytes that there are, at most `size`, and move the clock on."""
        data = super().read(size)
        self.time += 1e-4 if data else self.timeout or 0.0
        return data

    def write(self, data: bytes, /) -> int:
        """Take requests, and answer each of them."""
        for piece in filter(None, data.split(b"\x00")):
            self.requests.append(Frame.decode(piece))
            self.received += self._answer(self.requests[-1])
        return len(data)


def link_to(answer: Answer) -> tuple[HostLink, ScriptedPort]:
    """Return a link to a board, and its port."""
    port = ScriptedPort(answer)
    return HostLink(port, timeout=2.0, clock=lambda: port.time), port
