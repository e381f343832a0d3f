"""Driving and watching streams in Amaranth's simulator."""

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from amaranth.hdl import Value
from amaranth.sim import Simulator

Testbench = Callable[[Any], Awaitable[None]]

CLOCK = 1e-6


def simulate(dut: Any, *testbenches: Testbench, monitors: Iterable[Testbench] = (), cycles: int) -> None:
    """Run until all testbenches are done; fail if that takes longer than `cycles`."""
    done = []

    def finishing(testbench: Testbench) -> Testbench:
        async def run(context: Any) -> None:
            await testbench(context)
            done.append(testbench)

        return run

    simulator = Simulator(dut)
    simulator.add_clock(CLOCK)
    for testbench in testbenches:
        simulator.add_testbench(finishing(testbench))
    for monitor in monitors:
        simulator.add_testbench(monitor, background=True)
    for cycle in range(0, cycles, 100):
        simulator.run_until(CLOCK * (cycle + 100))
        if len(done) == len(testbenches):
            return
    raise AssertionError(f"{len(testbenches) - len(done)} testbenches are not done after {cycles} cycles")


def source(port: Any, items: Iterable[Any], *, chance: float = 1.0, seed: int = 0) -> Testbench:
    """Offer `items` in turn, each after a pause that ends in a cycle with probability `chance`.

    While nothing is offered, the payload is random.
    """

    async def testbench(context: Any) -> None:
        generator, noise, payload = random.Random(seed), random.Random(~seed), Value.cast(port.payload)
        for item in items:
            context.set(payload, noise.getrandbits(len(payload)))
            while generator.random() >= chance:
                await context.tick()
                context.set(payload, noise.getrandbits(len(payload)))
            context.set(port.payload, item)
            context.set(port.valid, 1)
            ready = 0
            while not ready:
                _, _, ready = await context.tick().sample(port.ready)
            context.set(port.valid, 0)
        context.set(payload, noise.getrandbits(len(payload)))

    return testbench


def sink(port: Any, items: list[Any], count: int, *, chance: float = 1.0, seed: int = 0) -> Testbench:
    """Take `count` items into `items`.

    With a `chance` below one, pauses, and half of the time raises `ready` only after `valid`: a source that waits for
    `ready` never gets on.
    """

    async def testbench(context: Any) -> None:
        generator = random.Random(seed)
        while len(items) < count:
            while generator.random() >= chance:
                await context.tick()
            if chance < 1 and generator.random() < 0.5:
                while not context.get(port.valid):
                    await context.tick()
            context.set(port.ready, 1)
            valid = 0
            while not valid:
                _, _, valid, payload = await context.tick().sample(port.valid, port.payload)
            items.append(payload)
            context.set(port.ready, 0)

    return testbench


def steady(valid: Any, ready: Any, *held: Any) -> Testbench:
    """A monitor: once `valid`, it and the `held` values stay as they are until `ready`."""

    async def testbench(context: Any) -> None:
        before = None
        values = [Value.cast(value) for value in held]
        async for _, _, is_valid, is_ready, *now in context.tick().sample(valid, ready, *values):
            assert before is None or (is_valid and now == before), f"{now} after {before}, valid {is_valid}"
            before = now if is_valid and not is_ready else None

    return testbench


def lawful(port: Any) -> Testbench:
    """A monitor of a stream: a payload once offered is offered until it is taken."""
    return steady(port.valid, port.ready, port.payload)
