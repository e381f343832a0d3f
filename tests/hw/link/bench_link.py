"""cocotb bench of `hw.link.endpoint.LinkEndpoint` over its pins: random traffic against a model, and the host."""

import random
from typing import Any

import cocotb
from cobs import cobs
from cocotb.task import bridge
from cocotb.triggers import FallingEdge, RisingEdge, Timer, ValueChange

from sim.cocotb_bench.ports import PERIOD_NS, begin
from sim.cocotb_bench.runner import bench_parameters
from sim.cocotb_bench.uart_driver import UartDriver, UartMonitor, UartPort
from sw.device.transport import HostLink
from sw.spec.protocol import (
    CREDITS,
    DELIMITER,
    REPLY,
    VERSION,
    Command,
    Frame,
    Space,
    Status,
    max_read_words,
    max_write_words,
)
from sw.spec.registers import LINK_COUNTERS
from tests.hw.link import requests
from tests.hw.link.bus_memory import BusMemory

BUSY = Space.CONFIGURATION
LIMIT = 200  # first address without a word


class BusTarget(BusMemory):
    """The target of the link's bus: words in each space below LIMIT, none in BUSY; it answers after random times."""

    def __init__(self, dut: Any) -> None:
        super().__init__(busy=[BUSY], missing=lambda space, address: address >= LIMIT)
        self._dut = dut
        cocotb.start_soon(self._serve())

    async def _serve(self) -> None:
        dut = self._dut
        while True:
            if not int(dut.bus__valid.value):
                await RisingEdge(dut.bus__valid)
            asked = self._request()
            for _ in range(random.choice([1, 1, 2, 7])):
                await FallingEdge(dut.clk)
                assert int(dut.bus__valid.value) and self._request() == asked, "the bus must hold until ready"
            write, space, address, word = asked
            data, refused, fault = self.transfer(write=bool(write), space=space, address=address, word=word)
            dut.bus__ready.value, dut.bus__refused.value, dut.bus__fault.value = 1, refused, fault
            dut.bus__read_data.value = data
            await FallingEdge(dut.clk)
            dut.bus__ready.value = 0

    def _request(self) -> tuple[int, int, int, int]:
        dut = self._dut
        write, space = int(dut.bus__write.value), int(dut.bus__space.value)
        return write, space, int(dut.bus__address.value), int(dut.bus__write_data.value)


class Model:
    """The board as `sw.spec.protocol` describes it.

    Each public method makes a request, to be sent next, and brings the attributes to their values after it.

    Attributes
    ----------
    words, written
        As in `BusMemory`.
    counters : dict
        Number of each of the link's events.
    replies : list of Frame
        Replies to the requests so far.
    """

    def __init__(self, word_bytes: int, digest: bytes) -> None:
        self.word_bytes = word_bytes
        self.digest = digest
        self.words: dict[tuple[int, int], int] = {}
        self.written: list[tuple[int, int, int]] = []
        self.counters = {register.name: 0 for register in LINK_COUNTERS}
        self.replies: list[Frame] = []
        self.expected = 0
        self.executed: list[Frame] = []

    def greet(self) -> Frame:
        frame = Frame(Command.HELLO, random.randrange(256), random.randbytes(4))
        greeting = bytes([VERSION, *self.digest, self.word_bytes, CREDITS]) + frame.payload
        self.expected = 0
        self.executed = []
        return self._answer(frame, greeting, Status.OK)

    def write(self) -> Frame:
        """Make a new WRITE; there may be no words at some of its addresses."""
        space, address, count = self._place(max_write_words(self.word_bytes))
        data = random.randbytes(count * self.word_bytes)
        frame = requests.write(self.expected, address, data, space)
        status = Status.OK
        for index in range(count):
            status = self._status(space, address + index)
            if status != Status.OK:
                break
            word = int.from_bytes(data[index * self.word_bytes : (index + 1) * self.word_bytes], "little")
            self.words[space, address + index] = word
            self.written.append((space, address + index, word))
        return self._execute(frame, b"", status)

    def read(self) -> Frame:
        space, address, count = self._place(max_read_words(self.word_bytes))
        frame = requests.read(self.expected, address, count, space)
        return self._execute(frame, *self._load(space, address, count))

    def duplicate(self) -> Frame:
        """Repeat a request that was executed: a READ is executed again, a WRITE is not."""
        if not self.executed:
            return self.read()
        frame = random.choice(self.executed)
        self.counters["duplicates"] += 1
        if frame.type == Command.WRITE:
            return self._answer(frame, b"", Status.OK)
        space, address, count = frame.payload[0], int.from_bytes(frame.payload[1:4], "little"), frame.payload[4]
        return self._answer(frame, *self._load(space, address, count))

    def early(self) -> Frame:
        sequence = (self.expected + random.randint(1, 127)) % 256
        self.counters["gaps"] += 1
        frame = requests.write(sequence, 0, bytes(self.word_bytes))
        return self._answer(frame, bytes([self.expected]), Status.NAK)

    def _place(self, most: int) -> tuple[int, int, int]:
        space = random.choice([Space.RECORDS, Space.PARAMETERS, Space.RECORDS, BUSY])
        return space, random.randrange(LIMIT), random.choice([1, 2, random.randint(1, most)])

    @staticmethod
    def _status(space: int, address: int) -> Status:
        return Status.BUSY if space == BUSY else Status.OK if address < LIMIT else Status.BAD_ADDRESS

    def _load(self, space: int, address: int, count: int) -> tuple[bytes, Status]:
        data = b""
        for place in range(address, address + count):
            if status := self._status(space, place):
                return data, status
            data += self.words.get((space, place), 0).to_bytes(self.word_bytes, "little")
        return data, Status.OK

    def _execute(self, frame: Frame, data: bytes, status: Status) -> Frame:
        if status == Status.OK:
            self.expected = (self.expected + 1) % 256
            self.executed = [*self.executed[-100:], frame]
        return self._answer(frame, data, status)

    def _answer(self, frame: Frame, data: bytes, status: Status) -> Frame:
        self.replies.append(Frame(frame.type | REPLY, frame.sequence, data + bytes([status])))
        return frame


