"""The gateware's end of the link in Amaranth's simulator, behind the interface of a serial port."""

import random
from collections import deque
from typing import Any

from amaranth.hdl import Cat
from amaranth.sim import Simulator

from hw.link.endpoint import Endpoint
from sim.buffered_port import BufferedPort
from sw.spec.registers import LINK_COUNTERS
from tests.hw.link.bus_memory import BusMemory
from tests.hw.streams import CLOCK

DIGEST = bytes(range(0xA0, 0xA8))
IDLE_CYCLES = 1024


class EndpointPort(BufferedPort):
    """An `Endpoint` whose bus leads to a memory.

    Its time is the simulation's: the simulation runs while `read` waits, for at most `timeout` simulated seconds.

    Parameters
    ----------
    word_bytes : int
        Bytes in a bus word.
    bus_chance : float
        Probability that a transfer waiting on the bus is answered in a cycle.
    seed : int
        Seed of the random numbers behind `bus_chance`.

    Attributes
    ----------
    memory : BusMemory
        The target of the bus.
    cycles : int
        Clock cycles simulated so far.
    """

    def __init__(self, *, word_bytes: int = 2, bus_chance: float = 1.0, seed: int = 0) -> None:
        super().__init__()
        self.timeout = 1e-3
        self.endpoint = Endpoint(word_bytes=word_bytes, digest=DIGEST, idle_cycles=IDLE_CYCLES)
        self.memory = BusMemory()
        self.cycles = 0
        self._to_board: deque[int] = deque()
        self._bus_chance = bus_chance
        self._random = random.Random(seed)
        self._counters = {register.name: 0 for register in LINK_COUNTERS}
        self._simulator = Simulator(self.endpoint)
        self._simulator.add_clock(CLOCK)
        self._simulator.add_testbench(self._surroundings, background=True)

    def clock(self) -> float:
        """Return the simulated time in seconds."""
        return self.cycles * CLOCK

    def write(self, data: bytes, /) -> int:
        """Offer `data` to the endpoint, and return the number of bytes."""
        self._to_board.extend(data)
        return len(data)

    def counters(self) -> dict[str, int]:
        """Return the number of each of the gateware's events."""
        return dict(self._counters)

    def _wait_for(self, size: int) -> None:
        end = self.clock() + (self.timeout or 0)
        while len(self.received) < size and self.clock() < end:
            self._simulator.advance()

    async def _surroundings(self, context: Any) -> None:
        """Play line and bus target in one testbench that seldom samples: the simulator is slow."""
        received, sent, bus = self.endpoint.received, self.endpoint.sent, self.endpoint.bus
        to_line, from_line, ready = (received.payload, received.valid), received.ready, bus.ready
        request = Cat(bus.write, bus.space, bus.address, bus.write_data)
        happened = self.endpoint.events.as_value()
        tick = context.tick().sample(from_line, sent.valid, sent.payload, bus.valid, request, happened)
        offered = answering = False
        asked = None  # the request that the bus must hold
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
                self.received.append(payload)
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
        data, refused, fault = self.memory.transfer(write=bool(write), space=space, address=address, word=word)
        context.set(Cat(bus.refused, bus.fault), refused | fault << 1)
        if not write:
            context.set(bus.read_data, data)
