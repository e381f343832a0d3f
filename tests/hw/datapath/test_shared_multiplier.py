"""A multiplier makes every product that it is asked for, one at a time."""

import numpy as np
import pytest
from amaranth import Module, Signal, signed
from amaranth.sim import Simulator

from hw.datapath.pipeline import Pipeline
from hw.datapath.shared_multiplier import SharedMultiplier
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.technology import Technology

WIDTHS = ((17, 15), (16, 16))  # operands of a difference and those of a word


class Shared:
    """Two products that share a multiplier: of a difference of 16-bit words, and two cycles after it, of a word."""

    def __init__(self, technology: Technology):
        self.m = Module()
        pipe = Pipeline(self.m, technology)
        multiplier = SharedMultiplier(pipe, a_width=17, b_width=16)
        self.valid = [Signal(name=f"valid{use}") for use in range(2)]
        self.operands = [tuple(Signal(signed(width)) for width in widths) for widths in WIDTHS]
        self.products = [
            multiplier.product(pipe.input(valid), *map(pipe.input, operands), wait=wait)
            for valid, operands, wait in zip(self.valid, self.operands, (0, 2), strict=True)
        ]

    def simulate(self, drive) -> None:
        """Simulate the products with a testbench."""
        simulator = Simulator(self.m)
        simulator.add_clock(1e-6)
        simulator.add_testbench(drive)
        simulator.run()


@pytest.mark.parametrize("technology", [ICE40UP5K, ECP5], ids=lambda technology: technology.name)
def test_products_in_turn_are_those_of_their_operands(technology: Technology) -> None:
    """With all operands at their ends, and at random."""
    shared, rng, count = Shared(technology), np.random.default_rng(0), 200
    ends = [[-(1 << width - 1), (1 << width - 1) - 1] for widths in WIDTHS for width in widths]
    values = [
        np.where(rng.random(count) < 0.3, rng.choice([low, high], count), rng.integers(low, high, count))
        for low, high in ends
    ]
    cycles = [product.cycle for product in shared.products]
    turns = [[clock % 4 == use for clock in range(count)] for use in (0, 1)]  # the second takes its turn in 3 of 4
    seen: list[list[tuple[int, int]]] = [[], []]

    async def drive(ctx):
        for clock in range(count):
            for use in range(2):
                ctx.set(shared.valid[use], turns[use][clock])
                for signal, series in zip(shared.operands[use], values[2 * use : 2 * use + 2], strict=True):
                    ctx.set(signal, int(series[clock]))
                if (asked := clock - cycles[use]) >= 0 and turns[use][asked]:
                    seen[use].append((asked, ctx.get(shared.products[use].value)))
            await ctx.tick()

    shared.simulate(drive)
    for use in range(2):
        a, b = values[2 * use : 2 * use + 2]
        assert len(seen[use]) > 40
        assert seen[use] == [(clock, int(a[clock] * b[clock])) for clock, _ in seen[use]]


def test_two_uses_in_a_clock_fail_the_simulation() -> None:
    shared = Shared(ICE40UP5K)

    async def drive(ctx):
        ctx.set(shared.valid[1], 1)
        await ctx.tick().repeat(2)
        ctx.set(shared.valid[0], 1)
        await ctx.tick()

    with pytest.raises(AssertionError, match="two uses in one clock"):
        shared.simulate(drive)
