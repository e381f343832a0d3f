"""The ECP5 family.

Documents, all by Lattice:

- FPGA-DS-02012, ECP5 and ECP5-5G Family Data Sheet
- FPGA-TN-02200, ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and User Guide
- FPGA-TN-02204, ECP5 and ECP5-5G Memory Usage Guide
- FPGA-TN-02205, ECP5 and ECP5-5G sysDSP Usage Guide

Sites are those of Project Trellis' database, by nextpnr's names; a test compares them with nextpnr.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from amaranth import ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import io

from hw.fpga.pll import Limits, Pll
from hw.fpga.sites import Blocks, Site
from hw.fpga.technology import LogicCosts, LutRam, Technology
from hw.fpga.tool_flow import TOP, ToolFlow

COLUMNS = (*range(4, 60, 9), *range(69, 115, 9))  # in which groups of sites begin


def _sites(rows: Iterable[int], columns: Mapping[str, int]) -> tuple[Site, ...]:
    """List the sites of one kind of block in `rows`; `columns` has each site of a group, past the group's first."""
    return tuple(
        Site(first + column, row, f"X{first + column}/Y{row}/{name}")
        for row in rows
        for first in COLUMNS
        for name, column in columns.items()
    )


MULTIPLIERS = Blocks(
    ("MULT18X18D",), _sites((10, 34, 58), {"MULT18_0": 0, "MULT18_1": 1, "MULT18_4": 4, "MULT18_5": 5})
)
BLOCK_RAMS = Blocks(("DP16KD", "PDPW16KD"), _sites((22, 46, 70, 82), {"EBR0": 0, "EBR1": 2, "EBR2": 4, "EBR3": 6}))


def multiplier(a: Signal, b: Signal, product: Signal) -> Instance:
    """Make a MULT18X18D (FPGA-TN-02205) that multiplies signed words.

    Latency: 2 cycles, by registers of the operands and of the product. Throughput: a product per cycle. Place and route
    knows no delay between these registers.

    Parameters
    ----------
    a, b : Signal, signed(18)
        Operands.
    product : Signal, signed(36)
        Output.

    Returns
    -------
    Instance
        The cell.
    """
    return _multiplier(
        a,
        b,
        product,
        **{f"p_REG_{place}_CLK": "CLK0" for place in ("INPUTA", "INPUTB", "OUTPUT")},
        i_CLK0=ClockSignal(),
        i_CE0=Const(1),
        i_RST0=Const(0),
    )


def combinational_multiplier(a: Signal, b: Signal, product: Signal) -> Instance:
    """Make a MULT18X18D that multiplies signed words without registers, which place and route takes for 3.9 ns.

    Parameters
    ----------
    a, b : Signal, signed(18)
        Operands.
    product : Signal, signed(36)
        Output.

    Returns
    -------
    Instance
        The cell.
    """
    return _multiplier(a, b, product)


def _multiplier(a: Signal, b: Signal, product: Signal, **registers: Any) -> Instance:
    return Instance(
        "MULT18X18D",
        **registers,
        **{f"i_SIGNED{operand}": Const(1) for operand in "AB"},
        **{f"i_SOURCE{operand}": Const(0) for operand in "AB"},
        **{f"i_A{bit}": a[bit] for bit in range(18)},
        **{f"i_B{bit}": b[bit] for bit in range(18)},
        **{f"o_P{bit}": product[bit] for bit in range(36)},
    )


