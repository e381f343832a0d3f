"""The resources of a device that a design uses, as `hw.plan` and `hw.build` show them."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from hw.fpga.resources import RESOURCE_NAMES, Resources


@dataclass(frozen=True)
class Usage:
    """A resource, shown as "12 of 48 (25%)".

    Attributes
    ----------
    used : int
        What the design uses.
    available : int
        What the device has.
    """

    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used} of {self.available} ({self.used / self.available:.0%})"


def usages(used: Resources, available: Resources) -> dict[str, Usage]:
    """Return the usage of each resource, by the names of `Resources`."""
    return {name: Usage(getattr(used, name), getattr(available, name)) for name in RESOURCE_NAMES}


def add_rows(table: Table, usages: Mapping[str, Usage]) -> None:
    """Add a row to the table for each resource that the device has.

    Parameters
    ----------
    table : rich.table.Table
        With two columns: resource and usage.
    usages : mapping of str to Usage
        As `usages` returns them.
    """
    for name, words in RESOURCE_NAMES.items():
        if usages[name].available:
            table.add_row(words, str(usages[name]))
