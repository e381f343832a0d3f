"""How the tools speak of a family: cells, sites and options."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hw.fpga.artix7 import ARTIX7
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40HX8K, ICE40UP5K
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology

TOP = "top"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How the tools speak of a family: for each of `Resources`, names of cells after synthesis and of sites.

    A cell that counts for two is named twice. `synthesis`: options of synthesis; `crowded`: of place and route, for a
    design that fills much of its part. `times_multipliers`: whether place and route knows the delays of a multiplier.
    `vendor`: the tool that places and routes, and makes the bitstream, where no open one does.
    """

    technologies: tuple[Technology, ...]
    cells: dict[str, tuple[str, ...]]
    bitstream: str
    sites: dict[str, str] = field(default_factory=dict)
    synthesis: str = ""
    crowded: str = ""
    times_multipliers: bool = True
    vendor: str | None = None

    def count(self, cells: dict[str, dict[str, Any]]) -> Resources:
        """Of a netlist's cells, by name as Yosys writes them."""
        counts = Counter(cell["type"] for cell in cells.values())
        return Resources(**{name: sum(counts[kind] for kind in kinds) for name, kinds in self.cells.items()})


FLOWS = (
    Flow(
        technologies=(ICE40UP5K,),
        cells={"multipliers": ("SB_MAC16",), "block_ram": ("SB_RAM40_4K",), "single_port_ram": ("SB_SPRAM256KA",)},
        sites={
            "logic": "ICESTORM_LC",
            "multipliers": "ICESTORM_DSP",
            "block_ram": "ICESTORM_RAM",
            "single_port_ram": "ICESTORM_SPRAM",
        },
        bitstream=f"{TOP}.bin",
        times_multipliers=False,
        synthesis="-device u",
    ),
    Flow(
        technologies=(ICE40HX8K,),
        cells={"block_ram": ("SB_RAM40_4K",)},
        sites={"logic": "ICESTORM_LC", "block_ram": "ICESTORM_RAM"},
        bitstream=f"{TOP}.bin",
    ),
    Flow(
        technologies=(ECP5,),
        cells={"multipliers": ("MULT18X18D",), "block_ram": ("DP16KD", "PDPW16KD")},
        sites={"logic": "TRELLIS_COMB", "multipliers": "MULT18X18D", "block_ram": "DP16KD"},
        bitstream=f"{TOP}.bit",
        # The usual ones reach higher clocks, but do not come to an end when wires are short.
        crowded="--placer static --router router2",
    ),
    Flow(
        technologies=(ARTIX7,),
        cells={
            "logic": tuple(f"LUT{inputs}" for inputs in range(1, 7)),
            "multipliers": ("DSP48E1",),
            "block_ram": ("RAMB18E1", "RAMB36E1", "RAMB36E1"),
        },
        bitstream=f"{TOP}.bit",
        vendor="vivado",
    ),
)


def flow_of(technology: Technology) -> Flow:
    """The flow for a family. Raises ValueError naming those that there are."""
    for flow in FLOWS:
        if technology in flow.technologies:
            return flow
    known = ", ".join(technology.name for flow in FLOWS for technology in flow.technologies)
    raise ValueError(f"there is no build flow for {technology.name}; there is one for {known}")