class LinkBench:
    """A link in a bench, with a target on its bus.

    Attributes
    ----------
    counters : dict
        Number of each of the link's events.
    """

    def __init__(self, dut: Any) -> None:
        parameters = bench_parameters()
        self.dut = dut
        self.word_bytes: int = parameters["word_bytes"]
        self.digest = bytes(parameters["digest"])
        self.bit_ns: float = parameters["clocks_per_bit"] * PERIOD_NS
        self.idle_ns: float = parameters["idle_bits"] * self.bit_ns
        self.target = BusTarget(dut)
        self.counters = {register.name: 0 for register in LINK_COUNTERS}
        cocotb.start_soon(self._count())

    async def _count(self) -> None:
        before = 0
        while True:
            await ValueChange(self.dut.events)
            events = int(self.dut.events.value)
            for place, name in enumerate(self.counters):
                self.counters[name] += (events & ~before) >> place & 1
            before = events


class Noise:
    """Sends frames that no board may answer, and counts each as the board should."""

    def __init__(self, bench: LinkBench, driver: UartDriver, model: Model) -> None:
        self._bench, self._driver, self._counters = bench, driver, model.counters
        self._kinds = self._broken_stop_bit, self._cut_short, self._wrong_crc

    async def make(self) -> None:
        """Send one such frame. It would be harmless if it were executed, but it would be answered."""
        frame = Frame(Command.HELLO, 0, random.randbytes(4))
        await random.choice(self._kinds)(frame.encode())

    async def _broken_stop_bit(self, encoded: bytes) -> None:
        self._counters["uart_errors"] += 1
        self._counters["frame_errors"] += 1
        await self._driver.send(encoded, broken=[random.randrange(1, len(encoded) - 1)])

    async def _cut_short(self, encoded: bytes) -> None:
        self._counters["timeouts"] += 1
        await self._driver.send(encoded[: random.randrange(1, len(encoded) - 1)])
        await Timer(2.5 * self._bench.idle_ns, unit="ns", round_mode="round")

    async def _wrong_crc(self, encoded: bytes) -> None:
        self._counters["crc_errors"] += 1
        data = bytearray(cobs.decode(encoded[: -len(DELIMITER)]))
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        await self._driver.send(cobs.encode(bytes(data)) + DELIMITER)


@cocotb.test(timeout_time=30, timeout_unit="ms")
async def traffic_is_what_the_protocol_says(dut: Any) -> None:
    """Windows of requests of all kinds, between noise, from a host whose clock is off: replies, bus and counters."""
    bench = LinkBench(dut)
    driver, monitor = UartDriver(dut.rx, bench.bit_ns), UartMonitor(dut.tx, bench.bit_ns)
    model = Model(bench.word_bytes, bench.digest)
    noise = Noise(bench, driver, model)
    await begin(dut)
    kinds = [model.write] * 4 + [model.read] * 3 + [model.duplicate] * 2 + [model.early]
    for window in range(bench_parameters()["windows"]):
        driver.baud_error = random.choice([-0.03, 0.0, 0.03])
        if random.random() < 0.3:
            await noise.make()
        frames = [random.choice(kinds)() for _ in range(random.randint(1, CREDITS))] if window else [model.greet()]
        for frame in frames:
            await driver.send(frame.encode())
        while monitor.received.count(DELIMITER) < len(frames):
            monitor.arrival.clear()
            await monitor.arrival.wait()
        assert [Frame.decode(piece) for piece in bytes(monitor.received).split(DELIMITER)[:-1]] == model.replies
        monitor.received.clear()
        model.replies.clear()
    assert (bench.target.written, bench.target.words) == (model.written, model.words)
    assert bench.counters == model.counters
    quiet = [name for name, count in model.counters.items() if not count]
    assert quiet == ["overruns"] and monitor.broken == 0  # all that this test can cause has happened


@cocotb.test
async def the_host_writes_exactly_once_on_a_bad_line(dut: Any) -> None:
    """The host's own link, while one byte in two hundred loses its stop bit on the way to the board."""
    bench = LinkBench(dut)
    port = UartPort(dut.rx, dut.tx, bench.bit_ns, seed=1)
    await begin(dut)
    words = [random.randrange(1 << 16) for _ in range(LIMIT)]

    def host() -> list[int]:
        link = HostLink(port, timeout=0.1, resend_after=1e-3, clock=port.clock)
        assert link.hello(bench.digest).word_bytes == bench.word_bytes
        port.broken_chance = 0.005
        for start in range(0, LIMIT, 8):
            link.write(Space.RECORDS, start, words[start : start + 8])
        return link.read(Space.RECORDS, 0, LIMIT).tolist()

    assert await bridge(host)() == words
    assert bench.target.written == [(Space.RECORDS, *pair) for pair in enumerate(words)]
    assert bench.counters["uart_errors"] > 2
