"""The build for a family that no open tool places and routes: all that the vendor's tool needs, and an estimate."""

import re
from pathlib import Path

from amaranth.lib import wiring

from hw.flow.bitstream import check_kept
from hw.flow.build_steps import MISCOMPILED
from hw.flow.memory_contents import quick_memory_contents
from hw.flow.netlist import Netlist
from hw.flow.tools import environments_yosys, run_tool
from hw.fpga.board import Board
from hw.fpga.resources import Resources
from hw.fpga.tool_flow import TOP
from sw.outputs import emptied

ESTIMATE = "estimate"

# Words of a memory that begin as zero, each of which Yosys would take a while to read.
ZEROS = re.compile(r"^\s*\w+\[\d+\] = \d+'[hd]0+;\n", re.MULTILINE)


def make_vendor_plan(
    *, board: Board, soc: wiring.Component, need: Resources, directory: Path
) -> tuple[Resources, Path, str]:
    """Write sources, constraints and scripts of a system to a directory and to a .zip in it.

    Parameters
    ----------
    board : Board
        A board of a family with a vendor's tool.
    soc : wiring.Component
        The system, with ports `rx` and `tx`.
    need : Resources
        Multipliers and memories that the design has; logic is ignored.
    directory : Path
        Where to write; is emptied first if it is one of an earlier build.

    Returns
    -------
    found : Resources
        What Yosys makes of the design: an estimate of what the vendor's tool will.
    archive : Path
        The .zip.
    script : str
        Name of the script that makes the bitstream.

    Raises
    ------
    ValueError
        If the board's family has no vendor's tool.
    sw.outputs.OutputError
        For a directory that holds other files.
    BuildError
        If Yosys fails, or if fewer multipliers or memories than `need` survive its synthesis.
    """
    flow = board.technology.flow
    if flow.vendor is None:
        raise ValueError(f"{board.name} needs no vendor's tool: nextpnr places and routes for {board.technology.name}")
    emptied(directory)
    with environments_yosys(), quick_memory_contents():
        plan = board.platform().prepare(board.top(soc), TOP)
    plan.extract(str(directory))
    archive = directory / f"{TOP}.zip"
    plan.archive(str(archive))
    estimates = directory / ESTIMATE
    estimates.mkdir()
    source = (directory / f"{TOP}.v").read_text()
    (estimates / f"{TOP}.v").write_text(ZEROS.sub("", source))
    script = f"read_verilog {TOP}.v; {flow.vendor.estimate} -top {TOP}; write_json {TOP}.json"
    log = f"{TOP}.rpt"
    run_tool(["yosys", "-q", "-e", MISCOMPILED, "-l", log, "-p", script], estimates, log)
    found = flow.count(Netlist(estimates).cells)
    check_kept(found=found, need=need, directory=estimates)
    return found, archive, f"{plan.script}.sh"
