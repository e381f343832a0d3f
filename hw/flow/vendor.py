"""Where no open tool places and routes: all that the vendor's needs, and what Yosys makes of the design meanwhile."""

import re
import shutil
from pathlib import Path

from amaranth.lib import wiring

from hw.flow.bitstream import check_kept
from hw.flow.build_steps import MISCOMPILED, cells_of, read_netlist
from hw.flow.tools import run_tool
from hw.fpga.board import Board
from hw.fpga.resources import Resources
from hw.fpga.tool_flow import TOP, flow_of

ESTIMATE = "estimate"

# Words of a memory that begin as zero, each of which Yosys would take a while to read.
ZEROS = re.compile(r"^\s*\w+\[\d+\] = \d+'[hd]0+;\n", re.MULTILINE)


def make_vendor_plan(
    *, board: Board, soc: wiring.Component, need: Resources, directory: Path
) -> tuple[Resources, Path, str]:
    """Write sources, constraints and scripts of `soc` (ports `rx`, `tx`) for `board` to `directory`, which is emptied
    first, and to a .zip beside them.

    Parameters:
        need: multipliers and memories that the design has; logic is ignored.

    Returns what Yosys makes of the design, the path of the .zip, and the name of the script that makes the bitstream.

    Raises:
        BuildError: if Yosys fails, or if fewer multipliers or memories than `need` survive its synthesis.
    """
    flow = flow_of(board.technology)
    shutil.rmtree(directory, ignore_errors=True)
    plan = board.platform().prepare(board.top(soc), TOP)
    plan.extract(str(directory))
    archive = directory / f"{TOP}.zip"
    plan.archive(str(archive))
    estimates = directory / ESTIMATE
    estimates.mkdir()
    source = (directory / f"{TOP}.v").read_text()
    (estimates / f"{TOP}.v").write_text(ZEROS.sub("", source))
    script = f"read_verilog {TOP}.v; synth_xilinx -family xc7 -flatten -noiopad -top {TOP}; write_json {TOP}.json"
    log = f"{TOP}.rpt"
    run_tool(["yosys", "-q", "-e", MISCOMPILED, "-l", log, "-p", script], estimates, log)
    found = flow.count(cells_of(read_netlist(estimates)))
    check_kept(found=found, need=need, directory=estimates)
    return found, archive, f"{plan.script}.sh"
