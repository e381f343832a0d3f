"""Amounts: what a device has and a design needs, and the shapes of memories."""

from dataclasses import dataclass, fields
from enum import Enum


class Storage(Enum):
    """Where a memory lies: in block RAM, in the large single-port RAMs of an iCE40 UltraPlus, or in logic cells."""

    BLOCK = "block RAM"
    SINGLE_PORT = "single-port RAM"
    LOGIC = "logic"


@dataclass(frozen=True, kw_only=True)
class MemoryShape:
    """A memory of the gateware, as the budget counts it.

    `read_ports` besides the one write port; block RAM with one read port holds a copy for each of them. `count` such
    memories exist.
    """

    name: str
    width: int
    depth: int
    storage: Storage = Storage.BLOCK
    read_ports: int = 1
    count: int = 1

    @property
    def attributes(self) -> dict[str, str]:
        """Of the gateware's memory, so that synthesis puts it there."""
        return {"ram_style": "distributed" if self.storage is Storage.LOGIC else "block"}


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Amounts of what a part has and a design needs: logic cells (LUT and flip-flop) and hard blocks."""

    logic: int = 0
    block_ram: int = 0
    multipliers: int = 0
    single_port_ram: int = 0


RESOURCE_NAMES = {
    "logic": "logic cells",
    "block_ram": "block RAMs",
    "multipliers": "multipliers",
    "single_port_ram": "single-port RAMs",
}


def shortfalls(*, need: Resources, have: Resources) -> list[tuple[str, int, int]]:
    """(resource, needed, had) wherever there is less than needed."""
    pairs = ((field.name, getattr(need, field.name), getattr(have, field.name)) for field in fields(Resources))
    return [(name, needed, had) for name, needed, had in pairs if had < needed]
