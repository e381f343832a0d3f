"""The link session: the agreement of host and board that HELLO makes."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sw.device.errors import NoAnswerError, WrongDeviceError
from sw.device.frame_port import FramePort
from sw.device.resend_timer import ResendTimer
from sw.spec.protocol import DIGEST_BYTES, NONCE_BYTES, REPLY, VERSION, Command, Frame

NOISE = 2000  # bytes without a frame, beyond what a device that says something else would say


@dataclass(frozen=True)
class Greeting:
    """A board's description of itself.

    Attributes
    ----------
    digest : bytes
        Digest of the board's configuration.
    word_bytes : int
        Bytes in a word.
    credits : int
        Number of requests that the board holds at once.
    """

    digest: bytes
    word_bytes: int
    credits: int


class LinkSession:
    """The board's greeting and the sequence numbers of requests, from a HELLO to the next error.

    Parameters
    ----------
    frames : FramePort
        The board is at its other end.
    timer : ResendTimer
        The time after which a HELLO is repeated.
    timeout : float
        Seconds without a greeting after which `begin` fails.
    clock : Callable[[], float]
        Returns seconds that never go back.
    digest : bytes, optional
        A board with another digest is refused.
    """

    def __init__(
        self,
        frames: FramePort,
        *,
        timer: ResendTimer,
        timeout: float,
        clock: Callable[[], float],
        digest: bytes | None = None,
    ) -> None:
        self._frames = frames
        self._timer = timer
        self._timeout = timeout
        self._clock = clock
        self._digest = digest
        self._greeting: Greeting | None = None
        self._sequence = 0

    def begin(self, digest: bytes | None = None) -> Greeting:
        """Begin a link session.

        Parameters
        ----------
        digest : bytes, optional
            A board with another digest is refused, by this call and by all later ones.

        Raises
        ------
        NoAnswerError
            If nothing answers within the time-out.
        WrongDeviceError
            If something answers that is not the board that is meant.
        """
        self._digest = digest or self._digest
        self._greeting = None
        nonces: list[bytes] = []
        begun = self._clock()
        answered = False
        while self._clock() - begun < self._timeout:
            nonces.append(secrets.token_bytes(NONCE_BYTES))
            self._frames.send(Frame(Command.HELLO, 0, nonces[-1]).encode())
            sent = self._clock()
            while self._clock() - sent < min(self._timer.seconds, self._timeout / 10):
                for frame in self._frames.receive():
                    answered = True
                    if frame.type == Command.HELLO | REPLY and frame.payload[-1 - NONCE_BYTES : -1] in nonces:
                        self._greeting = self._check_greeting(frame.payload)
                        self._sequence = 0
                        self._timer.restart()
                        self._frames.statistics.sessions += 1
                        return self._greeting
            self._timer.unanswered()
        noise = self._frames.noise
        if answered or self._frames.heard_at >= begun:
            raise WrongDeviceError(
                f"the device at {self._frames.name} answers, but not as a kanloom board (or at another baud"
                + (f"; {noise:,} bytes came without a frame, as if nothing drove the line)" if noise > NOISE else ")")
            )
        raise NoAnswerError(
            f"no answer from {self._frames.name} within {self._timeout:g} s: is this the board's port, is the board "
            "powered, is its bitstream loaded, and is the baud rate right?"
        )

    @property
    def greeting(self) -> Greeting:
        """The board's greeting; a link session is begun if there is none."""
        return self._greeting or self.begin()

    @contextlib.contextmanager
    def requests(self) -> Iterator[Greeting]:
        """Give the greeting to a block that sends requests; an exception in the block ends the link session."""
        greeting, self._greeting = self.greeting, None
        yield greeting
        self._greeting = greeting

    def next_sequence(self) -> int:
        """Return the sequence number of the next request."""
        sequence, self._sequence = self._sequence, (self._sequence + 1) % 256
        return sequence

    def rewind(self, sequence: int) -> None:
        """Give the next request a sequence number that an unanswered one has had."""
        self._sequence = sequence

    def _check_greeting(self, payload: bytes) -> Greeting:
        version = payload[0]
        if version != VERSION:
            raise WrongDeviceError(f"the board speaks version {version} of the protocol, this program {VERSION}")
        greeting = Greeting(payload[1 : 1 + DIGEST_BYTES], payload[1 + DIGEST_BYTES], payload[2 + DIGEST_BYTES])
        if self._digest not in (None, greeting.digest):
            raise WrongDeviceError(
                f"the board's configuration has the digest {greeting.digest.hex()}, not {self._digest.hex()}"
            )
        return greeting
