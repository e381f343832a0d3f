"""The Artix-7 family."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from amaranth import Const, Instance, Module, Signal
from amaranth.lib import io

from hw.fpga.ecp5 import ECP5_COSTS
from hw.fpga.pll import Limits, Pll
from hw.fpga.technology import LutRam, Technology

ARTIX7 = Technology(
    name="Artix-7",
    fabric="Artix-7",
    logic_costs=ECP5_COSTS,  # not fitted to this family, whose cells hold more
    multiplier_width=18,  # of 18 x 25
    multiplier_latency=2,
    multiplier_logic=1.4,
    memory_latency=2,
    fine_stages=True,
    expected_fmax_hz=None,
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    lut_ram=LutRam(words=32, bits=6, cells=4),
)


@dataclass(frozen=True)
class Artix7Dividers:
    """Divisors of a PLLE2: output = input * multiplier / divider / output."""

    divider: int
    multiplier: int
    output: int


class Artix7Pll(Pll):
    """PLLE2_BASE of speed grade -1, from the default clock's input buffer to a global buffer.

    The highest phase detector frequency has the least jitter.
    """

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
