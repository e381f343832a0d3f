"""Values leave in the order in which they came, at any pace that the reader's schedule allows, once or more often."""

import pytest
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.datapath.replay_fifo import ReplayFifo
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.resources import MemoryShape
from hw.fpga.technology import Technology

TECHNOLOGIES = pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)


def readings(
    queue: ReplayFifo, writes: list[bool], wishes: list[bool], *, group: int = 1, turns: int = 1
) -> list[tuple]:
    """What was read, and what should have been. In each cycle there may be a wish to write, and one to read; the values
    of a group, once all are there, are read so many times."""
    found = []

    async def drive(ctx):
        kept: list[tuple[int, int]] = []  # value, cycle in which it was written
        place = turn = 0
        for cycle, (write, wish) in enumerate(zip(writes, wishes, strict=True)):
            ready = len(kept) >= group and cycle - kept[group - 1][1] >= ReplayFifo.latency
            read, last = ready and wish, place == group - 1
            done = read and last and turn == turns - 1
            ctx.set(queue.read, read)
            if queue.repeats:
                ctx.set(queue.again, read and last and not done)
                ctx.set(queue.done, done)
            if read:
                found.append((ctx.get(queue.first), kept[place][0]))
                place = (place + 1) % group
                turn = (turn + last) % turns
            if done:
                del kept[:group]
            write = write and len(kept) < queue.memory.depth
            ctx.set(queue.write, write)
            ctx.set(queue.value, cycle)
            if write:
                kept.append((cycle, cycle))
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    return found


def memory(technology: Technology, depth: int) -> MemoryShape:
    return MemoryShape(name="queue", width=8, depth=depth, storage=technology.storage(depth))


@TECHNOLOGIES
@settings(max_examples=20)
@given(st.data(), st.integers(1, 9))
def test_it_keeps_the_order(technology, data, depth):
    writes = data.draw(st.lists(st.booleans(), min_size=5, max_size=60))
    wishes = data.draw(st.lists(st.booleans(), min_size=len(writes), max_size=len(writes)))
    found = readings(ReplayFifo(memory(technology, depth)), writes, wishes)
    assert all(value == expected for value, expected in found)


@TECHNOLOGIES
@settings(max_examples=20)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_it_repeats_what_is_not_done_with(technology, data, group, turns, records):
    wishes = data.draw(st.lists(st.booleans(), min_size=20, max_size=120))
    queue = ReplayFifo(memory(technology, group * records), repeats=True)
    found = readings(queue, [True] * len(wishes), wishes, group=group, turns=turns)
    assert all(value == expected for value, expected in found)
