"""Reports of the tools are read for what they say, and a tool that fails is quoted."""

import re
import shutil
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import boards
from hw.datapath.fanout import fanout_register
from hw.flow import tools
from hw.flow.build_steps import Build
from hw.flow.netlist import Netlist
from hw.flow.placement import Placement, PlacementError
from hw.flow.router_log import Routing
from hw.flow.tools import BuildError
from hw.fpga.ecp5 import BLOCK_RAMS, ECP5, MULTIPLIERS
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.resources import Resources
from tests.hw.flow.stand_in import StandIn
from tests.slow import slow

BLOCKS = (*MULTIPLIERS.kinds, *BLOCK_RAMS.kinds)


def usage(used: int, available: int) -> dict[str, int]:
    return {"used": used, "available": available}


def step(cell: str) -> dict[str, Any]:
    return {"from": {"cell": cell}, "to": {"cell": cell}}


# The parts of a report of nextpnr-ecp5 that matter, and two that do not.
REPORT: dict[str, Any] = {
    "critical_paths": [
        {"from": "<async>", "to": "posedge $glbnet$clk", "path": [step("pin"), step("synchroniser")]},
        {"from": "posedge $glbnet$clk", "to": "posedge $glbnet$clk", "path": [step("node"), step("lut"), step("sum")]},
    ],
    "fmax": {"$glbnet$clk": {"achieved": 101.5, "constraint": 90.0009}},
    "utilization": {
        "TRELLIS_COMB": usage(4650, 83640),
        "DP16KD": usage(16, 208),
        "MULT18X18D": usage(28, 156),
        "TRELLIS_FF": usage(6100, 83640),
    },
}


def test_report_is_read() -> None:
    placement = Placement.parse(REPORT, ECP5.flow)
    assert placement.used == Resources(logic=4650, block_ram=16, multipliers=28)
    assert placement.available == Resources(logic=83640, block_ram=208, multipliers=156)
    assert (placement.fmax_hz, placement.constraint_hz) == (101_500_000, 90_000_900)
    assert placement.slowest_path == ("node", "sum")


@pytest.mark.parametrize("clocks", [[], ["$glbnet$clk", "other"]])
def test_design_of_no_clock_or_of_two_is_refused(clocks: list[str]) -> None:
    report = REPORT | {"fmax": {clock: {"achieved": 100, "constraint": 90} for clock in clocks}}
    with pytest.raises(BuildError, match=f"{len(clocks)} clocks"):
        Placement.parse(report, ECP5.flow)


@pytest.fixture
def stand_in_build(tmp_path: Path) -> Build:
    board = boards.find("icebreaker")
    return Build(
        platform=board.platform(),
        design=board.top(StandIn(ICE40UP5K)),
        technology=ICE40UP5K,
        directory=tmp_path,
    )


def test_failing_tool_is_quoted(stand_in_build: Build) -> None:
    (stand_in_build.directory / "top.il").write_text("no netlist at all")
    with pytest.raises(BuildError, match=r"yosys failed: .*ERROR: .*; see .*top\.rpt"):
        stand_in_build.synthesise()


def test_netlist_that_yosys_knows_to_be_wrong_is_refused(stand_in_build: Build) -> None:
    """A wire with two drivers, as a faulty pass would leave it behind."""
    (stand_in_build.directory / "top.il").write_text(
        """
        module \\top
          wire input 1 \\i
          wire output 2 \\o
          cell $not \\inverter
            parameter \\A_SIGNED 0
            parameter \\A_WIDTH 1
            parameter \\Y_WIDTH 1
            connect \\A \\i
            connect \\Y \\o
          end
          connect \\o 1'0
        end
        """
    )
    with pytest.raises(BuildError, match=r"yosys failed: .*Drivers conflicting"):
        stand_in_build.synthesise()


class Doubled(wiring.Component):
    """The line through a register, twice; `apart`, they are kept so."""

    rx: In(1)
    tx: Out(1)

    def __init__(self, *, apart: bool):
        self.apart = apart
        super().__init__()

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        first, second = (fanout_register(m, self.rx) if self.apart else registered(m, self.rx) for _ in range(2))
        m.d.sync += self.tx.eq(first & second)
        return m


def registered(m: Module, value: Signal) -> Signal:
    register = Signal(reset_less=True)
    m.d.sync += register.eq(value)
    return register


def test_registers_near_their_use_are_kept_apart(tmp_path: Path) -> None:
    board, counts = boards.find("ulx3s"), []
    for apart in (True, False):
        build = Build(
            platform=board.platform(),
            design=board.top(Doubled(apart=apart)),
            technology=ECP5,
            directory=tmp_path / str(apart),
        )
        build.synthesise()
        counts.append(Counter(cell["type"] for cell in build.netlist.cells.values())["TRELLIS_FF"])
    assert counts[0] == counts[1] + 1


def test_missing_tool_is_named_with_what_brings_it(stand_in_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "entry_points", lambda **which: ())
    with pytest.raises(BuildError, match=r"yosys of PyPI is not installed; .*kanloom\[gateware\]"):
        stand_in_build.synthesise()


def test_router_that_does_not_converge_is_stopped(
    stand_in_build: Build, icebreaker_build: tuple[Placement, int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Place and route of the stand-in, as if its router said that it does not come to an end."""
    stuck = Routing(wires=9000, conflicts=(99,) * 10)
    monkeypatch.setattr(tools, "LOOKED_AT_EVERY", 0.01)
    monkeypatch.setattr(Routing, "of", lambda log: stuck)
    shutil.copy(icebreaker_build[2].with_name("top.json"), stand_in_build.directory)  # the netlist of the same design
    said: list[str] = []
    with pytest.raises(PlacementError, match="does not converge, 99 of 9000 wires in conflict after 10 rounds"):
        stand_in_build.place_and_route(seed=1, progress=said.append)
    assert said[-1] == "seed 1: routing, 99 of 9000 wires in conflict after 10 rounds"


@pytest.mark.parametrize("runs", [((2, ""),), slow(((1, ECP5.flow.crowded), (2, "")))], ids=["quick placer", "both"])
def test_blocks_of_a_crowded_design_are_fixed_by_the_floor_plan(
    runs: tuple[tuple[int, str], ...], tmp_path: Path
) -> None:
    """And place and route takes it as it is, with any seed after another, whichever the placer."""
    board, said = boards.find("ulx3s"), list[str]()
    build = Build(platform=board.platform(), design=board.top(StandIn(ECP5)), technology=ECP5, directory=tmp_path)
    found, sites = build.synthesise(), []
    for seed, options in runs:
        build.flow = replace(ECP5.flow, crowded=options)
        placement = build.place_and_route(seed=seed, crowded=True, progress=said.append)
        assert replace(placement.used, logic=0) == found
        cells = Netlist(build.directory).cells
        sites.append([cell["attributes"].get("BEL", "") for cell in cells.values() if cell["type"] in BLOCKS])
        assert len(set(sites[-1])) == len(sites[-1]) == found.multipliers + found.block_ram
        assert all(re.fullmatch(r"X\d+/Y\d+/(MULT18_|EBR)\d", site) for site in sites[-1])
    assert all(before != after for before, after in pairwise(sites))
    assert [what for what in said if "floor plan" in what] == [f"seed {seed}: floor plan" for seed, _ in runs]
