"""Reads and writes of a board's address spaces.

Several requests are on their way at once, and each is resent until it is answered; a WRITE is executed exactly once.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sw.device.errors import BoardResetError, BusyError, LinkError, NoAnswerError, RejectedError, WrongDeviceError
from sw.device.frame_port import FramePort
from sw.device.link_session import Greeting, LinkSession
from sw.device.link_statistics import LinkStatistics
from sw.device.resend_timer import ResendTimer
from sw.device.serial_port import SerialPort
from sw.spec.bounds import WAIT_SECONDS, check_real
from sw.spec.protocol import (
    ADDRESS_BYTES,
    REPLY,
    Command,
    Frame,
    Space,
    Status,
    max_read_words,
    max_write_words,
)


@dataclass
class _Pending:
    """A request, from when it is sent until its reply has been given to the caller."""

    command: Command
    payload: bytes
    sequence: int
    encoded: bytes
    sent_at: float = 0.0
    sends: int = 0
    reply: bytes | None = None


class HostLink:
    """The host's end of the link; a context manager that closes the port.

    A link session begins with the first access, or with `hello`. After any error the next access begins a new one.

    Parameters
    ----------
    port : SerialPort
        A `serial.Serial` or its like. Its time-outs are set, and its input is discarded.
    timeout : float
        Seconds without progress after which an access fails.
    resend_after : float
        Seconds of silence after which requests are resent; the link makes them more for a slow board.
    clock : Callable[[], float]
        Returns seconds that never go back. A simulation gives its own.

    Attributes
    ----------
    statistics : LinkStatistics
        Counts of what this end has seen.

    Raises
    ------
    LinkError
        By every method, within about `timeout`; the message says what is wrong.
    """

    def __init__(
        self,
        port: SerialPort,
        *,
        timeout: float = 5.0,
        resend_after: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_real("timeout", timeout, *WAIT_SECONDS)
        check_real("resend_after", resend_after, *WAIT_SECONDS)
        self.statistics = LinkStatistics()
        self._timeout = timeout
        self._clock = clock
        self._resend_after = resend_after
        self._digest: bytes | None = None
        self.reopen(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._frames.close()

    def reopen(self, port: SerialPort) -> None:
        """Go on with another port, to the same board; the port before must have been closed.

        Parameters
        ----------
        port : SerialPort
            As at first.
        """
        self._timer = ResendTimer(self._resend_after, self._timeout / 2)
        self._frames = FramePort(
            port,
            read_timeout=min(0.05, self._resend_after / 4),
            write_timeout=self._timeout,
            clock=self._clock,
            statistics=self.statistics,
        )
        self._session = LinkSession(
            self._frames, timer=self._timer, timeout=self._timeout, clock=self._clock, digest=self._digest
        )

    @property
    def sessions(self) -> int:
        """Link sessions that were begun, at this port and at those before."""
        return self.statistics.sessions

    def hello(self, digest: bytes | None = None) -> Greeting:
        """Begin a link session, and return the board's greeting.

        Parameters
        ----------
        digest : bytes, optional
            A board with another digest is refused, now and later.
        """
        self._digest = digest or self._digest
        return self._session.begin(digest)

    @property
    def word_bytes(self) -> int:
        """Bytes in a word of the board."""
        return self._session.greeting.word_bytes

    def read(self, space: Space, address: int, count: int) -> NDArray[np.uint32]:
        """Read consecutive words.

        Parameters
        ----------
        space : Space
            The address space.
        address : int
            Address of the first word.
        count : int
            Number of words.

        Returns
        -------
        numpy.ndarray
            Unsigned words, shape (count,).
        """
        word_bytes = self.word_bytes
        longest = max_read_words(word_bytes)
        replies = self._transact(
            (Command.READ, _target(space, start) + bytes([min(longest, address + count - start)]))
            for start in range(address, address + count, longest)
        )
        words = _words(b"".join(replies), word_bytes)
        if len(words) != count:
            raise WrongDeviceError(f"asked for {count} words at {address} of {space.name}, got {len(words)}")
        return words

    def write(
        self, space: Space, address: int, words: ArrayLike, progress: Callable[[int], object] = lambda count: None
    ) -> None:
        """Write consecutive words, in order and exactly once.

        Parameters
        ----------
        space : Space
            The address space.
        address : int
            Address of the first word.
        words : array_like
            Integers, signed or unsigned, of any shape.
        progress : Callable[[int], object], optional
            Called with the number of words that have been written since its last call.

        Raises
        ------
        ValueError
            For an address or a word that does not fit.
        """
        word_bytes = self.word_bytes
        data = _bytes(words, word_bytes)
        longest = max_write_words(word_bytes) * word_bytes
        chunks = [data[start : start + longest] for start in range(0, len(data), longest)]
        replies = self._transact(
            (Command.WRITE, _target(space, address + index * longest // word_bytes) + chunk)
            for index, chunk in enumerate(chunks)
        )
        for chunk, _ in zip(chunks, replies, strict=True):
            progress(len(chunk) // word_bytes)

    def _transact(self, requests: Iterable[tuple[Command, bytes]]) -> Iterator[bytes]:
        """Send requests of one kind; give the data of their replies in order."""
        with self._session.requests() as greeting:
            yield from self._window(iter(requests), greeting.credits)

    def _window(self, requests: Iterator[tuple[Command, bytes]], credits: int) -> Iterator[bytes]:
        """Keep at most `credits` requests on their way until all are answered."""
        waiting: deque[_Pending] = deque()
        rejected: int | None = None  # last sequence number of this round of NAKs
        progress_at = self._clock()
        while True:
            while len(waiting) < credits and (request := next(requests, None)):
                waiting.append(self._pend(*request))
                self._send([waiting[-1]])
            if not waiting:
                return
            for frame in self._frames.receive():
                pending = next((p for p in waiting if p.sequence == frame.sequence), None)
                if pending is None or frame.type != pending.command | REPLY or not frame.payload:
                    continue
                data, status = frame.payload[:-1], frame.payload[-1]
                if status == Status.OK:
                    rejected = None
                    self._accept(pending, data, waiting)
                elif status == Status.NAK:
                    self.statistics.naks += 1
                    _skip_executed(data[0], waiting)
                    # One lost request makes a NAK of each one behind it: resend once for all of them.
                    again = rejected is None or not 0 < (frame.sequence - rejected) % 256 < 128
                    rejected = frame.sequence
                    if again:
                        self._send(waiting)
                else:
                    raise _refusal(pending, status)
            while waiting and waiting[0].reply is not None:
                progress_at = self._clock()
                yield waiting.popleft().reply or b""
            if waiting and self._clock() - progress_at > self._timeout:
                raise NoAnswerError(
                    f"no progress for {self._timeout:g} s at {self._frames.name}; the board answered before"
                )
            if waiting and self._clock() - max(self._frames.heard_at, waiting[-1].sent_at) > self._timer.seconds:
                self.statistics.silences += 1
                if self._frames.heard_at < waiting[-1].sent_at:  # not noise, but a board that is slow or gone
                    self._timer.unanswered()
                self._send(waiting)

    def _pend(self, command: Command, payload: bytes) -> _Pending:
        sequence = self._session.next_sequence()
        self.statistics.requests += 1
        return _Pending(command, payload, sequence, Frame(command, sequence, payload).encode())

    def _send(self, requests: Iterable[_Pending]) -> None:
        """Send, or send again, those of the requests that are not answered."""
        for pending in requests:
            if pending.reply is None:
                self.statistics.resent += pending.sends > 0
                pending.sends += 1
                self._frames.send(pending.encoded)
                pending.sent_at = self._clock()

    def _accept(self, pending: _Pending, data: bytes, waiting: Iterable[_Pending]) -> None:
        """Take an OK. The board answers in order, so the requests before this one were executed or lost, too."""
        if pending.sends == 1:
            self._timer.answered(self._clock() - pending.sent_at)
        pending.reply = data
        for before in waiting:
            if before is pending:
                break
            if before.reply is None and pending.command is Command.WRITE:
                before.reply = b""
            elif before.reply is None and before.sends == 1:
                self._send([before])


def _skip_executed(expected: int, waiting: deque[_Pending]) -> None:
    """Count the WRITEs before the sequence number that the board expects as answered."""
    executed = (expected - waiting[0].sequence) % 256
    if executed > len(waiting):
        raise BoardResetError(
            f"the board expects request {expected}, not {waiting[0].sequence}: it lost the link session"
        )
    for pending in list(waiting)[:executed]:
        if pending.command is Command.WRITE:
            pending.reply = b""


def _target(space: Space, address: int) -> bytes:
    """Return the bytes of space and address in a request."""
    if not 0 <= address < 1 << 8 * ADDRESS_BYTES:
        raise ValueError(f"an address is 0 to {(1 << 8 * ADDRESS_BYTES) - 1}, not {address}")
    return bytes([space]) + address.to_bytes(ADDRESS_BYTES, "little")


def _refusal(pending: _Pending, status: int) -> LinkError:
    """Return the error of a request that was answered with a status other than OK and NAK."""
    space, address = pending.payload[0], int.from_bytes(pending.payload[1 : 1 + ADDRESS_BYTES], "little")
    request = f"{pending.command.name} at word {address} of {Space(space).name}"
    if status == Status.NO_SESSION:
        return BoardResetError(f"the board was reset before {request}: it has lost the link session")
    if status == Status.BUSY:
        return BusyError(f"{request} is refused while the board trains")
    name = Status(status).name if status in list(Status) else f"status {status}"
    return RejectedError(f"the board rejects {request}: {name}")


def _bytes(words: ArrayLike, word_bytes: int) -> bytes:
    values = np.asarray(words, dtype=np.int64).reshape(-1)
    bits = 8 * word_bytes
    outside = (values < -(1 << bits - 1)) | (values >= 1 << bits)
    if outside.any():
        raise ValueError(f"a word has {bits} bits; {values[outside][0]} does not fit")
    return values.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :word_bytes].tobytes()


def _words(data: bytes, word_bytes: int) -> NDArray[np.uint32]:
    whole = np.zeros((len(data) // word_bytes, 4), np.uint8)
    whole[:, :word_bytes] = np.frombuffer(data, np.uint8, len(whole) * word_bytes).reshape(-1, word_bytes)
    return whole.view("<u4").reshape(-1).astype(np.uint32)
