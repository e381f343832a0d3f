"""The Artix-7 family.

Documents, all by AMD (Xilinx):

- DS180, 7 Series FPGAs Data Sheet: Overview
- DS181, Artix-7 FPGAs Data Sheet: DC and AC Switching Characteristics
- UG472, 7 Series FPGAs Clocking Resources User Guide
- UG473, 7 Series FPGAs Memory Resources User Guide
- UG474, 7 Series FPGAs Configurable Logic Block User Guide
- UG479, 7 Series DSP48E1 Slice User Guide
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from amaranth import Const, Instance, Module, Signal
from amaranth.lib import io

from hw.fpga.pll import Limits, Pll
from hw.fpga.technology import LogicCosts, LutRam, Technology
from hw.fpga.tool_flow import TOP, ToolFlow, VendorTool

ARTIX7 = Technology(
    name="Artix-7",
    fabric="Artix-7",
    flow=ToolFlow(
        cells={
            "logic": tuple(f"LUT{inputs}" for inputs in range(1, 7)),
            "multipliers": ("DSP48E1",),
            "block_ram": ("RAMB18E1", "RAMB36E1", "RAMB36E1"),
        },
        bitstream=f"{TOP}.bit",
        vendor=VendorTool(name="vivado", estimate="synth_xilinx -family xc7 -flatten -noiopad"),
    ),
    logic_costs=LogicCosts(choices=0.428, registers=0.418),  # fitted to the ECP5, whose cells hold less; not to these
    multiplier_width=18,  # of 18 x 25: UG479
    multiplier_latency=2,
    multiplier_logic=1.4,
    memory_latency=2,
    fine_stages=True,
    expected_fmax_hz=None,
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),  # a RAMB18E1: UG473
    lut_ram=LutRam(words=32, bits=6, cells=4),  # simple dual port, in a SLICEM: UG474, "Distributed RAM"
)


@dataclass(frozen=True)
class Artix7Dividers:
    """Divisors of a PLLE2: output = input * multiplier / divider / output.

    Source: UG472, attributes of the PLL.

    Attributes
    ----------
    divider, multiplier, output : int
        DIVCLK_DIVIDE, 1 to 56; CLKFBOUT_MULT, 2 to 64; CLKOUT0_DIVIDE, 1 to 128.
    """

    divider: int
    multiplier: int
    output: int


class Artix7Pll(Pll):
    """A PLLE2_BASE of speed grade -1, from the default clock's input buffer to a global buffer.

    The highest phase detector frequency has the least jitter.

    Limits: DS181, "PLL Specification"; the highest output is the global buffer's FMAX_BUFG.
    """

    reset_seconds = 15e-6  # no document asks for it: as long as an iCE40 needs
    inputs = Limits("PLL input of", 19e6, 800e6)
    outputs = Limits("PLL output of", 6.25e6, 464e6)
    oscillator = Limits("VCO of", 800e6, 1600e6)
    detector = Limits("phase detector of", 19e6, 450e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Artix7Dividers]]:
        for divider, multiplier in product(reversed(range(1, 57)), range(2, 65)):
            made = input_hz * multiplier / divider
            if input_hz / divider in cls.detector and made in cls.oscillator:
                for output in range(1, 129):
                    yield made / output, Artix7Dividers(divider, multiplier, output)

    def elaborate(self, platform: Any) -> Module:
        """Instantiate the cell, its dividers set for the platform's default clock."""
        m = Module()
        input_hz = platform.default_clk_frequency
        dividers = self.dividers(input_hz)
        m.submodules.buffer = buffer = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        feedback, output = Signal(), Signal()
        m.submodules.pll = Instance(
            "PLLE2_BASE",
            p_CLKIN1_PERIOD=1e9 / input_hz,
            p_DIVCLK_DIVIDE=dividers.divider,
            p_CLKFBOUT_MULT=dividers.multiplier,
            p_CLKOUT0_DIVIDE=dividers.output,
            i_CLKIN1=buffer.i,
            i_CLKFBIN=feedback,
            i_PWRDWN=Const(0),
            i_RST=Const(0),
            o_CLKFBOUT=feedback,
            o_CLKOUT0=output,
            o_LOCKED=self.locked,
        )
        m.submodules.global_buffer = Instance("BUFG", i_I=output, o_O=self.clock)
        return m
