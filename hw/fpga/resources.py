"""Amounts: what a device has and a design needs, and the shapes of memories."""

from dataclasses import dataclass, fields
from enum import Enum


class Storage(Enum):
    """Where a memory lies: in block RAM, in large single-port RAMs, or in logic cells."""

    BLOCK = "block RAM"
    SINGLE_PORT = "single-port RAM"
    LOGIC = "logic"


@dataclass(frozen=True, kw_only=True)
class MemoryShape:
    """A memory of the gateware, as the budget counts it.

    Attributes
    ----------
    name : str
        What the memory holds.
    width, depth : int
        Bits of a word, and words.
    storage : Storage
        Where the memory lies.
    read_ports : int
        Read ports, besides the one write port; block RAM with one read port holds a copy for each of them.
    count : int
        How many such memories a design has.
    """

    name: str
    width: int
    depth: int
    storage: Storage = Storage.BLOCK
    read_ports: int = 1
    count: int = 1

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the gateware's memory by which synthesis places it in `storage`."""
        return {"ram_style": "distributed" if self.storage is Storage.LOGIC else "block"}


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Amounts that a device has or a design needs.

    Attributes
    ----------
    logic : int
        Logic cells: a LUT and a flip-flop.
    block_ram, multipliers, single_port_ram : int
        Hard blocks.
    """

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
    """List each resource of which there is less than needed.

    Parameters
    ----------
    need, have : Resources
        Amounts that are needed, and that there are.

    Returns
    -------
    list of (str, int, int)
        Name of the resource, amount needed, amount that there is.
    """
    pairs = ((field.name, getattr(need, field.name), getattr(have, field.name)) for field in fields(Resources))
    return [(name, needed, had) for name, needed, had in pairs if had < needed]
