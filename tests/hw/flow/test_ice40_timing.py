"""Paths out of multipliers are timed with their true delay, all others as by nextpnr; what cannot be timed is found."""

import json
from pathlib import Path

import pytest

import boards
from hw.flow import ice40_timing
from hw.flow.bitstream import make_bitstream
from hw.flow.ice40_timing import slowest_path, untimed_multipliers
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.resources import Resources
from tests.hw.flow.test_bitstream import StandIn


def test_paths_agree_with_place_and_route_if_multipliers_are_as_fast_as_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bitstream(board=boards.find("icebreaker"), soc=StandIn(ICE40UP5K), need=Resources(), directory=tmp_path)
    [clock] = json.loads((tmp_path / "top.report.json").read_text())["fmax"].values()
    monkeypatch.setattr(ice40_timing, "CLOCK_TO_PRODUCT", 100)
    period, _, _ = slowest_path((tmp_path / "top.sdf").read_text())
    assert 1e-6 / period == pytest.approx(clock["achieved"], rel=1e-3)


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


def test_slowest_path_starts_at_the_multiplier_and_goes_through_everything_behind_it() -> None:
    period, start, end = slowest_path(SDF)
    assert period == pytest.approx((2009 + 700 + 1200 + 1000 + 300) * 1e-12)
    assert (start, end) == (r"mac\$1_DSP/O_0", "far/I0")


REGISTERS = ("A_REG", "B_REG", "PIPELINE_16x16_MULT_REG2")


@pytest.mark.parametrize("missing", [None, *REGISTERS])
@pytest.mark.parametrize("output", [0, 3])
def test_only_multipliers_with_all_registers_can_be_timed(missing: str | None, output: int) -> None:
    parameters = {register: "1" for register in REGISTERS if register != missing}
    parameters |= {f"{half}OUTPUT_SELECT": f"{output:032b}" for half in ("TOP", "BOT")}
    cells = {"mac": {"type": "SB_MAC16", "parameters": parameters}, "lut": {"type": "SB_LUT4", "parameters": {}}}
    assert untimed_multipliers(cells) == ([] if missing is None and output == 3 else ["mac"])
