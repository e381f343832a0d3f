"""Reads and writes of a board's address spaces.

Several requests are on their way at once, and each is resent until it is answered; a WRITE is executed exactly once.
Where long requests do not pass, they are split.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sw.device.errors import BoardResetError, BusyError, LinkError, NoAnswerError, RejectedError
from sw.device.frame_port import FramePort
from sw.device.link_session import Greeting, LinkSession
from sw.device.link_statistics import LinkStatistics
from sw.device.request_size import RequestSize
from sw.device.resend_timer import ResendTimer
from sw.device.serial_port import SerialPort
from sw.spec.bounds import WAIT_SECONDS, check_real
from sw.spec.protocol import (
    ADDRESS_BYTES,
    MAX_PAYLOAD,
    REPLY,
    Command,
    Frame,
    Space,
    Status,
    max_read_words,
    max_write_words,
)

Payload = Callable[[int, int], bytes]
"""Gives the payload of a request for words of a transfer: from a word on, so many."""


@dataclass
class _Pending:
    """A request for `words` words of a transfer from word `position` on, until its reply was given to the caller."""

    command: Command
    payload: bytes
    position: int
    words: int
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
        self._size = RequestSize()
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

    @property
    def shortened(self) -> int:
        """Times at which requests were made shorter, since long ones did not pass."""
        return self._size.shortened

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

        def payload(position: int, words: int) -> bytes:
            return _target(space, address + position) + bytes([words])

        replies = self._transact(Command.READ, payload, count, max_read_words(word_bytes))
        return _words(b"".join(data for _, data in replies), word_bytes)

    def write(
        self, space: Space, address: int, words: ArrayLike, progress: Callable[[int], object] = lambda count: None
    ) -> None:
        """Write consecutive words, in order and exactly once; up to `LEAST_WORDS` are one request.

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

        def payload(position: int, count: int) -> bytes:
            return _target(space, address + position) + data[position * word_bytes : (position + count) * word_bytes]

        for count, _ in self._transact(Command.WRITE, payload, len(data) // word_bytes, max_write_words(word_bytes)):
            progress(count)

    def _transact(self, command: Command, payload: Payload, total: int, longest: int) -> Iterator[tuple[int, bytes]]:
        """Transfer `total` words by requests of at most `longest`; give words and data of their replies in order."""
        with self._session.requests() as greeting:
            yield from self._window(command, payload, total, longest, greeting)

    def _window(
        self, command: Command, payload: Payload, total: int, longest: int, greeting: Greeting
    ) -> Iterator[tuple[int, bytes]]:
        """Keep as many requests on their way as the board has credits until all are answered."""
        waiting: deque[_Pending] = deque()
        split: list[_Pending] = []  # requests that were split: replies to them may still come
        position = 0
        rejected: int | None = None  # last sequence number of this round of NAKs
        progress_at = self._clock()
        while True:
            while len(waiting) < greeting.credits and position < total:
                words = min(self._size.words(longest), total - position)
                waiting.append(self._pend(command, payload, position, words, split))
                position += waiting[-1].words
                self._send([waiting[-1]])
            if not waiting:
                return
            for frame in self._frames.receive():
                pending = next((p for p in waiting if p.sequence == frame.sequence), None)
                if pending is None or frame.type != pending.command | REPLY or not frame.payload:
                    continue
                data, status = frame.payload[:-1], frame.payload[-1]
                if status == Status.OK:
                    if command is Command.READ and len(data) != pending.words * greeting.word_bytes:
                        continue  # of a request that was split
                    rejected = None
                    self._accept(pending, data, waiting)
                elif status == Status.NAK and data:
                    self.statistics.naks += 1
                    self._timer.answered()
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
                done = waiting.popleft()
                self._size.answered(done.sends)
                self._timer.noisy = self._size.short
                yield done.words, done.reply or b""
            if not waiting:
                continue
            if self._clock() - progress_at > self._timeout:
                raise NoAnswerError(
                    f"no progress for {self._timeout:g} s at {self._frames.name}; the board answered before"
                )
            if self._clock() - max(self._frames.spoken_at, waiting[-1].sent_at) > self._timer.seconds:
                self.statistics.silences += 1
                self._timer.unanswered()
                self._send(waiting)
            if self._size.shorten(waiting[0].words, waiting[0].sends, longest):
                # Those that the board has executed cover at least what the shorter ones of the same numbers ask for.
                split += waiting
                self._timer.noisy = True
                self._timer.restart()
                position, rejected = waiting[0].position, None
                self._session.rewind(waiting[0].sequence)
                waiting.clear()

    def _pend(self, command: Command, payload: Payload, position: int, words: int, earlier: list[_Pending]) -> _Pending:
        """Make a request of `words` words, or of as many as tell its reply from those to `earlier` ones."""
        sequence = self._session.next_sequence()
        if command is Command.READ:
            taken = {old.words for old in earlier if old.sequence == sequence and old.position != position}
            words = next(each for each in (*range(words, 0, -1), *range(words + 1, MAX_PAYLOAD)) if each not in taken)
        self.statistics.requests += 1
        data = payload(position, words)
        return _Pending(command, data, position, words, sequence, Frame(command, sequence, data).encode())

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
        self._timer.answered(self._clock() - pending.sent_at if pending.sends == 1 else None)
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
