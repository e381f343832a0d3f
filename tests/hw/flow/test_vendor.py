"""What is left to the vendor's tool is complete, and the estimate keeps every block."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

import boards
from hw.flow import vendor
from hw.flow.tools import BuildError
from hw.flow.vendor import make_vendor_plan
from hw.fpga.artix7 import ARTIX7
from hw.fpga.resources import Resources
from tests.hw.flow.stand_in import NEED, StandIn


@pytest.mark.usefixtures("foreign_tools")
def test_plan_has_sources_constraints_and_scripts_and_an_estimate(tmp_path: Path) -> None:
    board = boards.find("nexys-a7")
    soc, need = StandIn(ARTIX7, units=1), Resources(multipliers=1, block_ram=1)
    found, archive, script = make_vendor_plan(board=board, soc=soc, need=need, directory=tmp_path / "build")
    assert (found.multipliers, found.block_ram) == (need.multipliers, need.block_ram)
    assert 0 < found.logic < 500
    names = ZipFile(archive).namelist()
    assert {"top.v", "top.xdc", "top.tcl", script} <= set(names)
    assert all((archive.parent / name).exists() for name in names)
    assert "PLLE2_BASE" in (archive.parent / "top.v").read_text()
    constraints = (archive.parent / "top.xdc").read_text()
    assert all(port in constraints for port in ("clk100_0__io", "uart_0__rx__io", "uart_0__tx__io"))


def test_board_that_needs_no_vendor_is_refused(tmp_path: Path) -> None:
    board = boards.find("ulx3s")
    with pytest.raises(ValueError, match="ulx3s needs no vendor's tool: nextpnr places and routes for ECP5"):
        make_vendor_plan(board=board, soc=StandIn(board.technology), need=NEED, directory=tmp_path / "build")


def test_netlist_that_lost_a_block_is_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def synthesise_one_multiplier(command: list[str], directory: Path, log: str) -> None:
        cells = {"product": {"type": "DSP48E1"}}
        (directory / "top.json").write_text(json.dumps({"modules": {"top": {"cells": cells}}}))

    monkeypatch.setattr(vendor, "run_tool", synthesise_one_multiplier)
    with pytest.raises(BuildError, match="2 multipliers expected, 1 found"):
        make_vendor_plan(
            board=boards.find("nexys-a7"),
            soc=StandIn(ARTIX7),
            need=Resources(multipliers=2),
            directory=tmp_path / "build",
        )


@pytest.mark.slow
def test_design_that_lost_a_block_is_no_plan(tmp_path: Path) -> None:
    """Each run checks that of the netlist alone, and a design of another family that lost a block (test_bitstream)."""
    with pytest.raises(BuildError, match="2 multipliers expected, 1 found"):
        make_vendor_plan(
            board=boards.find("nexys-a7"),
            soc=StandIn(ARTIX7, unused=True),
            need=Resources(multipliers=2),
            directory=tmp_path / "build",
        )
