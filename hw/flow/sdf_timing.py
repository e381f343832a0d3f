"""Timing of a placed and routed design from the delays that nextpnr writes (SDF).

It is for families some of whose delays nextpnr takes wrongly (`hw.fpga.tool_flow.SdfTiming`): all paths are timed
again, with the right delays of these cells.
"""

import re
from collections import defaultdict
from functools import cache

from hw.fpga.tool_flow import SdfTiming

_WIRE = re.compile(r"\(INTERCONNECT (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_CELL = re.compile(r'\(CELLTYPE "(\w+)"\)\s*\(INSTANCE (\S+)\)(.*?)(?=\(CELL\b|\Z)', re.DOTALL)
_ARC = re.compile(r"\(IOPATH (\S+) (\S+) \(\S+:\S+:(\d+)\)")
_SETUP = re.compile(r"\(SETUPHOLD \(\w+ (\S+)\) \(\w+ \S+\) \(\S+:\S+:(\d+)\)")


def slowest_path(sdf: str, timing: SdfTiming) -> tuple[float, str, str]:
    """Find the slowest path between registers.

    Parameters
    ----------
    sdf : str
        What nextpnr wrote.
    timing : SdfTiming
        Clock pins, and delays that replace those of the SDF.

    Returns
    -------
    period : float
        The shortest clock period that the path allows, in seconds.
    start, end : str
        Pins at its ends.
    """
    arcs: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)  # through wires and unclocked cells
    launches: dict[str, int] = {}
    setups: dict[str, int] = {}
    for driver, load, delay in _WIRE.findall(sdf):
        arcs[driver].append((load, int(delay)))
    for kind, instance, body in _CELL.findall(sdf):
        for start, end, delay in _ARC.findall(body):
            if start in timing.clock_pins:
                launches[f"{instance}/{end}"] = timing.clock_to_output.get(kind, int(delay))
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
