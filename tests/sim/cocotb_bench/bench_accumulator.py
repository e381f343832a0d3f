"""cocotb bench of `tests.sim.designs.Accumulator`."""

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from sim.cocotb_bench.runner import bench_parameters


async def drive(dut: Any, values: list[int]) -> int:
    """Feed the values with random gaps; return the sum read from the gateware."""
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 0
    for value in values:
        dut.enable.value = enabled = random.random() < 0.5
        dut.value.value = value
        await FallingEdge(dut.clk)
        if not enabled:
            dut.enable.value = 1
            await FallingEdge(dut.clk)
    dut.enable.value = 0
    await FallingEdge(dut.clk)
    return int(dut.total.value)


@cocotb.test
async def equals_model(dut: Any) -> None:
    values = bench_parameters()["values"]
    assert await drive(dut, values) == sum(values) % 2**16


@cocotb.test
async def differs_from_a_wrong_model(dut: Any) -> None:
    assert await drive(dut, [1, 2]) == 4
