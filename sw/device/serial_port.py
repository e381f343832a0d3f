"""The serial port under the link."""

import errno
import os
from typing import Protocol

import serial

from sw.device.errors import LinkError
from sw.device.permission import refusal
from sw.spec.bounds import BAUD, DEFAULT_BAUD, check_whole


class SerialPort(Protocol):
    """The methods and attributes of pyserial's `serial.Serial` that the link uses.

    Attributes
    ----------
    timeout : float or None
        Seconds that `read` waits; None waits without end.
    write_timeout : float or None
        Seconds that `write` waits; None waits without end.
    """

    timeout: float | None
    write_timeout: float | None

    @property
    def in_waiting(self) -> int:
        """Number of bytes that `read` returns at once."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, or those that came within `timeout`."""

    def write(self, data: bytes, /) -> int | None:
        """Send `data`, and return the number of bytes."""

    def reset_input_buffer(self) -> None:
        """Discard the bytes that have not been read."""

    def close(self) -> None:
        """Close the port."""


def open_port(path: str, baud: int = DEFAULT_BAUD) -> serial.Serial:
    """Open a serial port or pseudo-terminal for this program alone.

    Parameters
    ----------
    path : str
        Such as `/dev/ttyUSB1`.
    baud : int
        Bits per second.

    Raises
    ------
    LinkError
        If the port cannot be opened; the message says why.
    ValueError
        For a baud rate beyond the bounds.
    """
    check_whole("baud", baud, *BAUD)
    try:
        return serial.Serial(path, baud, exclusive=True)
    except (OSError, ValueError) as error:
        raise LinkError(f"cannot open the port {path!r}: {_reason(path, baud, error)}") from error


def _reason(path: str, baud: int, error: Exception) -> str:
    """Say in the user's words why the operating system, or pyserial, refused a port."""
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return "there is no such port, or no device at it"
        case errno.EACCES | errno.EPERM:
            return refusal(path)
        case errno.EBUSY | errno.EAGAIN:
            return "it is in use by another program"
    if os.path.isfile(path) or os.path.isdir(path):
        return "it is a file or a folder, not a serial port"
    return f"it is no serial port, or one that cannot have {baud} baud"
