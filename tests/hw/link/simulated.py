"""The gateware's end of the link in Amaranth's simulator, behind the interface of a serial port."""

import random
from collections import deque
from typing import Any

from amaranth.hdl import Cat
from amaranth.sim import Simulator

from hw.link.endpoint import Endpoint
from sw.spec.protocol import Space
from sw.spec.registers import LINK_COUNTERS
from tests.hw.streams import CLOCK

DIGEST = bytes(range(0xA0, 0xA8))
IDLE_CYCLES = 1024


class EndpointPort:
    """An `Endpoint` whose bus leads to a little memory and a log.

    Time is the simulation's: `read` lets it go on, for at most `timeout` simulated seconds.

    Attributes
    ----------
    records : list of (address, word)
        Every write to the space RECORDS, in order: a write twice is seen twice.
    memory : dict
        Word by (space, address), of writes elsewhere.
    busy, fault : set of spaces, set of (space, address)
        What is refused, and what is not there.
    """

    def __init__(self, *, word_bytes: int = 2, bus_chance: float = 1.0, seed: int = 0) -> None:
        self.timeout: float | None = 1e-3
        self.write_timeout: float | None = None
        self.endpoint = Endpoint(word_bytes=word_bytes, digest=DIGEST, idle_cycles=IDLE_CYCLES)
        self.records: list[tuple[int, int]] = []
        self.memory: dict[tuple[int, int], int] = {}
        self.busy: set[int] = set()
        self.fault: set[tuple[int, int]] = set()
        self.cycles = 0
        self._to_board: deque[int] = deque()
        self._from_board = bytearray()
        self._bus_chance = bus_chance
        self._random = random.Random(seed)
        self._counters = {register.name: 0 for register in LINK_COUNTERS}
        self._simulator = Simulator(self.endpoint)
        self._simulator.add_clock(CLOCK)
        self._simulator.add_testbench(self._surroundings, background=True)

    def clock(self) -> float:
        """Simulated seconds."""
        return self.cycles * CLOCK

    @property
    def in_waiting(self) -> int:
        return len(self._from_board)

    def read(self, size: int = 1, /) -> bytes:
        end = self.clock() + (self.timeout or 0)
        while len(self._from_board) < size and self.clock() < end:
            self._simulator.advance()
        data = bytes(self._from_board[:size])
        del self._from_board[:size]
        return data

    def write(self, data: bytes, /) -> int:
        self._to_board.extend(data)
        return len(data)

    def reset_input_buffer(self) -> None:
        self._from_board.clear()

    def close(self) -> None:
        pass

    def idle(self, cycles: int) -> None:
        """Let the simulation go on."""
        end = self.cycles + cycles
        while self.cycles < end:
            self._simulator.advance()

    def counters(self) -> dict[str, int]:
        """The gateware's events, counted."""
        return dict(self._counters)

    async def _surroundings(self, context: Any) -> None:
        """Line and bus target in one, with few looks at the simulator: it is slow."""
        received, sent, bus = self.endpoint.received, self.endpoint.sent, self.endpoint.bus
        to_line, from_line, ready = (received.payload, received.valid), received.ready, bus.ready
        request = Cat(bus.write, bus.space, bus.address, bus.write_data)
        happened = self.endpoint.events.as_value()
        tick = context.tick().sample(from_line, sent.valid, sent.payload, bus.valid, request, happened)
        offered = answering = False
        asked = None  # what the bus must go on asking for
        context.set(sent.ready, 1)
        while True:
            if offered != bool(self._to_board):
                offered = not offered
                context.set(to_line[1], offered)
            if offered:
                context.set(to_line[0], self._to_board[0])
            _, _, taken, valid, payload, bus_valid, requested, events = await tick
            self.cycles += 1
            if events:
                for place, name in enumerate(self._counters):
                    self._counters[name] += events >> place & 1
            if taken and offered:
                self._to_board.popleft()
            if valid:
                self._from_board.append(payload)
            assert asked in (None, requested) and (bus_valid or asked is None), "the bus must hold until ready"
            asked = requested if bus_valid else None
            if answering:
                asked = None
                answering = False
                context.set(ready, 0)
            elif bus_valid and self._random.random() < self._bus_chance:
                answering = True
                self._answer(context, requested)
                context.set(ready, 1)

    def _answer(self, context: Any, request: int) -> None:
        bus = self.endpoint.bus
        write, space, address, word = request & 1, request >> 1 & 3, request >> 3 & 0xFFFFFF, request >> 27
        refused, fault = space in self.busy, (space, address) in self.fault
        context.set(Cat(bus.refused, bus.fault), refused | fault << 1)
        if not write:
            context.set(bus.read_data, self.memory.get((space, address), 0))
        elif not refused and not fault:
            self.memory[space, address] = word
            if space == Space.RECORDS:
                self.records.append((address, word))
