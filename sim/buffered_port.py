"""The common half of simulated serial ports: what the host reads waits in a buffer."""


class BufferedPort:
    """A serial port (`sw.device.serial_port.SerialPort`) whose other end is simulated.

    Parameters
    ----------
    received : bytearray, optional
        The buffer of the bytes that the host has yet to read; the other end appends to it. Made if not given.

    Attributes
    ----------
    timeout : float or None
        Seconds that `read` waits; None waits without end.
    write_timeout : float or None
        Never used: `write` does not wait.
    received : bytearray
        The buffer.
    """

    def __init__(self, received: bytearray | None = None) -> None:
        self.timeout: float | None = None
        self.write_timeout: float | None = None
        self.received = bytearray() if received is None else received

    @property
    def in_waiting(self) -> int:
        """Number of bytes that `read` returns at once."""
        return len(self.received)

    def read(self, size: int = 1, /) -> bytes:
        """Return `size` bytes, or those that came within `timeout`."""
        if len(self.received) < size:
            self._wait_for(size)
        data = bytes(self.received[:size])
        del self.received[:size]
        return data

    def write(self, data: bytes, /) -> int:
        """Hand `data` to the other end, and return the number of bytes; each subclass has its own way."""
        raise NotImplementedError

    def reset_input_buffer(self) -> None:
        """Discard the bytes that have not been read."""
        self.received.clear()

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _wait_for(self, size: int) -> None:
        """Let the other end work until there are `size` bytes, for at most `timeout`."""
