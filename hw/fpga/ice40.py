"""The iCE40 family."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from amaranth import Const, Instance, Module, Signal
from amaranth.lib import io

from hw.fpga.pll import Limits, Pll
from hw.fpga.technology import LogicCosts, Technology

ICE40_COSTS = LogicCosts(choices=0.531, registers=0.708)


ICE40UP5K = Technology(
    name="iCE40UP5K",
    fabric="iCE40",
    logic_costs=ICE40_COSTS,
    multiplier_width=16,
    multiplier_cell="SB_MAC16",
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    expected_fmax_hz=(38e6, 38e6),
    block_ram=((256, 16), (512, 8), (1024, 4), (2048, 2)),
    single_port_ram=(16384, 16),
)


ICE40HX8K = Technology(
    name="iCE40HX8K",
    fabric="iCE40",
    logic_costs=ICE40_COSTS,
    multiplier_width=None,
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    expected_fmax_hz=(76e6, 76e6),
    block_ram=ICE40UP5K.block_ram,
)


@dataclass(frozen=True)
class Ice40Dividers:
    """Parameters of an SB_PLL40 with simple feedback: output = input * (divf + 1) / (divr + 1) / 2**divq."""

    divr: int
    divf: int
    divq: int
    filter_range: int


class Ice40Pll(Pll):
    """SB_PLL40_PAD, on the pad of the default clock. The highest phase detector frequency has the least jitter."""

    cell = "SB_PLL40_PAD"
    inputs = Limits("PLL input of", 10e6, 133e6)
    outputs = Limits("PLL output of", 16e6, 275e6)
    oscillator = Limits("VCO of", 533e6, 1066e6)
    detector = Limits("phase detector of", 10e6, 133e6)
    # The loop filter is chosen by the phase detector's frequency: below the bound of its index (from 1).
    filter_bounds = (17e6, 26e6, 44e6, 66e6, 101e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Ice40Dividers]]:
        for divr in reversed(range(16)):
            detector = input_hz / (divr + 1)
            if detector not in cls.detector:
                continue
            filter_range = 1 + sum(detector >= bound for bound in cls.filter_bounds)
            for divf, divq in product(range(128), range(1, 7)):
                made = input_hz * (divf + 1) / (divr + 1)
                if made in cls.oscillator:
                    yield made / 2**divq, Ice40Dividers(divr, divf, divq, filter_range)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        dividers = self.dividers(platform.default_clk_frequency)
        m.submodules.pll = Instance(
            self.cell,
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            p_DIVR=Const(dividers.divr, 4),
            p_DIVF=Const(dividers.divf, 7),
            p_DIVQ=Const(dividers.divq, 3),
            p_FILTER_RANGE=Const(dividers.filter_range, 3),
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=self.clock,
            o_LOCK=self.locked,
            **self.input(m, platform.request(platform.default_clk, dir="-")),
        )
        return m

    def input(self, m: Module, pad: io.PortLike) -> dict[str, Any]:
        """The cell's port for its input."""
        return {"i_PACKAGEPIN": pad.io}


class Ice40CorePll(Ice40Pll):
    """SB_PLL40_CORE, for a default clock on a pad that has no PLL."""

    cell = "SB_PLL40_CORE"

    def input(self, m: Module, pad: io.PortLike) -> dict[str, Any]:
        reference = Signal()
        m.submodules.buffer = Instance(
            "SB_IO", p_PIN_TYPE=Const(0b000001, 6), io_PACKAGE_PIN=pad.io, o_D_IN_0=reference
        )
        return {"i_REFERENCECLK": reference}
