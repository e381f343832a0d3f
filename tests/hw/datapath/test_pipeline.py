"""Limits and counts in gateware against Python's: limits for every value of a small word."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module, Signal, signed

from hw.datapath.fixed_point import clamp, outside
from hw.datapath.pipeline import Pipeline
from hw.fpga.ecp5 import ECP5
from tests.hw.streams import simulate


@pytest.mark.parametrize("low", [-32, -31])
@pytest.mark.parametrize("bits", [4, 6, 7, 9])
def test_values_are_limited_and_those_outside_known(low: int, bits: int) -> None:
    high = 31
    value, limited, beyond = Signal(signed(bits)), Signal(signed(6)), Signal()
    m = Module()
    m.d.sync += [limited.eq(clamp(value, low, high)), beyond.eq(outside(value, low, high))]

    async def compare(context: Any) -> None:
        for number in range(-(1 << (bits - 1)), 1 << (bits - 1)):
            context.set(value, number)
            await context.tick()
            found = context.get(limited), context.get(beyond)
            assert found == (min(max(number, low), high), not low <= number <= high)

    simulate(m, compare, cycles=600)


@pytest.mark.parametrize(("low", "high"), [(-32, 30), (-30, 31), (0, 31)])
def test_limits_that_take_a_comparison_are_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=rf"limits {low}\.\.{high}: high is a power of two less one"):
        clamp(Signal(signed(8)), low, high)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 40])
def test_flags_are_counted(count: int) -> None:
    flags, m = Signal(count), Module()
    pipe = Pipeline(m, ECP5)
    total = pipe.count([pipe.input(flag) for flag in flags])

    async def compare(context: Any) -> None:
        for value in (0, 1, (1 << count) - 1, *(random.getrandbits(count) for _ in range(20))):
            context.set(flags, value)
            await context.tick().repeat(total.cycle)
            assert context.get(total.value) == value.bit_count()

    simulate(m, compare, cycles=200)