_ECP5 = Technology(
    name="ECP5",
    fabric="ECP5",
    flow=ToolFlow(
        cells={"multipliers": MULTIPLIERS.kinds, "block_ram": BLOCK_RAMS.kinds},
        sites={"logic": "TRELLIS_COMB", "multipliers": "MULT18X18D", "block_ram": "DP16KD"},
        bitstream=f"{TOP}.bit",
        layout_option="--textcfg",
        # The usual placer and router reach higher clocks, but do not come to an end when wires are short.
        crowded="--placer static --router router2",
        floors={"LFE5U-85F": (MULTIPLIERS, BLOCK_RAMS)},
    ),
    logic_costs=LogicCosts(choices=0.428, registers=0.418),  # fitted by scripts/studies/calibrate.py
    multiplier_width=18,  # FPGA-DS-02012, section 2.9, "sysDSP Slice"
    multiplier_cell=multiplier,  # Yosys 0.70 packs no registers into MULT18X18D
    multiplier_latency=2,
    multiplier_logic=1.4,
    mixed_products=0.05,  # 16-72-1 has 6 beside 156
    memory_latency=2,
    fine_stages=True,
    expected_fmax_hz=(110e6, 99e6),
    # FPGA-DS-02012, section 2.8.1, "sysMEM Memory Block"; FPGA-TN-02204
    block_ram=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    lut_ram=LutRam(words=16, bits=4, cells=6),  # FPGA-DS-02012, section 2.2.2; two of the cells only write
)
ECP5_LOW_LATENCY = replace(
    _ECP5,
    logic_costs=replace(_ECP5.logic_costs, sums=1.18),  # of 2-8-1 alone, with other registers twice
    multiplier_cell=combinational_multiplier,
    multiplier_latency=0,
    memory_latency=1,
    fine_stages=False,
    operations_per_stage=6,
    expected_fmax_hz=(60e6, 42e6),  # 1-1, 4-2 and 2-8-1 reached 77, 59.7 and 53.4 MHz
)
ECP5 = replace(_ECP5, low_latency=ECP5_LOW_LATENCY)


@dataclass(frozen=True)
class Ecp5Dividers:
    """Divisors of an EHXPLLL: oscillator = input * feedback / reference, output = oscillator / output.

    Source: FPGA-TN-02200.

    Attributes
    ----------
    reference, feedback, output : int
        Divisors of the input, of the oscillator for the phase detector, and of the oscillator for the output, each 1
        to 128.
    """

    reference: int
    feedback: int
    output: int


class Ecp5Pll(Pll):
    """An EHXPLLL, from the default clock's input buffer; and the chip's own reset network.

    Routed like a signal, a reset of thousands of flip-flops takes the place of others and is their slowest path. The
    highest phase detector frequency has the least jitter; the oscillator is kept near the middle of its range. The
    feedback has an output of its own, so that the phase detector need not run at a divisor of the output's frequency.

    Limits: FPGA-DS-02012, "sysCLOCK PLL Timing".
    """

    resets = True
    inputs = Limits("PLL input of", 8e6, 400e6)
    outputs = Limits("PLL output of", 3.125e6, 400e6)
    oscillator = Limits("VCO of", 400e6, 800e6)
    detector = Limits("phase detector of", 10e6, 400e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Ecp5Dividers]]:
        middle = (cls.oscillator.low + cls.oscillator.high) / 2
        references = [each for each in reversed(range(1, 129)) if input_hz / each in cls.detector]
        for reference in references:
            oscillators = {input_hz * each / reference: each for each in range(1, 129)}
            legal = [hz for hz in oscillators if hz in cls.oscillator]
            for hz, output in product(sorted(legal, key=lambda hz: -abs(hz - middle)), range(1, 129)):
                feedback = oscillators[hz]
                yield input_hz * feedback / (reference * output), Ecp5Dividers(reference, feedback, output)

    def elaborate(self, platform: Any) -> Module:
        """Instantiate the cell, its dividers set for the platform's default clock."""
        m = Module()
        input_hz = platform.default_clk_frequency
        dividers = self.dividers(input_hz)
        m.submodules.buffer = buffer = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        feedback = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{input_hz / 1e6:g}",
            a_FREQUENCY_PIN_CLKOP=f"{input_hz / dividers.reference / 1e6:g}",
            a_FREQUENCY_PIN_CLKOS=f"{self.output_hz / 1e6:g}",
            # Charge pump and loop filter as Project Trellis' ecppll sets them.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=dividers.reference,
            p_CLKFB_DIV=1,
            p_CLKOP_DIV=dividers.feedback,
            p_CLKOP_CPHASE=dividers.feedback - 1,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOS_DIV=dividers.output,
            p_CLKOS_CPHASE=dividers.output - 1,
            p_CLKOS_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=buffer.i,
            i_CLKFB=feedback,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=feedback,
            o_CLKOS=self.clock,
            o_LOCK=self.locked,
        )
        run = self.locked
        for stage in range(2):
            later = Signal()
            m.submodules[f"run{stage}"] = Instance("FD1S3AX", p_GSR="DISABLED", i_CK=self.clock, i_D=run, o_Q=later)
            run = later
        m.submodules.reset = Instance("SGSR", i_CLK=self.clock, i_GSR=run)
        return m
