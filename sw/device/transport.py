"""The host's end of the link: windowed requests, resent until they are answered, each WRITE executed exactly once."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import serial
from numpy.typing import ArrayLike, NDArray

from sw.device.errors import (
    BoardResetError,
    BusyError,
    LinkError,
    NoAnswerError,
    RejectedError,
    UnpluggedError,
    WrongDeviceError,
)
from sw.device.serial_port import SerialPort
from sw.spec.protocol import (
    ADDRESS_BYTES,
    DELIMITER,
    DIGEST_BYTES,
    ENCODED_BYTES,
    NONCE_BYTES,
    REPLY,
    VERSION,
    Command,
    Frame,
    FrameError,
    Space,
    Status,
    max_read_words,
    max_write_words,
)
from sw.spec.registers import REGISTERS, RegisterTable


@dataclass(frozen=True)
class Greeting:
    """What a board says of itself: digest of its configuration, bytes in a word, and requests it takes at once."""

    digest: bytes
    word_bytes: int
    credits: int


@dataclass
class LinkStatistics:
    """What the host's end has seen."""

    requests: int = 0
    resent: int = 0
    naks: int = 0
    silences: int = 0
    damaged: int = 0


@dataclass
class _Pending:
    command: Command
    payload: bytes
    sequence: int
    encoded: bytes
    sent_at: float = 0.0
    sends: int = 0
    reply: bytes | None = None


