"""The netlist that synthesis hands to place and route, as Verilog for simulation.

Its cells are Yosys' own models, which come with its wheel. Simulation has other needs than synthesis, so the models are
changed in four places: a PLL passes its input through, and is locked outside of reset; pins do not test whether their
clock enable is driven; a word that is read while it is written is undefined, as synthesis was told that it may be; and
an undefined word is a constant that is easily recognised.
"""

import re

from hw.flow.build_steps import Build
from hw.fpga.board import Board
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40HX8K, ICE40UP5K
from sim.netlist.ecp5_models import ecp5_models
from sim.netlist.ice40_models import ice40_models

_NETLIST = "netlist"

_TOP = """
module top(input clk, input rst, input rx, output tx);
  wire clk_pin = clk, rx_pin = rx, tx_pin;
  assign tx = tx_pin;
  NETLIST board(.CLOCK(clk_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx_pin));
endmodule
"""


def make_netlist(build: Build, board: Board) -> str:
    """Make Verilog of a system that was synthesised for a board, pins, PLL and reset included.

    Parameters
    ----------
    build : Build
        The system's build, whose `synthesise` has run. Its top is `Board.top` of a system with the ports `rx` and `tx`.
    board : Board
        The board.

    Returns
    -------
    str
        Verilog of the netlist and its cells. Its module `top` has the ports `clk`, in place of the PLL's output, `rst`,
        `rx` and `tx`.

    Raises
    ------
    BuildError
        If Yosys fails.
    ValueError
        For a family without models of its cells, or a cell whose configuration is not modelled.
    """
    if board.technology not in _MODELS:
        known = ", ".join(technology.name for technology in _MODELS)
        raise ValueError(f"there are no models for the cells of {board.technology.name}, only for {known}")
    netlist, models = build.emit_netlist(_NETLIST), _MODELS[board.technology](build.netlist.cells)
    netlist = re.sub(r"^  (input|output) (\w+__io;)", r"  inout \2", netlist, flags=re.MULTILINE)  # as pins' models are
    top = _TOP.replace("NETLIST", _NETLIST).replace("CLOCK", f"{board.platform().default_clk}_0__io")
    return "\n".join([top, netlist, models])


_MODELS = {ICE40UP5K: ice40_models, ICE40HX8K: ice40_models, ECP5: ecp5_models}
