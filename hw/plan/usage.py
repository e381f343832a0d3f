"""What a design takes of a part, as `hw.plan` and `hw.build` show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from hw.fpga.resources import RESOURCE_NAMES, Resources


@dataclass(frozen=True)
class Usage:
    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used} of {self.available} ({self.used / self.available:.0%})"


def usages(used: Resources, available: Resources) -> dict[str, Usage]:
    """By the names of `Resources`."""
    return {name: Usage(getattr(used, name), getattr(available, name)) for name in RESOURCE_NAMES}


def add_rows(table: Table, usages: Mapping[str, Usage]) -> None:
    """A row for each resource that the part has."""
    for name, words in RESOURCE_NAMES.items():
        if usages[name].available:
            table.add_row(words, str(usages[name]))
