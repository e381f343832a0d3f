"""Sites of hard blocks on a device."""

from typing import NamedTuple


class Site(NamedTuple):
    x: float
    y: float
    name: str


class Blocks(NamedTuple):
    """Kinds of cells, and the sites that there are for all of these together."""

    kinds: tuple[str, ...]
    sites: tuple[Site, ...]
