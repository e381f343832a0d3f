"""Values that go to many uses far apart, or come from far apart: latencies and numbers of registers."""

from typing import Any

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, signed

from hw.datapath.fanout import MAX_FANOUT, FanOutTree
from hw.datapath.pipeline import Pipeline
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.technology import Technology
from tests.hw.streams import simulate


def clocked() -> Module:
    """Return a module with a clock, even if nothing else uses the clock."""
    m, running = Module(), Signal()
    m.d.sync += running.eq(1)
    return m


@pytest.mark.parametrize("uses", [1, MAX_FANOUT, MAX_FANOUT + 1, 3 * MAX_FANOUT])
def test_each_use_has_the_value_two_cycles_later_and_no_register_drives_more_than_the_limit(uses: int) -> None:
    m, value = Module(), Signal(signed(6))
    tree = FanOutTree(m, value)
    outputs = [tree.register() for _ in range(uses)]

    async def compare(context: Any) -> None:
        for number in (5, -7, 0, 31):
            context.set(value, number)
            await context.tick().repeat(2)
            assert [context.get(output) for output in outputs] == [number] * uses

    simulate(m, compare, cycles=30)
    registers = rtlil.convert(m, ports=[value, *outputs]).count("cell $dff ")
    assert registers == uses + -(-uses // MAX_FANOUT)


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@pytest.mark.parametrize("cycles", [0, 1, 2, 5])
def test_a_fanned_out_value_is_valid_in_its_cycle(technology: Technology, cycles: int) -> None:
    m, value = clocked(), Signal(8)
    pipe = Pipeline(m, technology)
    operand = pipe.input(value)
    outputs = [pipe.fan_out(operand, cycles) for _ in range(MAX_FANOUT + 1)]
    assert {output.cycle for output in outputs} == {cycles}

    async def compare(context: Any) -> None:
        sent = [(37 * number) % 256 for number in range(20)]
        for number, now in enumerate(sent):
            context.set(value, now)
            if number >= cycles:
                assert {context.get(output.value) for output in outputs} == {sent[number - cycles]}
            await context.tick()

    simulate(m, compare, cycles=30)


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
@pytest.mark.parametrize("sources", [1, MAX_FANOUT, 2 * MAX_FANOUT + 1])
def test_fan_in_gives_the_value_that_is_not_zero(technology: Technology, sources: int) -> None:
    m, values = clocked(), [Signal(signed(8), name=f"value{source}") for source in range(sources)]
    pipe = Pipeline(m, technology)
    result = pipe.fan_in(values)

    async def compare(context: Any) -> None:
        for source, value in enumerate(values):
            for number in (-100 + source, 0):
                context.set(value, number)
                for _ in range(technology.long_way):
                    await context.tick()
                assert context.get(result) == number

    simulate(m, compare, cycles=200)
