"""Sites of hard blocks on a device."""

from typing import NamedTuple


class Site(NamedTuple):
    """A place on a device that takes one hard block.

    Attributes
    ----------
    x, y : float
        Column and row of the device's grid.
    name : str
        The site's name to nextpnr.
    """

    x: float
    y: float
    name: str


class Blocks(NamedTuple):
    """Cell types that share sites, and these sites.

    Attributes
    ----------
    kinds : tuple of str
        Cell types; a site takes one cell of any of them.
    sites : tuple of Site
        All sites of the device for these cells.
    """

    kinds: tuple[str, ...]
    sites: tuple[Site, ...]
