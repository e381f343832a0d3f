"""Values leave in the order in which they came, at any pace that the reader's schedule allows."""

import pytest
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.queue import Queue
from hw.technology import ECP5, ICE40UP5K, MemoryShape


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@settings(max_examples=20)
@given(st.data(), st.integers(1, 9))
def test_it_keeps_the_order(technology, data, depth):
    writes = data.draw(st.lists(st.booleans(), min_size=5, max_size=60))
    wishes = data.draw(st.lists(st.booleans(), min_size=len(writes), max_size=len(writes)))
    queue = Queue(MemoryShape(name="queue", width=8, depth=depth, storage=technology.storage(depth)))
    found = []

    async def drive(ctx):
        held: list[tuple[int, int]] = []  # value, cycle in which it was written
        for cycle, (write, wish) in enumerate(zip(writes, wishes, strict=True)):
            ready = bool(held) and cycle - held[0][1] >= Queue.latency
            read = ready and wish
            if read:
                found.append((ctx.get(queue.first), held.pop(0)[0]))
            ctx.set(queue.read, read)
            write = write and len(held) < depth
            ctx.set(queue.write, write)
            ctx.set(queue.value, cycle)
            if write:
                held.append((cycle, cycle))
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert all(value == expected for value, expected in found)
