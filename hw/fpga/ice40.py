"""The iCE40 family: UltraPlus (UP5K) and HX (HX8K).

Documents, all by Lattice:

- FPGA-DS-02008, iCE40 UltraPlus Family Data Sheet
- FPGA-DS-02029, iCE40 LP/HX Family Data Sheet
- FPGA-TN-02052, iCE40 sysCLOCK PLL Design and User Guide
- FPGA-TN-02002, Memory Usage Guide for iCE40 Devices
- FPGA-TN-02007, DSP Function Usage Guide for iCE40 Devices
- FPGA-TN-02022, iCE40 SPRAM Usage Guide
- FPGA-TN-02026, iCE40 Technology Library
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from amaranth import ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import io

from hw.fpga.pll import Limits, Pll
from hw.fpga.technology import LogicCosts, SinglePortRam, Technology
from hw.fpga.tool_flow import TOP, Cells, SdfTiming, ToolFlow

BLOCK_RAM = ((256, 16), (512, 8), (1024, 4), (2048, 2))  # FPGA-DS-02008, table 3.4; FPGA-TN-02002
COSTS = LogicCosts(choices=0.531, registers=0.708)  # fitted by scripts/studies/calibrate.py

MULTIPLIER = "SB_MAC16"
MULTIPLIER_REGISTERS = ("A_REG", "B_REG", "PIPELINE_16x16_MULT_REG2")  # FPGA-TN-02007
PRODUCT = 3  # the output selection of the 16x16 product, without the adder behind it: FPGA-TN-02007

# Picoseconds from the clock to the last bit of a product, slowest corner. Source: Project IceStorm,
# icefuzz/timings_up5k.txt, SB_MAC16_MUL_S_16X16_ALL_PIPELINE, O[16]: 2008.69.
CLOCK_TO_PRODUCT = 2009


def multiplier(a: Signal, b: Signal, product: Signal) -> Instance:
    """Make an SB_MAC16 (FPGA-TN-02007) that multiplies signed words.

    Latency: 2 cycles, by registers of the operands and the one behind the adder of the partial products. Throughput: a
    product per cycle.

    Parameters
    ----------
    a, b : Signal, signed(16)
        Operands.
    product : Signal, signed(32)
        Output.

    Returns
    -------
    Instance
        The cell.
    """
    return Instance(
        MULTIPLIER,
        p_A_REG=Const(1),
        p_B_REG=Const(1),
        p_A_SIGNED=Const(1),
        p_B_SIGNED=Const(1),
        p_PIPELINE_16x16_MULT_REG2=Const(1),
        p_TOPOUTPUT_SELECT=Const(PRODUCT, 2),
        p_BOTOUTPUT_SELECT=Const(PRODUCT, 2),
        i_CLK=ClockSignal(),
        i_CE=Const(1),
        i_A=a,
        i_B=b,
        i_C=Const(0, 16),
        i_D=Const(0, 16),
        o_O=product,
        **{
            f"i_{pin}": Const(0)
            for pin in (
                *("AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT", "OLOADTOP"),
                *("OLOADBOT", "ADDSUBTOP", "ADDSUBBOT", "OHOLDTOP", "OHOLDBOT", "CI", "ACCUMCI", "SIGNEXTIN"),
            )
        },
    )


def unregistered_multipliers(cells: Cells) -> list[str]:
    """Name the multipliers of a netlist that lack registers at either end.

    Parameters
    ----------
    cells : Cells
        The netlist's.

    Returns
    -------
    list of str
        Names of the cells.
    """
    return [name for name, cell in cells.items() if cell["type"] == MULTIPLIER and not _registered(cell["parameters"])]


def _registered(parameters: dict[str, str]) -> bool:
    value = defaultdict(int, {name: int(digits, 2) for name, digits in parameters.items()})
    outputs = {value["TOPOUTPUT_SELECT"], value["BOTOUTPUT_SELECT"]}
    return outputs == {PRODUCT} and all(value[name] for name in MULTIPLIER_REGISTERS)


def single_port_ram(address: Value, data: Value, write: Value, found: Signal) -> Instance:
    """Make an SB_SPRAM256KA (FPGA-TN-02022, section 2.1) that is always selected and awake.

    It either reads or writes in a cycle. Latency of a read: 1 cycle.

    Parameters
    ----------
    address : Value, unsigned(14)
        Word that is read or written.
    data : Value, up to 16 bits
        Word to be written.
    write : Value, 1 bit
        Whether `data` is written; else the word at `address` is read.
    found : Signal, unsigned(16)
        Output.

    Returns
    -------
    Instance
        The cell.
    """
    return Instance(
        "SB_SPRAM256KA",
        i_CLOCK=ClockSignal(),
        i_ADDRESS=address,
        i_DATAIN=data,
        i_MASKWREN=0b1111,
        i_WREN=write,
        i_CHIPSELECT=1,
        i_STANDBY=0,
        i_SLEEP=0,
        i_POWEROFF=1,  # active low: FPGA-TN-02022, table 2.1
        o_DATAOUT=found,
    )


ICE40UP5K = Technology(
    name="iCE40UP5K",
    fabric="iCE40",
    flow=ToolFlow(
        cells={"multipliers": (MULTIPLIER,), "block_ram": ("SB_RAM40_4K",), "single_port_ram": ("SB_SPRAM256KA",)},
        sites={
            "logic": "ICESTORM_LC",
            "multipliers": "ICESTORM_DSP",
            "block_ram": "ICESTORM_RAM",
            "single_port_ram": "ICESTORM_SPRAM",
        },
        bitstream=f"{TOP}.bin",
        layout_option="--asc",
        synthesis="-device u",
        # nextpnr takes every SB_MAC16 for registered at its inputs and outputs, whether it is or not, and its product
        # for being there 0.1 ns after the clock.
        sdf_timing=SdfTiming(
            clock_pins=frozenset({"CLK", "RCLK", "WCLK", "CLOCK"}),
            clock_to_output={"ICESTORM_DSP": CLOCK_TO_PRODUCT},
            unregistered=unregistered_multipliers,
        ),
    ),
    logic_costs=COSTS,
    multiplier_width=16,  # FPGA-DS-02008, section 3.1.7
    # Yosys 0.70 replaces some products by zeros when it packs registers and adders into SB_MAC16.
    multiplier_cell=multiplier,
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    expected_fmax_hz=(38e6, 38e6),
    block_ram=BLOCK_RAM,
    single_port_ram=SinglePortRam(16384, 16, single_port_ram),  # FPGA-DS-02008, section 3.1.6
)


ICE40HX8K = Technology(
    name="iCE40HX8K",
    fabric="iCE40",
    flow=ToolFlow(
        cells={"block_ram": ("SB_RAM40_4K",)},
        sites={"logic": "ICESTORM_LC", "block_ram": "ICESTORM_RAM"},
        bitstream=f"{TOP}.bin",
        layout_option="--asc",
    ),
    logic_costs=COSTS,
    multiplier_width=None,
    multiplier_latency=2,
    multiplier_logic=1.3,
    memory_latency=1,
    fine_stages=False,
    expected_fmax_hz=(76e6, 76e6),
    block_ram=BLOCK_RAM,
)


@dataclass(frozen=True)
class Ice40Dividers:
    """Parameters of an SB_PLL40 with simple feedback: output = input * (divf + 1) / (divr + 1) / 2**divq.

    Source: FPGA-TN-02052; Project IceStorm's icepll for divf above 63 and for the loop filter.

    Attributes
    ----------
    divr, divf, divq : int
        Dividers, 0 to 15, 0 to 127 and 1 to 6.
    filter_range : int
        Loop filter, 1 to 6.
    """

    divr: int
    divf: int
    divq: int
    filter_range: int


class Ice40Pll(Pll):
    """An SB_PLL40_PAD, on the pad of the default clock. The highest phase detector frequency has the least jitter.

    Limits: FPGA-DS-02008, section 4.26, and FPGA-DS-02029, "sysCLOCK PLL Timing".
    """

    cell = "SB_PLL40_PAD"
    # Block RAM reads zeros for some 3 us after configuration; five times that covers process and temperature.
    reset_seconds = 15e-6
    inputs = Limits("PLL input of", 10e6, 133e6)
    outputs = Limits("PLL output of", 16e6, 275e6)
    oscillator = Limits("VCO of", 533e6, 1066e6)
    detector = Limits("phase detector of", 10e6, 133e6)
    # The loop filter is chosen by the phase detector's frequency: below the bound of its index (from 1). As icepll.
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
        """Instantiate the cell, its dividers set for the platform's default clock."""
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
        """Connect the cell's clock input.

        Parameters
        ----------
        m : Module
            Takes cells between pad and PLL.
        pad : io.PortLike
            The default clock's pad.

        Returns
        -------
        dict
            The cell's input as an argument of `Instance`.
        """
        return {"i_PACKAGEPIN": pad.io}


class Ice40CorePll(Ice40Pll):
    """An SB_PLL40_CORE, for a default clock on a pad that has no PLL."""

    cell = "SB_PLL40_CORE"

    def input(self, m: Module, pad: io.PortLike) -> dict[str, Any]:
        """Connect the cell's clock input, through an input buffer."""
        reference = Signal()
        m.submodules.buffer = Instance(
            "SB_IO",
            p_PIN_TYPE=Const(0b000001, 6),  # input only, not registered: FPGA-TN-02026
            io_PACKAGE_PIN=pad.io,
            o_D_IN_0=reference,
        )
        return {"i_REFERENCECLK": reference}
