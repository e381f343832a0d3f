"""What a design takes of its device, as `kanloom plan` and `kanloom build` show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from hw.fpga.resources import RESOURCE_NAMES, Resources


@dataclass(frozen=True)
class Usage:
    """What a design takes of one resource.

    Attributes
    ----------
    used, available : int
        Units of the resource.
    """

    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used} of {self.available} ({self.used / self.available:.0%})"


def usages(used: Resources, available: Resources) -> dict[str, Usage]:
    """Return the usage of each resource.

    Parameters
    ----------
    used, available : Resources
        What the design takes, and what the device has.

    Returns
    -------
    dict of str to Usage
        By the names of the fields of `Resources`.
    """
    return {name: Usage(getattr(used, name), getattr(available, name)) for name in RESOURCE_NAMES}


def add_rows(table: Table, usages: Mapping[str, Usage]) -> None:
    """Add a row for each resource that the device has.

    Parameters
    ----------
    table : Table
        It gets the rows.
    usages : mapping of str to Usage
        By the names of the fields of `Resources`.
    """
    for name, words in RESOURCE_NAMES.items():
        if usages[name].available:
            table.add_row(words, str(usages[name]))
