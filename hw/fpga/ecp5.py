"""Sites of the hard blocks of ECP5 parts, by nextpnr's names."""

from collections.abc import Iterable, Mapping

from hw.flow.floorplan import Blocks, Site

COLUMNS = (*range(4, 60, 9), *range(69, 115, 9))  # in which groups of sites begin


def _sites(rows: Iterable[int], columns: Mapping[str, int]) -> tuple[Site, ...]:
    """Of a kind of block, in these rows. `columns`: of each site of a group, past the group's first."""
    return tuple(
        Site(first + column, row, f"X{first + column}/Y{row}/{name}")
        for row in rows
        for first in COLUMNS
        for name, column in columns.items()
    )


PARTS = {
    "LFE5U-85F": (
        Blocks(("MULT18X18D",), _sites((10, 34, 58), {"MULT18_0": 0, "MULT18_1": 1, "MULT18_4": 4, "MULT18_5": 5})),
        Blocks(("DP16KD", "PDPW16KD"), _sites((22, 46, 70, 82), {"EBR0": 0, "EBR1": 2, "EBR2": 4, "EBR3": 6})),
    )
}
