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


def readings(fifo: ReplayFifo, writes: list[bool], reads: list[bool], *, group: int = 1, turns: int = 1) -> list[tuple]:
    """Return what was read, and what should have been.

    In each cycle a write and a read may be asked for; they are done where the FIFO can. The values of a group, once all
    can be read, are read so many times.
    """
    values = []

    async def drive(ctx):
        waiting: list[tuple[int, int]] = []  # value, cycle in which it was written
        position = turn = 0
        for cycle, (write, asked) in enumerate(zip(writes, reads, strict=True)):
            ready = len(waiting) >= group and cycle - waiting[group - 1][1] >= ReplayFifo.latency
            read, last = ready and asked, position == group - 1
            done = read and last and turn == turns - 1
            ctx.set(fifo.read, read)
            if fifo.repeats:
                ctx.set(fifo.again, read and last and not done)
                ctx.set(fifo.done, done)
            if read:
                values.append((ctx.get(fifo.first), waiting[position][0]))
                position = (position + 1) % group
                turn = (turn + last) % turns
            if done:
                del waiting[:group]
            write = write and len(waiting) < fifo.memory.depth
            ctx.set(fifo.write, write)
            ctx.set(fifo.value, cycle)
            if write:
                waiting.append((cycle, cycle))
            await ctx.tick()

    simulator = Simulator(fifo)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    return values


def memory(technology: Technology, depth: int) -> MemoryShape:
    return MemoryShape(name="values", width=8, depth=depth, storage=technology.storage(depth))


@TECHNOLOGIES
@settings(max_examples=20)
@given(st.data(), st.integers(1, 9))
def test_it_keeps_the_order(technology, data, depth):
    writes = data.draw(st.lists(st.booleans(), min_size=5, max_size=60))
    reads = data.draw(st.lists(st.booleans(), min_size=len(writes), max_size=len(writes)))
    values = readings(ReplayFifo(memory(technology, depth)), writes, reads)
    assert all(value == expected for value, expected in values)


@TECHNOLOGIES
@settings(max_examples=20)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_it_repeats_what_is_not_done_with(technology, data, group, turns, records):
    reads = data.draw(st.lists(st.booleans(), min_size=20, max_size=120))
    fifo = ReplayFifo(memory(technology, group * records), repeats=True)
    values = readings(fifo, [True] * len(reads), reads, group=group, turns=turns)
    assert all(value == expected for value, expected in values)
