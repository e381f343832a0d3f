"""A serial port that damages what passes through it."""

import random
import time
from dataclasses import dataclass
from typing import Any

from sw.device.serial_port import SerialPort

BURST_READS = 256


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
    insert : float
        A random byte comes after it.
    burst : float
        A burst of random bytes comes after it.
    burst_bytes : int
        Length of the longest burst of writes; those of reads are up to BURST_READS times as long.
    lose : float
        Probability, of what is read at once, that it is lost.
    hold : float
        Probability, likewise, that it comes late.
    hold_seconds : float
        The longest such time.
    """

    flip: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0
    insert: float = 0.0
    burst: float = 0.0
    burst_bytes: int = 4096
    lose: float = 0.0
    hold: float = 0.0
    hold_seconds: float = 1.0


@dataclass
class FaultCount:
    """Numbers of faults so far.

    Attributes
    ----------
    flipped, dropped, duplicated, inserted : int
        Bytes with a fault of each kind of `FaultRates`.
    bursts : int
        Bursts, whatever their lengths.
    lost, held : int
        Reads that were lost, and that came late.
    """

    flipped: int = 0
    dropped: int = 0
    duplicated: int = 0
    inserted: int = 0
    bursts: int = 0
    lost: int = 0
    held: int = 0


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
    written : int
        Bytes that were to be written, without the faults.
    enabled : bool
        Whether bytes are damaged; True at first.
    """

    def __init__(self, port: SerialPort, rates: FaultRates, *, seed: int) -> None:
        self.sent, self.received = FaultCount(), FaultCount()
        self.enabled = True
        self.written = 0
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
            data += self._damage(self._late(self._port.read(size - len(data))), self.received, self._read_random)
        self._surplus = data[size:]
        return data[:size]

    def write(self, data: bytes, /) -> int:
        """Write `data`, and return its length, whatever the faults."""
        self.written += len(data)
        self._port.write(self._damage(bytes(data), self.sent, self._write_random))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Discard the bytes that have not been read."""
        self._surplus = b""
        self._port.reset_input_buffer()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _late(self, data: bytes) -> bytes:
        """Lose what was read at once, or give it later."""
        if data and self.enabled and self._rates.lose + self._rates.hold:
            chance = self._read_random.random()
            if chance < self._rates.lose:
                self.received.lost += 1
                return b""
            if chance - self._rates.lose < self._rates.hold:
                self.received.held += 1
                time.sleep(self._rates.hold_seconds * self._read_random.random())
        return data

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
            elif (chance := chance - self._rates.flip) < self._rates.duplicate:
                count.duplicated += 1
                damaged.append(byte)
            elif (chance := chance - self._rates.duplicate) < self._rates.insert:
                count.inserted += 1
                damaged.append(generator.randrange(256))
            elif chance - self._rates.insert < self._rates.burst:
                longest = self._rates.burst_bytes * (BURST_READS if count is self.received else 1)
                burst = generator.randbytes(generator.randint(1, longest))
                count.bursts += 1
                damaged += burst
            damaged.append(byte)
        return bytes(damaged)
