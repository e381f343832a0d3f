"""Paths through multipliers are timed with the registers that the multipliers really use, all others as by nextpnr."""

import json
from pathlib import Path

import pytest

import boards
from hw import ice40_timing
from hw.bitstream import make_bitstream
from hw.ice40_timing import Delays, Multiplier, slowest_path
from hw.technology import Resources
from tests.hw.test_bitstream import StandIn

ALL_REGISTERS = Multiplier(operands=frozenset("ABCD"), inner=True, last=True)


def test_paths_agree_with_place_and_route_if_multipliers_are_as_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bitstream(board=boards.find("icebreaker"), soc=StandIn(), need=Resources(), directory=tmp_path)
    [clock] = json.loads((tmp_path / "top.report.json").read_text())["fmax"].values()
    cells = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]["cells"]
    monkeypatch.setattr(ice40_timing, "CLOCK_TO_PRODUCT", 100)
    everything_registered = dict.fromkeys(ice40_timing.multipliers(cells), ALL_REGISTERS)
    assert len(everything_registered) == 2
    delays = Delays((tmp_path / "top.sdf").read_text(), everything_registered)
    assert 1e6 / delays.slowest_path()[0] == pytest.approx(clock["achieved"], rel=1e-3)


SDF = """
(DELAYFILE
  (CELL (CELLTYPE "top") (INSTANCE )
    (DELAY (ABSOLUTE
      (INTERCONNECT before/O mac\\$1_DSP/A_3 (5:5:500) (5:5:500))
      (INTERCONNECT mac\\$1_DSP/O_0 lut/I0 (500:600:700) (500:600:700))
      (INTERCONNECT mac\\$1_DSP/O_0 near/I0 (100:100:100) (100:100:100))
      (INTERCONNECT lut/O far/I0 (1000:1000:1000) (1000:1000:1000)))))
  (CELL (CELLTYPE "ICESTORM_LC") (INSTANCE before) (DELAY (ABSOLUTE (IOPATH CLK O (1:1:1390) (1:1:1390)))))
  (CELL (CELLTYPE "ICESTORM_DSP") (INSTANCE mac\\$1_DSP)
    (DELAY (ABSOLUTE (IOPATH CLK O_0 (100:100:100) (100:100:100))))
    (TIMINGCHECK (SETUPHOLD (posedge A_3) (posedge CLK) (100:100:100) (0:0:0))))
  (CELL (CELLTYPE "ICESTORM_LC") (INSTANCE lut) (DELAY (ABSOLUTE (IOPATH I0 O (1:2:1200) (1:2:1200)))))
  (CELL (CELLTYPE "ICESTORM_LC") (INSTANCE far) (DELAY (ABSOLUTE (IOPATH CLK O (1390:1390:1390) (0:0:0))))
    (TIMINGCHECK (SETUPHOLD (posedge I0) (posedge CLK) (1:1:300) (0:0:0))))
  (CELL (CELLTYPE "ICESTORM_LC") (INSTANCE near)
    (TIMINGCHECK (SETUPHOLD (posedge I0) (posedge CLK) (9:9:900) (0:0:0)))))
"""
BEFORE = 1390 + 500
BEHIND = 700 + 1200 + 1000 + 300
NONE = {
    "A_REG": 0, "B_REG": 0, "C_REG": 0, "D_REG": 0, "PIPELINE_16x16_MULT_REG1": 0, "PIPELINE_16x16_MULT_REG2": 0,
    "TOPOUTPUT_SELECT": 0, "BOTOUTPUT_SELECT": 0,
}  # fmt: skip
OPERANDS = {"A_REG": 1, "B_REG": 1}
OUTPUT = {"TOPOUTPUT_SELECT": 1, "BOTOUTPUT_SELECT": 1}
PRODUCT = {"PIPELINE_16x16_MULT_REG2": 1, "TOPOUTPUT_SELECT": 3, "BOTOUTPUT_SELECT": 3}


@pytest.mark.parametrize(
    ("registers", "period"),
    [
        (OPERANDS | OUTPUT, 2009 + BEHIND),
        (OPERANDS | PRODUCT, 2009 + BEHIND),
        (OPERANDS | {"PIPELINE_16x16_MULT_REG1": 1}, 9050 + BEHIND),
        (OPERANDS | {"PIPELINE_16x16_MULT_REG2": 1}, 9050 + BEHIND),
        (OPERANDS, 9050 + BEHIND),
        (OUTPUT, BEFORE + 9050),
        (PRODUCT, BEFORE + 9050),
        ({"PIPELINE_16x16_MULT_REG1": 1}, max(BEFORE + 9050, 9050 + BEHIND)),
        ({}, BEFORE + 9050 + BEHIND),
    ],
)
def test_multiplier_counts_with_the_registers_that_it_uses(registers: dict[str, int], period: int) -> None:
    parameters = {name: f"{value:032b}" for name, value in (NONE | registers).items()}
    cells = {"mac$1": {"type": "SB_MAC16", "parameters": parameters}, "lut": {"type": "SB_LUT4", "parameters": {}}}
    assert slowest_path(SDF, cells)[0] == pytest.approx(period * 1e-12)
