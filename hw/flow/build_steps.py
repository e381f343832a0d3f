"""Synthesis, place and route, and packing with the YoWASP tools, step by step, so that each result can be checked."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from amaranth import Elaboratable
from amaranth.build import Platform

from hw.datapath.fanout import FANOUT
from hw.flow.floorplan import floorplan
from hw.flow.memory_contents import quick_memory_contents
from hw.flow.netlist import Netlist
from hw.flow.placement import Placement, PlacementError
from hw.flow.router_log import Routing, activity
from hw.flow.tools import BuildError, environments_yosys, run_tool
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology
from hw.fpga.tool_flow import TOP

# No design uses a word that is read in the cycle in which it is written: logic that returns its old value is wasted.
COLLISIONS_DO_NOT_MATTER = "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:TRANSPARENCY_MASK=1'0 %i r:CLK_ENABLE=1 %i"

KEEP_FANOUT_REGISTERS = f"setattr -set keep 1 a:{FANOUT} %ci c:* %i"

# Amaranth names a field of a wire `wire[0]`, which Yosys' passes for ABC take for the wire's first bit.
HIDE_FIELD_NAMES = "rename -hide w:*[[]*"

# What Yosys warns of when one of its passes has connected a wire twice; it then takes the constant and goes on.
MISCOMPILED = "Driver(s|-driver) conflict|conflicting drivers"


class Build:
    """One design on its way to a bitstream, in a directory of its own.

    The steps are called in the order `synthesise`, `place_and_route`, `pack`.

    Parameters
    ----------
    platform : Platform
        The board's.
    design : Elaboratable
        The top of the design.
    technology : Technology
        The board's family.
    directory : Path
        Is made if need be.

    Attributes
    ----------
    directory : Path
        Holds sources, logs and products.
    flow : ToolFlow
        The family's.
    netlist : Netlist
        The result of `synthesise`.
    """

    netlist: Netlist

    def __init__(self, *, platform: Platform, design: Elaboratable, technology: Technology, directory: Path):
        self.flow = technology.flow
        self._floor = self.flow.floors.get(platform.device)
        delays = f"--sdf {TOP}.sdf" if self.flow.sdf_timing else ""
        with environments_yosys(), quick_memory_contents():
            plan = platform.prepare(
                design,
                TOP,
                script_after_read="\n".join((COLLISIONS_DO_NOT_MATTER, KEEP_FANOUT_REGISTERS, HIDE_FIELD_NAMES)),
                yosys_opts=f"-e '{MISCOMPILED}'",
                synth_opts=self.flow.synthesis,
                nextpnr_opts=f"--timing-allow-fail --report {TOP}.report.json {delays}",
            )
        self.directory = plan.extract(str(directory))
        commands = json.loads(plan.files[f"{plan.script}.json"])["commands"]
        self._synthesis, self._placement, self._packing = commands

    def synthesise(self) -> Resources:
        """Make the netlist.

        Returns
        -------
        Resources
            The hard blocks that the netlist has.

        Raises
        ------
        BuildError
            If Yosys fails, or the netlist has cells whose delay no tool knows.
        """
        run_tool(self._synthesis, self.directory, f"{TOP}.rpt")
        self.netlist = Netlist(self.directory)
        if self.flow.sdf_timing and (names := self.flow.sdf_timing.unregistered(self.netlist.cells)):
            raise BuildError(f"cells without registers at both ends, whose delay no tool knows: {', '.join(names)}")
        return self.flow.count(self.netlist.cells)

    def emit_netlist(self, name: str) -> str:
        """Write the netlist as Verilog.

        Parameters
        ----------
        name : str
            Name of its module.

        Returns
        -------
        str
            The Verilog.
        """
        script = f"read_json {TOP}.json; rename {TOP} {name}; splitnets; write_verilog -noattr {TOP}.v"
        run_tool(["yosys", "-q", "-p", script], self.directory)
        return (self.directory / f"{TOP}.v").read_text()

    def pack_logic(self) -> int:
        """Count the logic cells of the design, which is packed but not placed.

        Returns
        -------
        int
            Logic cells.

        Raises
        ------
        BuildError
            If nextpnr fails, or does not say how many there are.
        """
        options = list(self._placement)
        for product in ("--report", "--sdf", self.flow.layout_option):  # there are none before the design is placed
            if product in options:
                del options[(place := options.index(product)) : place + 2]
        run_tool([*options, "--pack-only"], self.directory, f"{TOP}.tim")
        site = self.flow.sites["logic"]
        match = re.search(rf"\b{site}:\s*(\d+)/", (self.directory / f"{TOP}.tim").read_text())
        if match is None:
            raise BuildError(f"{self._placement[0]} does not say how many {site} there are; see {self.directory}")
        return int(match[1])

    def place_and_route(
        self, *, seed: int, crowded: bool = False, progress: Callable[[str], None] = lambda what: None
    ) -> Placement:
        """Place and route the netlist.

        Parameters
        ----------
        seed : int
            Of the placer.
        crowded : bool
            Whether the design fills much of its device: hard blocks are then placed first (`hw.flow.floorplan`).
        progress : callable
            Is told what place and route is at.

        Returns
        -------
        Placement
            What was placed.

        Raises
        ------
        PlacementError
            If the router does not converge.
        BuildError
            If nextpnr fails.
        """

        def watch(log: str) -> None:
            progress(f"seed {seed}: {activity(log)}")
            if (routing := Routing.of(log)) and routing.stuck:
                raise PlacementError(f"the router does not converge, {routing}")

        progress(f"seed {seed}: {activity('')}")
        options = self.flow.crowded.split() if crowded else []
        if crowded and self._floor:
            progress(f"seed {seed}: floor plan")
            self.netlist.fix(floorplan(self.netlist.cells, self._floor, seed=seed))
        run_tool([*self._placement, "--seed", str(seed), *options], self.directory, f"{TOP}.tim", watch)
        placement = Placement.parse(json.loads((self.directory / f"{TOP}.report.json").read_text()), self.flow)
        if self.flow.sdf_timing is None:
            return placement
        return placement.timed_by((self.directory / f"{TOP}.sdf").read_text(), self.flow.sdf_timing)

    def pack(self) -> Path:
        """Make the bitstream of what was placed and routed last.

        Returns
        -------
        Path
            The bitstream.
        """
        run_tool(self._packing, self.directory)
        return self.directory / self.flow.bitstream
