"""Values that go to many places, and come from them, in as many cycles as is said, by as many registers."""

from typing import Any

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, signed

from hw.datapath.fanout import REACH, Branches
from hw.datapath.pipeline import Pipeline
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.technology import Technology
from tests.hw.streams import simulate


def clocked() -> Module:
    """A module with a clock, even if nothing else uses it."""
    m, running = Module(), Signal()
    m.d.sync += running.eq(1)
    return m


@pytest.mark.parametrize("places", [1, REACH, REACH + 1, 3 * REACH])
def test_each_place_has_the_value_two_cycles_later_and_no_branch_leads_to_more_than_its_reach(places: int) -> None:
    m, value = Module(), Signal(signed(6))
    branches = Branches(m, value)
    found = [branches.near() for _ in range(places)]

    async def compare(context: Any) -> None:
        for number in (5, -7, 0, 31):
            context.set(value, number)
            await context.tick().repeat(2)
            assert [context.get(place) for place in found] == [number] * places

    simulate(m, compare, cycles=30)
    registers = rtlil.convert(m, ports=[value, *found]).count("cell $dff ")
    assert registers == places + -(-places // REACH)


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@pytest.mark.parametrize("cycles", [0, 1, 2, 5])
def test_value_near_its_use_is_there_in_its_cycle(technology: Technology, cycles: int) -> None:
    m, value = clocked(), Signal(8)
    pipe = Pipeline(m, technology)
    operand = pipe.input(value)
    near = [pipe.near(operand, cycles) for _ in range(REACH + 1)]
    assert {one.cycle for one in near} == {cycles}

    async def compare(context: Any) -> None:
        sent = [(37 * number) % 256 for number in range(20)]
        for number, now in enumerate(sent):
            context.set(value, now)
            if number >= cycles:
                assert {context.get(one.value) for one in near} == {sent[number - cycles]}
            await context.tick()

    simulate(m, compare, cycles=30)


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@pytest.mark.parametrize("places", [1, REACH, 2 * REACH + 1])
def test_the_value_that_is_not_zero_is_gathered(technology: Technology, places: int) -> None:
    m, values = clocked(), [Signal(signed(8), name=f"value{place}") for place in range(places)]
    pipe = Pipeline(m, technology)
    found = pipe.gather(values)

    async def compare(context: Any) -> None:
        for place, value in enumerate(values):
            for number in (-100 + place, 0):
                context.set(value, number)
                for _ in range(technology.long_way):
                    await context.tick()
                assert context.get(found) == number

    simulate(m, compare, cycles=200)
