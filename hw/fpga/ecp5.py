"""Sites of the hard blocks of ECP5 parts, by nextpnr's names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from amaranth import Const, Instance, Module, Signal
from amaranth.lib import io

from hw.fpga.pll import Limits, Pll
from hw.fpga.sites import Blocks, Site
from hw.fpga.technology import LogicCosts, LutRam, Technology

COLUMNS = (*range(4, 60, 9), *range(69, 115, 9))  # in which groups of sites begin


def _sites(rows: Iterable[int], columns: Mapping[str, int]) -> tuple[Site, ...]:
    """Of a kind of block, in these rows. `columns`: of each site of a group, past the group's first."""
    return tuple(
        Site(first + column, row, f"X{first + column}/Y{row}/{name}")
        for row in rows
        for first in COLUMNS
        for name, column in columns.items()
    )


PARTS = {
    "LFE5U-85F": (
        Blocks(("MULT18X18D",), _sites((10, 34, 58), {"MULT18_0": 0, "MULT18_1": 1, "MULT18_4": 4, "MULT18_5": 5})),
        Blocks(("DP16KD", "PDPW16KD"), _sites((22, 46, 70, 82), {"EBR0": 0, "EBR1": 2, "EBR2": 4, "EBR3": 6})),
    )
}


ECP5_COSTS = LogicCosts(choices=0.428, registers=0.418)


ECP5 = Technology(
    name="ECP5",
    fabric="ECP5",
    logic_costs=ECP5_COSTS,
    multiplier_width=18,
    multiplier_cell="MULT18X18D",
    multiplier_latency=2,
    multiplier_logic=1.4,
    memory_latency=2,
    fine_stages=True,
    expected_fmax_hz=(110e6, 99e6),
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    lut_ram=LutRam(words=16, bits=4, cells=6),  # two cells only write
)


@dataclass(frozen=True)
class Ecp5Dividers:
    """Divisors of an EHXPLLL with feedback from its output: output = input * feedback / reference."""

    reference: int
    feedback: int
    output: int


class Ecp5Pll(Pll):
    """EHXPLLL, from the default clock's input buffer; and the chip's own reset network.

    Routed like a signal, a reset of thousands of flip-flops takes the place of others and is their slowest path. The
    highest phase detector frequency has the least jitter; the oscillator is kept near the middle of its range.
    """

    resets = True
    inputs = Limits("PLL input of", 8e6, 400e6)
    outputs = Limits("PLL output of", 3.125e6, 400e6)
    oscillator = Limits("VCO of", 400e6, 800e6)
    detector = Limits("phase detector of", 3.125e6, 400e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Ecp5Dividers]]:
        middle = (cls.oscillator.low + cls.oscillator.high) / 2
        for reference, feedback in product(reversed(range(1, 129)), range(1, 129)):
            made = input_hz * feedback / reference
            output = min(max(round(middle / made), 1), 128)
            if input_hz / reference in cls.detector and made * output in cls.oscillator:
                yield made, Ecp5Dividers(reference, feedback, output)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        input_hz = platform.default_clk_frequency
        dividers = self.dividers(input_hz)
        m.submodules.buffer = buffer = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{input_hz / 1e6:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.output_hz / 1e6:g}",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=dividers.reference,
            p_CLKFB_DIV=dividers.feedback,
            p_CLKOP_DIV=dividers.output,
            p_CLKOP_CPHASE=dividers.output - 1,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=buffer.i,
            i_CLKFB=self.clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=self.clock,
            o_LOCK=self.locked,
        )
        run = self.locked
        for stage in range(2):
            later = Signal()
            m.submodules[f"run{stage}"] = Instance("FD1S3AX", p_GSR="DISABLED", i_CK=self.clock, i_D=run, o_Q=later)
            run = later
        m.submodules.reset = Instance("SGSR", i_CLK=self.clock, i_GSR=run)
        return m
