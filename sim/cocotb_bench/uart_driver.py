"""A UART in cocotb benches, 8N1: a driver that can be off in frequency and break stop bits, a monitor that checks them,
and both behind the interface of a serial port, so that the host's own software talks to the gateware in a bench."""

import random
from collections.abc import Container
from typing import Any

import cocotb
from cocotb.queue import Queue
from cocotb.task import resume
from cocotb.triggers import Event, FallingEdge, First, Timer
from cocotb.utils import get_sim_time


async def _wait(nanoseconds: float) -> None:
    await Timer(nanoseconds, unit="ns", round_mode="round")


class UartDriver:
    """Sends bytes on a line.

    Parameters
    ----------
    line: of the gateware; high from now on.
    bit_ns: nominal time of a bit.
    baud_error: by how much the bits are longer, as a share; may be changed between bytes.
    """

    def __init__(self, line: Any, bit_ns: float, *, baud_error: float = 0.0) -> None:
        self.baud_error = baud_error
        self._line = line
        self._bit_ns = bit_ns
        line.value = 1

    async def send(self, data: bytes, *, broken: Container[int] = ()) -> None:
        """Send bytes without pauses. Those numbered in `broken` have a low stop bit, and a bit of rest after it."""
        for index, byte in enumerate(data):
            levels = [0, *(byte >> place & 1 for place in range(8)), 1]
            if index in broken:
                levels[-1:] = [0, 1]
            for level in levels:
                self._line.value = level
                await _wait(self._bit_ns * (1 + self.baud_error))


class UartMonitor:
    """Receives what the gateware sends, for as long as the test lasts.

    Attributes
    ----------
    received: the bytes; whoever uses them removes them.
    broken: number of bytes whose stop bit was low. They are dropped.
    arrival: set at each byte.
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


class UartPort:
    """A serial port (`sw.device.serial_port.SerialPort`) for software that runs in a `cocotb.task.bridge`; time is the
    simulation's.

    Parameters
    ----------
    rx, tx: lines of the gateware.
    bit_ns: time of a bit.
    broken_chance: probability that a byte on its way to the gateware has a low stop bit.
    seed: of these faults.
    """

    def __init__(self, rx: Any, tx: Any, bit_ns: float, *, broken_chance: float = 0.0, seed: int = 0) -> None:
        self.timeout: float | None = None
        self.write_timeout: float | None = None
        self.broken_chance = broken_chance
        self._random = random.Random(seed)
        self._driver = UartDriver(rx, bit_ns)
        self._monitor = UartMonitor(tx, bit_ns)
        self._outgoing: Queue[bytes] = Queue()
        cocotb.start_soon(self._transmit())

    @staticmethod
    def clock() -> float:
        """Simulated seconds."""
        return float(get_sim_time("sec"))

    @property
    def in_waiting(self) -> int:
        return len(self._monitor.received)

    def read(self, size: int = 1, /) -> bytes:
        received = self._monitor.received
        if len(received) < size:
            self._receive(size)
        data = bytes(received[:size])
        del received[:size]
        return data

    def write(self, data: bytes, /) -> int:
        self._outgoing.put_nowait(bytes(data))
        return len(data)

    def reset_input_buffer(self) -> None:
        self._monitor.received.clear()

    def close(self) -> None:
        pass

    @resume
    async def _receive(self, size: int) -> None:
        end = self.clock() + (float("inf") if self.timeout is None else self.timeout)
        while len(self._monitor.received) < size and (left := end - self.clock()) > 0:
            self._monitor.arrival.clear()
            arrival = self._monitor.arrival.wait()
            await (arrival if self.timeout is None else First(arrival, Timer(left, unit="sec", round_mode="ceil")))

    async def _transmit(self) -> None:
        while True:
            data = await self._outgoing.get()
            broken = {index for index in range(len(data)) if self._random.random() < self.broken_chance}
            await self._driver.send(data, broken=broken)
