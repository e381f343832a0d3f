"""The serial port that the link runs on."""

from typing import Protocol

import serial

from sw.device.errors import LinkError


class SerialPort(Protocol):
    """What the link needs of a port: a part of pyserial's interface."""

    timeout: float | None
    write_timeout: float | None

    @property
    def in_waiting(self) -> int: ...
    def read(self, size: int, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...
    def reset_input_buffer(self) -> None: ...
    def close(self) -> None: ...


def open_port(path: str, baud: int) -> serial.Serial:
    """The serial port or pseudo-terminal `path`, for this program alone.

    Raises `LinkError` if it cannot be opened.
    """
    try:
        return serial.Serial(path, baud, exclusive=True)
    except (OSError, ValueError) as error:
        raise LinkError(f"cannot open the port {path!r} at {baud} baud: {error}") from error
