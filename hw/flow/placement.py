"""What place and route reports."""

from dataclasses import dataclass, replace
from typing import Any, Self

from hw.flow.sdf_timing import slowest_path
from hw.flow.tools import BuildError
from hw.fpga.resources import Resources
from hw.fpga.tool_flow import SdfTiming, ToolFlow


class PlacementError(BuildError):
    """A placement that is of no use; one with another seed may be."""


@dataclass(frozen=True)
class Placement:
    """What place and route made of a design.

    Attributes
    ----------
    used, available : Resources
        What the design takes, and what the device has.
    fmax_hz : float
        The highest clock that this placement allows.
    constraint_hz : float
        The clock that the PLL makes.
    slowest_path : tuple of str
        Names of the cells at both ends of the path that sets `fmax_hz`.
    """

    used: Resources
    available: Resources
    fmax_hz: float
    constraint_hz: float
    slowest_path: tuple[str, str]

    @classmethod
    def parse(cls, report: dict[str, Any], flow: ToolFlow) -> Self:
        """Read nextpnr's report.

        Parameters
        ----------
        report : dict
            The report.
        flow : ToolFlow
            The family's, for the names of sites.

        Returns
        -------
        Placement
            What the report says.

        Raises
        ------
        BuildError
            Unless there is exactly one clock.
        """
        clocks = report["fmax"]
        if len(clocks) != 1:
            raise BuildError(f"the design has {len(clocks)} clocks with paths ({', '.join(clocks)}); it must have one")
        [(name, clock)] = clocks.items()
        ends = {f"posedge {name}"}
        [path] = [path["path"] for path in report["critical_paths"] if {path["from"], path["to"]} == ends]
        used, available = (flow.reported(report["utilization"], what) for what in ("used", "available"))
        return cls(
            used,
            available,
            fmax_hz=clock["achieved"] * 1e6,
            constraint_hz=clock["constraint"] * 1e6,
            slowest_path=(path[0]["from"]["cell"], path[-1]["to"]["cell"]),
        )

    def timed_by(self, sdf: str, timing: SdfTiming) -> Self:
        """Correct the timing by delays that nextpnr does not know.

        Parameters
        ----------
        sdf : str
            The delays that nextpnr wrote.
        timing : SdfTiming
            The family's.

        Returns
        -------
        Placement
            With the slower of both timings.
        """
        period, start, end = slowest_path(sdf, timing)
        return self if 1 / period >= self.fmax_hz else replace(self, fmax_hz=1 / period, slowest_path=(start, end))
