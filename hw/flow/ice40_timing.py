"""The clock that an iCE40 UltraPlus design reaches, its multipliers included.

nextpnr takes every SB_MAC16 for registered at its inputs and outputs, whether it is or not, and its results for being
there 0.1 ns after the clock. So a multiplier must have its registers, and all paths are timed again here, from the
delays that nextpnr writes (SDF) and the true one of the multipliers.
"""

import re
from collections import defaultdict
from functools import cache
from typing import Any

CLOCK_TO_PRODUCT = 2009  # picoseconds, slowest corner
PRODUCT = 3  # the output selection that is the product, without the adder behind it

CLOCK_PINS = {"CLK", "RCLK", "WCLK", "CLOCK"}

_WIRE = re.compile(r"\(INTERCONNECT (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_CELL = re.compile(r'\(CELLTYPE "(\w+)"\)\s*\(INSTANCE (\S+)\)(.*?)(?=\(CELL\b|\Z)', re.DOTALL)
_ARC = re.compile(r"\(IOPATH (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_SETUP = re.compile(r"\(SETUPHOLD \(\w+ (\S+)\) \(\w+ \S+\) \(\S+:\S+:(\d+)\)")


def untimed_multipliers(cells: dict[str, dict[str, Any]]) -> list[str]:
    """Names of the multipliers without registers at both ends, in a netlist as Yosys writes it: cells by name."""
    return [name for name, cell in cells.items() if cell["type"] == "SB_MAC16" and not _registered(cell["parameters"])]


def _registered(parameters: dict[str, str]) -> bool:
    value = defaultdict(int, {name: int(digits, 2) for name, digits in parameters.items()})
    outputs = {value["TOPOUTPUT_SELECT"], value["BOTOUTPUT_SELECT"]}
    return outputs == {PRODUCT} and all(value[name] for name in ("A_REG", "B_REG", "PIPELINE_16x16_MULT_REG2"))


def slowest_path(sdf: str) -> tuple[float, str, str]:
    """The shortest period in seconds of a placed and routed design, and the pins of the path that sets it."""
    arcs: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)  # through wires and unclocked cells
    launches: dict[str, int] = {}
    setups: dict[str, int] = {}
    for driver, load, delay in _WIRE.findall(sdf):
        arcs[driver].append((load, int(delay)))
    for kind, instance, body in _CELL.findall(sdf):
        for start, end, delay in _ARC.findall(body):
            if start in CLOCK_PINS:
                launches[f"{instance}/{end}"] = CLOCK_TO_PRODUCT if kind == "ICESTORM_DSP" else int(delay)
            else:
                arcs[f"{instance}/{start}"].append((f"{instance}/{end}", int(delay)))
        setups.update((f"{instance}/{pin}", int(delay)) for pin, delay in _SETUP.findall(body))

    @cache
    def slowest(pin: str) -> tuple[int, str]:
        paths = [(setups.get(pin, 0), pin)]
        for after, delay in arcs.get(pin, ()):
            behind, end = slowest(after)
            paths.append((delay + behind, end))
        return max(paths)

    picoseconds, start, end = max((delay + slowest(pin)[0], pin, slowest(pin)[1]) for pin, delay in launches.items())
    return picoseconds * 1e-12, start, end
