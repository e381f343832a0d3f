"""Synthesis, place and route, and packing with the YoWASP tools, step by step, so that each result can be checked."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from amaranth import Elaboratable
from amaranth.build import Platform

from hw.datapath.fanout import FANOUT
from hw.flow import ice40_timing
from hw.flow.floorplan import floorplan
from hw.flow.placement import Placement, PlacementError
from hw.flow.router_log import Routing
from hw.flow.tools import BuildError, run_tool
from hw.fpga import ecp5 as ecp5_sites
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology
from hw.fpga.tool_flow import TOP, flow_of

# What is read of a row that is written in the same cycle is never used: "old data" then is logic for nothing.
COLLISIONS_DO_NOT_MATTER = "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:TRANSPARENCY_MASK=1'0 %i r:CLK_ENABLE=1 %i"


KEEP_WHAT_IS_NEAR = f"setattr -set keep 1 a:{FANOUT} %ci c:* %i"


# Amaranth names a field of a wire `wire[0]`, which Yosys' passes for ABC take for the wire's first bit.
FIELDS_HAVE_NO_NAMES = "rename -hide w:*[[]*"


# What Yosys warns of when one of its passes has connected a wire twice; it then takes the constant and goes on.
MISCOMPILED = "Driver(s|-driver) conflict|conflicting drivers"


# Options of place and route that name what there is none of before it is done.
PLACED = ("--report", "--sdf", "--asc", "--textcfg")


class Build:
    """One design on its way to a bitstream, in a directory of its own.

    Attributes:
        directory: holds sources, logs and products.
        flow: the family's.
        cells: of the netlist, by name as Yosys writes them, once synthesised.
    """

    cells: dict[str, dict[str, Any]]

    def __init__(self, *, platform: Platform, design: Elaboratable, technology: Technology, directory: Path):
        self.flow = flow_of(technology)
        self._floor = ecp5_sites.PARTS.get(platform.device)
        delays = "" if self.flow.times_multipliers else f"--sdf {TOP}.sdf"
        plan = platform.prepare(
            design,
            TOP,
            script_after_read="\n".join((COLLISIONS_DO_NOT_MATTER, KEEP_WHAT_IS_NEAR, FIELDS_HAVE_NO_NAMES)),
            yosys_opts=f"-e '{MISCOMPILED}'",
            synth_opts=self.flow.synthesis,
            nextpnr_opts=f"--timing-allow-fail --report {TOP}.report.json {delays}",
        )
        self.directory = plan.extract(str(directory))
        commands = json.loads(plan.files[f"{plan.script}.json"])["commands"]
        self._synthesis, self._placement, self._packing = commands

    def synthesise(self) -> Resources:
        """The hard blocks that the netlist has. Raises BuildError also if its timing could not be known."""
        self._run(self._synthesis, log=f"{TOP}.rpt")
        self._netlist = read_netlist(self.directory)
        self.cells = cells_of(self._netlist)
        if not self.flow.times_multipliers and (names := ice40_timing.untimed_multipliers(self.cells)):
            raise BuildError(
                f"multipliers without registers at both ends, of which no tool knows the delay: {', '.join(names)}"
            )
        return self.flow.count(self.cells)

    def emit_netlist(self, name: str) -> str:
        """Verilog of what place and route gets, as module `name`. To be called after `synthesise`."""
        script = f"read_json {TOP}.json; rename {TOP} {name}; splitnets; write_verilog -noattr {TOP}.v"
        self._run(["yosys", "-q", "-p", script])
        return (self.directory / f"{TOP}.v").read_text()

    def pack_logic(self) -> int:
        """Logic cells of the design before it is placed. To be called after `synthesise`."""
        options = list(self._placement)
        for product in PLACED:
            if product in options:
                del options[(place := options.index(product)) : place + 2]
        self._run([*options, "--pack-only"], log=f"{TOP}.tim")
        site = self.flow.sites["logic"]
        match = re.search(rf"\b{site}:\s*(\d+)/", (self.directory / f"{TOP}.tim").read_text())
        if match is None:
            raise BuildError(f"{self._placement[0]} does not say how many {site} there are; see {self.directory}")
        return int(match[1])

    def place_and_route(
        self, *, seed: int, crowded: bool = False, progress: Callable[[str], None] = lambda what: None
    ) -> Placement:
        """To be called after `synthesise`. `progress` is told what place and route is at. Where it is `crowded`, hard
        blocks are placed first (`hw.flow.floorplan`). Raises PlacementError if the router gets nowhere."""

        def watch(log: str) -> None:
            routing = Routing.of(log)
            progress(f"seed {seed}: routing, {routing}" if routing else f"seed {seed}: placing")
            if routing and routing.stuck:
                raise PlacementError(f"the router gets nowhere, {routing}")

        options = self.flow.crowded.split() if crowded else []
        if crowded and self._floor:
            progress(f"seed {seed}: floor plan")
            self._fix(floorplan(self.cells, self._floor, seed=seed))
        self._run([*self._placement, "--seed", str(seed), *options], log=f"{TOP}.tim", watch=watch)
        placement = Placement.parse(json.loads((self.directory / f"{TOP}.report.json").read_text()), self.flow)
        if self.flow.times_multipliers:
            return placement
        sdf = (self.directory / f"{TOP}.sdf").read_text()
        period, start, end = ice40_timing.slowest_path(sdf)
        if 1 / period >= placement.fmax_hz:
            return placement
        return replace(placement, fmax_hz=1 / period, slowest_path=(start, end))

    def _fix(self, sites: dict[str, str]) -> None:
        """Leave place and route no choice for cells that have a site."""
        for name, site in sites.items():
            self.cells[name]["attributes"]["BEL"] = site
        _netlist_path(self.directory).write_text(json.dumps(self._netlist))

    def pack(self) -> Path:
        """The bitstream's path. To be called after `place_and_route`."""
        self._run(self._packing)
        return self.directory / self.flow.bitstream

    def _run(self, command: list[str], log: str | None = None, watch: Callable[[str], None] | None = None) -> None:
        run_tool(command, self.directory, log, watch)


def read_netlist(directory: Path) -> dict[str, Any]:
    """The netlist there, as Yosys writes it."""
    return json.loads(_netlist_path(directory).read_text())


def cells_of(netlist: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its cells, by name."""
    return netlist["modules"][TOP]["cells"]


def _netlist_path(directory: Path) -> Path:
    return directory / f"{TOP}.json"
