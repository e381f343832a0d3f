"""A UART in cocotb benches, 8N1.

A driver that can be off in frequency and break stop bits, a monitor that checks stop bits, and both behind the
interface of a serial port, so that the host's own software talks to the gateware in a bench.
"""

import random
from collections.abc import Container
from typing import Any

import cocotb
from cocotb.queue import Queue
from cocotb.task import resume
from cocotb.triggers import Event, FallingEdge, First, Timer
from cocotb.utils import get_sim_time

from sim.buffered_port import BufferedPort


async def _wait(nanoseconds: float) -> None:
    await Timer(nanoseconds, unit="ns", round_mode="round")


class UartDriver:
    """Sends bytes on a line.

    Parameters
    ----------
    line : cocotb handle
        An input of the gateware; high from now on.
    bit_ns : float
        Nominal time of a bit, in nanoseconds.
    baud_error : float
        The fraction by which bits are longer than `bit_ns`.

    Attributes
    ----------
    baud_error : float
        As the parameter; may be changed between bytes.
    """

    def __init__(self, line: Any, bit_ns: float, *, baud_error: float = 0.0) -> None:
        self.baud_error = baud_error
        self._line = line
        self._bit_ns = bit_ns
        line.value = 1

    async def send(self, data: bytes, *, broken: Container[int] = ()) -> None:
        """Send bytes without pauses.

        Parameters
        ----------
        data : bytes
            The bytes.
        broken : container of int
            Indices of bytes that have a low stop bit, and one high bit after it.
        """
        for index, byte in enumerate(data):
            levels = [0, *(byte >> place & 1 for place in range(8)), 1]
            if index in broken:
                levels[-1:] = [0, 1]
            for level in levels:
                self._line.value = level
                await _wait(self._bit_ns * (1 + self.baud_error))


class UartMonitor:
    """Receives what the gateware sends, for as long as the test lasts.

    Parameters
    ----------
    line : cocotb handle
        An output of the gateware.
    bit_ns : float
        Time of a bit, in nanoseconds.

    Attributes
    ----------
    received : bytearray
        The bytes; their reader removes them.
    broken : int
        Number of bytes whose stop bit was low. They are dropped.
    arrival : cocotb.triggers.Event
        Set at each byte.
    """

    def __init__(self, line: Any, bit_ns: float) -> None:
        self.received = bytearray()
        self.broken = 0
        self.arrival = Event()
        self._line = line
        self._bit_ns = bit_ns
        cocotb.start_soon(self._listen())

    async def _listen(self) -> None:
        while True:
            await FallingEdge(self._line)
            await _wait(self._bit_ns / 2)
            byte = 0
            for place in range(8):
                await _wait(self._bit_ns)
                byte |= int(self._line.value) << place
            await _wait(self._bit_ns)
            if int(self._line.value):
                self.received.append(byte)
                self.arrival.set()
            else:
                self.broken += 1


class UartPort(BufferedPort):
    """A serial port for software that runs in a `cocotb.task.bridge`; its time is the simulation's.

    Parameters
    ----------
    rx, tx : cocotb handle
        Lines of the gateware.
    bit_ns : float
        Time of a bit, in nanoseconds.
    seed : int
        Seed of the random numbers that choose the broken bytes.

    Attributes
    ----------
    broken_chance : float
        Probability that a byte on its way to the gateware has a low stop bit; 0 at first.
    """

    def __init__(self, rx: Any, tx: Any, bit_ns: float, *, seed: int = 0) -> None:
        self.broken_chance = 0.0
        self._random = random.Random(seed)
        self._driver = UartDriver(rx, bit_ns)
        self._monitor = UartMonitor(tx, bit_ns)
        self._outgoing: Queue[bytes] = Queue()
        super().__init__(self._monitor.received)
        cocotb.start_soon(self._transmit())

    @staticmethod
    def clock() -> float:
        """Return the simulated time in seconds."""
        return float(get_sim_time("sec"))

    def write(self, data: bytes, /) -> int:
        """Queue `data` for the line, and return the number of bytes."""
        self._outgoing.put_nowait(bytes(data))
        return len(data)

    @resume
    async def _wait_for(self, size: int) -> None:
        end = self.clock() + (float("inf") if self.timeout is None else self.timeout)
        while len(self.received) < size and (left := end - self.clock()) > 0:
            self._monitor.arrival.clear()
            arrival = self._monitor.arrival.wait()
            await (arrival if self.timeout is None else First(arrival, Timer(left, unit="sec", round_mode="ceil")))

    async def _transmit(self) -> None:
        while True:
            data = await self._outgoing.get()
            broken = {index for index in range(len(data)) if self._random.random() < self.broken_chance}
            await self._driver.send(data, broken=broken)
