"""The clock that an iCE40 UltraPlus design reaches, its multipliers included.

nextpnr takes every SB_MAC16 for registered at its inputs and outputs, with next to no delay, whether it is or not.
Here all paths are timed again, from the delays that nextpnr writes (SDF), with what the multipliers really do.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

# Slowest corner, picoseconds: clock to product from the last register, and all the way from operand to product, which
# bounds every part of that way as well.
CLOCK_TO_PRODUCT = 2009
OPERAND_TO_PRODUCT = 9050

# What an output can be connected to.
OUTPUT_REGISTER, PRODUCT = 1, 3

CLOCK_PINS = {"CLK", "RCLK", "WCLK", "CLOCK"}

_WIRE = re.compile(r"\(INTERCONNECT (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_CELL = re.compile(r'\(CELLTYPE "(\w+)"\)\s*\(INSTANCE (\S+)\)(.*?)(?=\(CELL\b|\Z)', re.DOTALL)
_ARC = re.compile(r"\(IOPATH (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_SETUP = re.compile(r"\(SETUPHOLD \(\w+ (\S+)\) \(\w+ \S+\) \(\S+:\S+:(\d+)\)")


@dataclass(frozen=True)
class Multiplier:
    """Which registers of an SB_MAC16 are in use.

    `operands`: those of A, B, C and D. `inner`: one between the operands A and B and the adder. `last`: the product is
    taken from a register, not from the adder.
    """

    operands: frozenset[str]
    inner: bool
    last: bool

    @classmethod
    def of(cls, parameters: dict[str, str]) -> "Multiplier":
        """From the parameters in Yosys's netlist, binary digits each."""
        value = defaultdict(int, {name: int(digits, 2) for name, digits in parameters.items()})
        outputs = {value["TOPOUTPUT_SELECT"], value["BOTOUTPUT_SELECT"]}
        product_registered = bool(value["PIPELINE_16x16_MULT_REG2"])
        return cls(
            operands=frozenset(operand for operand in "ABCD" if value[f"{operand}_REG"]),
            inner=product_registered or bool(value["PIPELINE_16x16_MULT_REG1"]),
            last=outputs == {OUTPUT_REGISTER} or (outputs == {PRODUCT} and product_registered),
        )

    @property
    def clock_to_product(self) -> int:
        return CLOCK_TO_PRODUCT if self.last else OPERAND_TO_PRODUCT

    def stops(self, operand: str) -> bool:
        """Whether a register lies between an operand pin, whose own is not in use, and the product."""
        return self.last or (self.inner and operand in "AB")


def multipliers(cells: dict[str, dict[str, Any]]) -> dict[str, Multiplier]:
    """The multipliers of a netlist, cells by name, under the names that place and route gives them."""
    return {
        f"{name}_DSP": Multiplier.of(cell["parameters"]) for name, cell in cells.items() if cell["type"] == "SB_MAC16"
    }


class Delays:
    """Delays of a placed and routed design in picoseconds: the graph that paths run through.

    Attributes:
        arcs: from each pin to the next ones, through wires and unclocked cells.
        launches: output pins of clocked cells, from the clock.
        setups: input pins of clocked cells.
    """

    def __init__(self, sdf: str, multipliers: dict[str, Multiplier]):
        self.arcs: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self.launches: dict[str, int] = {}
        self.setups: dict[str, int] = {}
        for driver, load, delay in _WIRE.findall(sdf):
            self.arcs[driver].append((load, int(delay)))
        for kind, instance, body in _CELL.findall(sdf):
            arcs = [(start, end, int(delay)) for start, end, delay in _ARC.findall(body)]
            setups = [(pin, int(delay)) for pin, delay in _SETUP.findall(body)]
            if kind == "ICESTORM_DSP":
                products = [end for start, end, _ in arcs if start in CLOCK_PINS]
                self._add_multiplier(instance, multipliers[instance.replace("\\", "")], products, setups)
                continue
            for start, end, delay in arcs:
                if start in CLOCK_PINS:
                    self.launches[f"{instance}/{end}"] = delay
                else:
                    self.arcs[f"{instance}/{start}"].append((f"{instance}/{end}", delay))
            self.setups.update((f"{instance}/{pin}", delay) for pin, delay in setups)

    def _add_multiplier(
        self, instance: str, multiplier: Multiplier, products: Iterable[str], setups: Iterable[tuple[str, int]]
    ) -> None:
        self.launches.update((f"{instance}/{product}", multiplier.clock_to_product) for product in products)
        for pin, setup in setups:
            operand, _, bit = pin.partition("_")
            if operand not in {"A", "B", "C", "D"} or not bit or operand in multiplier.operands:
                self.setups[f"{instance}/{pin}"] = setup
            elif multiplier.stops(operand):
                self.setups[f"{instance}/{pin}"] = OPERAND_TO_PRODUCT
            else:
                self.arcs[f"{instance}/{pin}"] += [
                    (f"{instance}/{product}", OPERAND_TO_PRODUCT) for product in products
                ]

    def slowest_path(self) -> tuple[int, str, str]:
        """Picoseconds from clock to clock, and the pins at both ends."""

        @cache
        def slowest(pin: str) -> tuple[int, str]:
            paths = [(self.setups.get(pin, 0), pin)]
            for after, delay in self.arcs.get(pin, ()):
                behind, end = slowest(after)
                paths.append((delay + behind, end))
            return max(paths)

        return max((delay + slowest(pin)[0], pin, slowest(pin)[1]) for pin, delay in self.launches.items())


def slowest_path(sdf: str, cells: dict[str, dict[str, Any]]) -> tuple[float, str, str]:
    """The shortest period in seconds of a placed and routed design, and the pins of the path that sets it.

    Parameters:
        sdf: its delays, as nextpnr writes them.
        cells: of the netlist before placement, by name, as Yosys writes them.
    """
    picoseconds, start, end = Delays(sdf, multipliers(cells)).slowest_path()
    return picoseconds * 1e-12, start, end
