"""What place and route reports."""

from dataclasses import dataclass
from typing import Any

from hw.flow.tools import BuildError
from hw.fpga.resources import Resources
from hw.fpga.tool_flow import Flow


class PlacementError(BuildError):
    """A placement that is of no use. That of another seed may be."""


@dataclass(frozen=True)
class Placement:
    """What place and route made, from nextpnr's report: used and available resources, and the clock.

    `slowest_path`: names of the cells at both ends of the path that sets `fmax_hz`.
    """

    used: Resources
    available: Resources
    fmax_hz: float
    constraint_hz: float
    slowest_path: tuple[str, str]

    @classmethod
    def parse(cls, report: dict[str, Any], flow: Flow) -> "Placement":
        """Raises BuildError unless there is exactly one clock."""
        clocks = report["fmax"]
        if len(clocks) != 1:
            raise BuildError(f"the design has {len(clocks)} clocks with paths ({', '.join(clocks)}); it must have one")
        [(name, clock)] = clocks.items()
        ends = {f"posedge {name}"}
        [path] = [path["path"] for path in report["critical_paths"] if {path["from"], path["to"]} == ends]
        used, available = (
            Resources(**{name: report["utilization"][site][what] for name, site in flow.sites.items()})
            for what in ("used", "available")
        )
        return cls(
            used,
            available,
            fmax_hz=clock["achieved"] * 1e6,
            constraint_hz=clock["constraint"] * 1e6,
            slowest_path=(path[0]["from"]["cell"], path[-1]["to"]["cell"]),
        )
