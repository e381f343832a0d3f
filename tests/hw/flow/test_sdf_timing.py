"""Paths out of multipliers are timed with their true delay, all others as by nextpnr."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hw.flow.placement import Placement
from hw.flow.sdf_timing import slowest_path
from hw.fpga.ice40 import ICE40UP5K

assert ICE40UP5K.flow.sdf_timing is not None
TIMING = ICE40UP5K.flow.sdf_timing


def test_paths_agree_with_place_and_route_if_multipliers_are_as_fast_as_it_takes_them(
    icebreaker_build: tuple[Placement, int, Path],
) -> None:
    directory = icebreaker_build[2].parent
    [clock] = json.loads((directory / "top.report.json").read_text())["fmax"].values()
    as_nextpnr = replace(TIMING, clock_to_output={})
    period, _, _ = slowest_path((directory / "top.sdf").read_text(), as_nextpnr)
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
    period, start, end = slowest_path(SDF, TIMING)
    assert period == pytest.approx((2009 + 700 + 1200 + 1000 + 300) * 1e-12)
    assert (start, end) == (r"mac\$1_DSP/O_0", "far/I0")
