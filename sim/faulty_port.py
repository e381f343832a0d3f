"""A serial port that damages what passes through it."""

import random
from dataclasses import dataclass
from typing import Any

from sw.device.serial_port import SerialPort


@dataclass(frozen=True)
class FaultRates:
    """Probabilities of the faults of a byte.

    Attributes
    ----------
    flip : float
        One bit of the byte is inverted.
    drop : float
        The byte is lost.
    duplicate : float
        The byte comes twice.
    """

    flip: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0


@dataclass
class FaultCount:
    """Numbers of faults so far.

    Attributes
    ----------
    flipped, dropped, duplicated : int
        Bytes with a fault of each kind of `FaultRates`.
    """

    flipped: int = 0
    dropped: int = 0
    duplicated: int = 0


class FaultyPort:
    """A port that passes bytes on to another port, and damages some of them in both directions.

    The same seed and traffic give the same damage.

    Parameters
    ----------
    port : SerialPort
        The port that the bytes are passed on to.
    rates : FaultRates
        Probabilities of the faults.
    seed : int
        Seed of the random numbers that choose the faults.

    Attributes
    ----------
    sent, received : FaultCount
        Faults in bytes written and in bytes read.
    enabled : bool
        Whether bytes are damaged; True at first.
    """

    def __init__(self, port: SerialPort, rates: FaultRates, *, seed: int) -> None:
        self.sent, self.received = FaultCount(), FaultCount()
        self.enabled = True
        self._port = port
        self._rates = rates
        # One generator a direction: how reads are cut into pieces must not change the faults of writes.
        self._write_random, self._read_random = random.Random(f"{seed} write"), random.Random(f"{seed} read")
        self._surplus = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    @property
    def timeout(self) -> float | None:
        """Seconds that `read` waits."""
        return self._port.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._port.timeout = seconds

    @property
    def write_timeout(self) -> float | None:
        """Seconds that `write` waits."""
        return self._port.write_timeout

    @write_timeout.setter
    def write_timeout(self, seconds: float | None) -> None:
        self._port.write_timeout = seconds

    @property
    def in_waiting(self) -> int:
        """Number of bytes that `read` returns at once, if none of them is dropped or duplicated."""
        return len(self._surplus) + self._port.in_waiting

    def read(self, size: int = 1, /) -> bytes:
        """Return at most `size` bytes; a dropped byte makes them fewer."""
        data = self._surplus
        if len(data) < size:
            data += self._damage(self._port.read(size - len(data)), self.received, self._read_random)
        self._surplus = data[size:]
        return data[:size]

    def write(self, data: bytes, /) -> int:
        """Write `data`, and return its length, whatever the faults."""
        self._port.write(self._damage(bytes(data), self.sent, self._write_random))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Discard the bytes that have not been read."""
        self._surplus = b""
        self._port.reset_input_buffer()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _damage(self, data: bytes, count: FaultCount, generator: random.Random) -> bytes:
        if not self.enabled:
            return data
        damaged = bytearray()
        for byte in data:
            chance = generator.random()
            if chance < self._rates.drop:
                count.dropped += 1
                continue
            chance -= self._rates.drop
            if chance < self._rates.flip:
                count.flipped += 1
                byte ^= 1 << generator.randrange(8)
            elif chance - self._rates.flip < self._rates.duplicate:
                count.duplicated += 1
                damaged.append(byte)
            damaged.append(byte)
        return bytes(damaged)