class HostLink:
    """Reads and writes the board's address spaces; a context manager that closes the port.

    A session begins with the first access, or with `hello`. It begins anew after any error.

    Parameters
    ----------
    port : SerialPort
        A `serial.Serial` or its like. Its time-outs are set, its input is discarded.
    timeout : float
        Seconds without progress after which an access fails.
    patience : float
        Seconds of silence after which requests are resent; grows for slow boards.
    clock : Callable[[], float]
        Seconds that never go back. A simulation gives its own.

    Attributes
    ----------
    registers : RegisterTable
        The board's; at first those of every board.

    Every method raises a `LinkError` that says what is wrong, within about `timeout`.
    """

    def __init__(
        self,
        port: SerialPort,
        *,
        timeout: float = 5.0,
        patience: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.statistics = LinkStatistics()
        self.registers: RegisterTable = REGISTERS
        self._port = port
        self._timeout = timeout
        self._least_patience = self._patience = patience
        self._clock = clock
        self._buffer = bytearray()
        self._heard_at = float("-inf")
        self._digest: bytes | None = None
        self._greeting: Greeting | None = None
        self._next = 0
        self._guard(self._prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def hello(self, digest: bytes | None = None) -> Greeting:
        """Begin a session; a board with another digest is refused, now and later."""
        self._digest = digest or self._digest
        self._greeting = None
        nonces: list[bytes] = []
        begun = self._clock()
        frames = 0
        while self._clock() - begun < self._timeout:
            nonces.append(secrets.token_bytes(NONCE_BYTES))
            self._send(Frame(Command.HELLO, 0, nonces[-1]).encode())
            sent = self._clock()
            while self._clock() - sent < self._patience:
                for frame in self._receive():
                    frames += 1
                    if frame.type == Command.HELLO | REPLY and frame.payload[-1 - NONCE_BYTES : -1] in nonces:
                        self._greeting = self._check_greeting(frame.payload)
                        self._next = 0
                        return self._greeting
            self._patience = min(2 * self._patience, self._timeout / 2)
        if frames or self._heard_at >= begun:
            raise WrongDeviceError(
                f"the device at {self._name} answers, but not as a kanloom board (or at another baud)"
            )
        raise NoAnswerError(
            f"no answer from {self._name} within {self._timeout:g} s: is this the board's port, is the board powered, "
            "is its bitstream loaded, and is the baud rate right?"
        )

    def read(self, space: Space, address: int, count: int) -> NDArray[np.uint32]:
        """`count` words of `space` from word `address` on, shape (count,), unsigned."""
        word_bytes = self._session().word_bytes
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
        """Write words, signed or unsigned, to `space` from word `address` on, in order and exactly once.

        `progress` is called with the number of words that have been written since its last call.
        """
        word_bytes = self._session().word_bytes
        data = _bytes(words, word_bytes)
        longest = max_write_words(word_bytes) * word_bytes
        chunks = [data[start : start + longest] for start in range(0, len(data), longest)]
        replies = self._transact(
            (Command.WRITE, _target(space, address + index * longest // word_bytes) + chunk)
            for index, chunk in enumerate(chunks)
        )
        for chunk, _ in zip(chunks, replies, strict=True):
            progress(len(chunk) // word_bytes)

    def read_register(self, name: str) -> int:
        """The unsigned value of register `name`."""
        return self.read_registers(name)[name]

    def read_registers(self, *names: str) -> dict[str, int]:
        """The unsigned values of registers that follow each other in the table, in one request, the first one first."""
        words = iter(self.read(Space.REGISTERS, *self._span(names, "r")))
        return {
            name: sum(int(next(words)) << self._word_bits * place for place in range(self.registers[name].words))
            for name in names
        }

    def write_register(self, name: str, value: int) -> None:
        """Set register `name` to the unsigned `value`."""
        self.write_registers({name: value})

    def write_registers(self, values: Mapping[str, int]) -> None:
        """Set registers that follow each other in the table to unsigned values, in one request, the first one first."""
        address, _ = self._span(list(values), "w")
        words = []
        for name, value in values.items():
            register, bits = self.registers[name], self._word_bits
            if not 0 <= value < 1 << register.bits:
                raise ValueError(f"register {name!r} has {register.bits} bits; {value} does not fit")
            words += [value >> bits * place & (1 << bits) - 1 for place in range(register.words)]
        self.write(Space.REGISTERS, address, words)

    def _span(self, names: Sequence[str], access: str) -> tuple[int, int]:
        """The address of registers that follow each other, and the number of their words."""
        begin = end = self.registers.address(names[0])
        for name in names:
            if self.registers[name].access != access:
                raise ValueError(f"register {name!r} cannot be {'read' if access == 'r' else 'written'}")
            if self.registers.address(name) != end:
                raise ValueError(f"register {name!r} does not follow the one before it in {', '.join(names)}")
            end += self.registers[name].words
        return begin, end - begin

    @property
    def _word_bits(self) -> int:
        return 8 * self._session().word_bytes

    @property
    def _name(self) -> str:
        return str(getattr(self._port, "name", None) or "the port")

    def _session(self) -> Greeting:
        return self._greeting or self.hello()

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

    def _transact(self, requests: Iterable[tuple[Command, bytes]]) -> Iterator[bytes]:
        """Send requests of one kind; give the data of their replies in order."""
        credits = self._session().credits
        self._greeting, greeting = None, self._greeting  # an exception from here on leaves no session
        waiting: deque[_Pending] = deque()
        rest = iter(requests)
        rejected: int | None = None  # last sequence number of this round of NAKs
        progress_at = self._clock()
        while True:
            while len(waiting) < credits and (request := next(rest, None)):
                waiting.append(self._pend(*request))
                self._send_pending([waiting[-1]])
            if not waiting:
                self._greeting = greeting
                return
            for frame in self._receive():
                pending = next((p for p in waiting if p.sequence == frame.sequence), None)
                if pending is None or frame.type != pending.command | REPLY or not frame.payload:
                    continue
                data, status = frame.payload[:-1], frame.payload[-1]
                if status == Status.OK:
                    rejected = None
                    self._accept(pending, data, waiting)
                elif status == Status.NAK:
                    self.statistics.naks += 1
                    self._skip_executed(data[0], waiting)
                    # One lost request makes a NAK of each one behind it: resend once for all of them.
                    again = rejected is None or not 0 < (frame.sequence - rejected) % 256 < 128
                    rejected = frame.sequence
                    if again:
                        self._send_pending(waiting)
                else:
                    raise _refusal(pending, status)
            while waiting and waiting[0].reply is not None:
                progress_at = self._clock()
                yield waiting.popleft().reply or b""
            if waiting and self._clock() - progress_at > self._timeout:
                raise NoAnswerError(f"no progress for {self._timeout:g} s at {self._name}; the board answered before")
            if waiting and self._clock() - max(self._heard_at, waiting[-1].sent_at) > self._patience:
                self.statistics.silences += 1
                if self._heard_at < waiting[-1].sent_at:  # not noise, but a board that is slow or gone
                    self._patience = min(2 * self._patience, self._timeout / 2)
                self._send_pending(waiting)

    def _pend(self, command: Command, payload: bytes) -> _Pending:
        sequence = self._next
        self._next = (sequence + 1) % 256
        self.statistics.requests += 1
        return _Pending(command, payload, sequence, Frame(command, sequence, payload).encode())

    def _send_pending(self, batch: Iterable[_Pending]) -> None:
        for pending in batch:
            if pending.reply is None:
                self.statistics.resent += pending.sends > 0
                pending.sends += 1
                self._send(pending.encoded)
                pending.sent_at = self._clock()

    def _accept(self, pending: _Pending, data: bytes, waiting: Iterable[_Pending]) -> None:
        """Take an OK: the board answers in order, so that it tells something of all requests before it, too."""
        if pending.sends == 1:
            elapsed = self._clock() - pending.sent_at
            self._patience = min(max(self._least_patience, 4 * elapsed), self._timeout / 2)
        pending.reply = data
        for before in waiting:
            if before is pending:
                break
            if before.reply is None and pending.command is Command.WRITE:
                before.reply = b""
            elif before.reply is None and before.sends == 1:
                self._send_pending([before])

    def _skip_executed(self, expected: int, waiting: deque[_Pending]) -> None:
        executed = (expected - waiting[0].sequence) % 256
        if executed > len(waiting):
            raise BoardResetError(
                f"the board expects request {expected}, not {waiting[0].sequence}: it lost the session"
            )
        for pending in list(waiting)[:executed]:
            if pending.command is Command.WRITE:
                pending.reply = b""

    def _prepare(self) -> None:
        self._port.timeout = min(0.05, self._least_patience / 4)
        self._port.write_timeout = self._timeout
        self._port.reset_input_buffer()

    def _send(self, encoded: bytes) -> None:
        # The delimiter in front ends whatever the line's noise has begun.
        self._guard(lambda: self._port.write(DELIMITER + encoded))

    def _receive(self) -> list[Frame]:
        """The frames that have come, after a short wait."""
        received = self._guard(lambda: self._port.read(max(1, self._port.in_waiting)))
        if not received:
            return []
        self._heard_at = self._clock()
        self._buffer += received
        *encoded, rest = self._buffer.split(DELIMITER)
        self._buffer = rest
        if len(self._buffer) >= ENCODED_BYTES:
            self._buffer.clear()
            self.statistics.damaged += 1
        frames = []
        for piece in filter(None, encoded):
            try:
                frames.append(Frame.decode(bytes(piece)))
            except FrameError:
                self.statistics.damaged += 1
        return frames

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except serial.SerialTimeoutException as error:
            raise NoAnswerError(f"{self._name} accepts no data: {error}") from error
        except OSError as error:
            raise UnpluggedError(f"{self._name} is gone: {error}") from error


def _target(space: Space, address: int) -> bytes:
    if not 0 <= address < 1 << 8 * ADDRESS_BYTES:
        raise ValueError(f"an address is 0 to {(1 << 8 * ADDRESS_BYTES) - 1}, not {address}")
    return bytes([space]) + address.to_bytes(ADDRESS_BYTES, "little")


def _refusal(pending: _Pending, status: int) -> LinkError:
    space, address = pending.payload[0], int.from_bytes(pending.payload[1 : 1 + ADDRESS_BYTES], "little")
    what = f"{pending.command.name} at word {address} of {Space(space).name}"
    if status == Status.NO_SESSION:
        return BoardResetError(f"the board was reset before {what}: it has lost the session")
    if status == Status.BUSY:
        return BusyError(f"{what} is refused while the board trains")
    name = Status(status).name if status in list(Status) else f"status {status}"
    return RejectedError(f"the board rejects {what}: {name}")


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
