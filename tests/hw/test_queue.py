"""Values leave in the order in which they came, at any pace that the reader's schedule allows, once or more often."""

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


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@settings(max_examples=20)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_it_repeats_what_is_not_done_with(technology, data, group, turns, records):
    depth = group * records
    queue = Queue(MemoryShape(name="queue", width=8, depth=depth, storage=technology.storage(depth)), repeats=True)
    wishes = data.draw(st.lists(st.booleans(), min_size=20, max_size=120))
    found = []

    async def drive(ctx):
        kept: list[tuple[int, int]] = []  # value, cycle in which it was written
        place = turn = 0
        for cycle, wish in enumerate(wishes):
            ready = len(kept) >= group and cycle - kept[group - 1][1] >= Queue.latency
            read, last = ready and wish, place == group - 1
            done = read and last and turn == turns - 1
            ctx.set(queue.read, read)
            ctx.set(queue.again, read and last and not done)
            ctx.set(queue.done, done)
            if read:
                found.append((ctx.get(queue.first), kept[place][0]))
                place = (place + 1) % group
                turn = (turn + last) % turns
            if done:
                del kept[:group]
            write = len(kept) < depth - group * done
            ctx.set(queue.write, write)
            ctx.set(queue.value, cycle)
            if write:
                kept.append((cycle, cycle))
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert all(value == expected for value, expected in found)
