"""A netlist as Yosys writes it for place and route."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw.fpga.tool_flow import TOP


class Netlist:
    """The netlist of a design, in a file that place and route reads.

    Parameters
    ----------
    directory : Path
        Directory of the build, which has the file.

    Attributes
    ----------
    cells : dict
        The design's cells by name.
    """

    def __init__(self, directory: Path):
        self._path = directory / f"{TOP}.json"
        self._netlist = json.loads(self._path.read_text())
        self.cells: dict[str, dict[str, Any]] = self._netlist["modules"][TOP]["cells"]

    def fix(self, sites: Mapping[str, str]) -> None:
        """Write to the file on which sites place and route must put cells.

        Parameters
        ----------
        sites : mapping of str to str
            Site of each cell that has one, by names.
        """
        for name, site in sites.items():
            self.cells[name]["attributes"]["BEL"] = site
        self._path.write_text(json.dumps(self._netlist))
