"""Frames on a serial port."""

import contextlib
from collections.abc import Callable
from typing import Any

import serial

from sw.device.errors import NoAnswerError, UnpluggedError
from sw.device.link_statistics import LinkStatistics
from sw.device.serial_port import SerialPort
from sw.spec.protocol import CRC_BYTES, DELIMITER, ENCODED_BYTES, HEADER_BYTES, Frame, FrameError

SHORTEST = HEADER_BYTES + CRC_BYTES  # bytes of a frame, without its COBS code


class FramePort:
    """Sends and receives the protocol's frames; damaged ones are dropped and counted.

    Parameters
    ----------
    port : SerialPort
        A `serial.Serial` or its like. Its time-outs are set, and its input is discarded; it is closed if that fails.
    read_timeout, write_timeout : float
        Seconds that `receive` waits for a byte, and that `send` waits for the port.
    clock : Callable[[], float]
        Returns seconds that never go back.
    statistics : LinkStatistics
        Counts the damaged frames.

    Attributes
    ----------
    statistics : LinkStatistics
        As given.
    heard_at : float
        When a byte came last, in seconds of `clock`; at first, minus infinity.
    spoken_at : float
        When a byte came last that may have been one of a frame, likewise: of endless noise, only the first are.

    Raises
    ------
    UnpluggedError
        By every method, if the port is gone.
    NoAnswerError
        By `send`, if the port accepts no data within `write_timeout`.
    """

    def __init__(
        self,
        port: SerialPort,
        *,
        read_timeout: float,
        write_timeout: float,
        clock: Callable[[], float],
        statistics: LinkStatistics,
    ) -> None:
        self.heard_at = self.spoken_at = float("-inf")
        self._port = port
        self._clock = clock
        self.statistics = statistics
        self._buffer = bytearray()
        self._unframed = 0  # bytes since the last whole frame
        try:
            self._guard(lambda: self._prepare(read_timeout, write_timeout))
        except BaseException:
            port.close()
            raise

    @property
    def name(self) -> str:
        """The port's name, for messages."""
        return str(getattr(self._port, "name", None) or "the port")

    @property
    def noise(self) -> int:
        """Bytes since the last whole frame."""
        return self._unframed

    def close(self) -> None:
        """Close the port; one that is gone is closed."""
        with contextlib.suppress(OSError):
            self._port.close()

    def send(self, encoded: bytes) -> None:
        """Send an encoded frame."""
        # The delimiter in front ends whatever the line's noise has begun.
        self._guard(lambda: self._port.write(DELIMITER + encoded))

    def receive(self) -> list[Frame]:
        """Return the frames that have come, after a short wait."""
        received = self._guard(lambda: self._port.read(max(1, self._port.in_waiting)))
        if not received:
            return []
        self.heard_at = self._clock()
        self._unframed += len(received)
        self._buffer += received
        *encoded, self._buffer = self._buffer.split(DELIMITER)
        if len(self._buffer) >= 2 * ENCODED_BYTES:
            del self._buffer[:-ENCODED_BYTES]
            self.statistics.damaged += 1
        frames = []
        for piece in filter(None, encoded):
            if frame := _decoded(bytes(piece)):
                frames.append(frame)
                self._unframed = 0
            else:
                self.statistics.damaged += 1
        if self._unframed <= 2 * ENCODED_BYTES:
            self.spoken_at = self.heard_at
        return frames

    def _prepare(self, read_timeout: float, write_timeout: float) -> None:
        self._port.timeout, self._port.write_timeout = read_timeout, write_timeout
        self._port.reset_input_buffer()

    def _guard(self, action: Callable[[], Any]) -> Any:
        """Call `action`, and turn the port's errors into the link's."""
        try:
            return action()
        except serial.SerialTimeoutException as error:
            raise NoAnswerError(f"{self.name} accepts no data: {error}") from error
        except OSError as error:
            raise UnpluggedError(f"{self.name} is gone: {error}") from error


def _decoded(piece: bytes) -> Frame | None:
    """Return the frame at the end of a piece between two delimiters: the line may have had noise before it.

    Each attempt lets a wrong frame pass as rarely as any does, one in 2^32, and the link takes none but the reply that
    it waits for.
    """
    for start in range(max(0, len(piece) - ENCODED_BYTES + 1), max(1, len(piece) - SHORTEST)):
        try:
            return Frame.decode(piece[start:])
        except FrameError:
            pass
    return None
