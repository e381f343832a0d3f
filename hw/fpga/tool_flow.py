"""How the tools build for a family: their options, and their names for its cells and sites."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hw.fpga.resources import Resources
from hw.fpga.sites import Blocks

TOP = "top"

Cells = Mapping[str, Mapping[str, Any]]
"""Cells of a netlist by name, as Yosys writes them to JSON."""


@dataclass(frozen=True, kw_only=True)
class SdfTiming:
    """What is needed to time a placed design again, for a family some of whose delays nextpnr does not know.

    Attributes
    ----------
    clock_pins : frozenset of str
        Clock inputs of the family's cells.
    clock_to_output : mapping of str to int
        Delay from the clock to the outputs in picoseconds, by cell type in nextpnr's SDF; replaces what the SDF says.
    unregistered : callable
        Names of the cells in a netlist that lack the registers which `clock_to_output` assumes.
    """

    clock_pins: frozenset[str]
    clock_to_output: Mapping[str, int] = field(hash=False)
    unregistered: Callable[[Cells], list[str]]


@dataclass(frozen=True, kw_only=True)
class VendorTool:
    """A vendor's tool, for a family that no open tool places and routes.

    Attributes
    ----------
    name : str
        The tool's command.
    estimate : str
        Yosys' synthesis command for the family, to estimate what a design takes.
    """

    name: str
    estimate: str


@dataclass(frozen=True, kw_only=True)
class ToolFlow:
    """How the tools build for a family.

    Attributes
    ----------
    cells : mapping of str to tuple of str
        Cell types after synthesis that make up each of `Resources`. A type that counts for two is named twice.
    bitstream : str
        File name of the bitstream.
    sites : mapping of str to str
        Name of each of `Resources` in nextpnr's report.
    taking : mapping of str to int
        Other sites in nextpnr's report that take logic cells, and how many each.
    layout_option : str
        Option of nextpnr before the file name of the routed design.
    synthesis : str
        Options of Yosys' synthesis command.
    crowded : str
        Options of nextpnr for a design that fills much of its device.
    floors : mapping of str to sequence of Blocks
        Sites of hard blocks for `hw.flow.floorplan`, by the platform's device.
    sdf_timing : SdfTiming or None
        How a placed design is timed again; None where nextpnr knows all delays.
    vendor : VendorTool or None
        The vendor's tool; None where nextpnr places and routes.
    """

    cells: Mapping[str, tuple[str, ...]] = field(hash=False)
    bitstream: str
    sites: Mapping[str, str] = field(default_factory=dict, hash=False)
    taking: Mapping[str, int] = field(default_factory=dict, hash=False)
    layout_option: str = ""
    synthesis: str = ""
    crowded: str = ""
    floors: Mapping[str, Sequence[Blocks]] = field(default_factory=dict, hash=False)
    sdf_timing: SdfTiming | None = None
    vendor: VendorTool | None = None

    def reported(self, utilisation: Mapping[str, Mapping[str, int]], what: str) -> Resources:
        """Read what a design takes, or what a device has, from nextpnr's report.

        Parameters
        ----------
        utilisation : mapping
            The report's, by site.
        what : {"used", "available"}
            Which.

        Returns
        -------
        Resources
            Amounts; 0 of what `sites` does not name.
        """
        amounts = {name: utilisation[site][what] for name, site in self.sites.items()}
        if what == "used":
            amounts["logic"] += sum(cells * utilisation[site]["used"] for site, cells in self.taking.items())
        return Resources(**amounts)

    def count(self, cells: Cells) -> Resources:
        """Count the hard blocks, and the logic cells if `cells` names any, of a netlist.

        Parameters
        ----------
        cells : Cells
            The netlist's.

        Returns
        -------
        Resources
            Amounts; 0 of what this flow names no cells for.
        """
        counts = Counter(cell["type"] for cell in cells.values())
        return Resources(**{name: sum(counts[kind] for kind in kinds) for name, kinds in self.cells.items()})
