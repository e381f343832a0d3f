"""Hard blocks get sites that nextpnr has, each its own, and such that wires are short."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import boards
from hw.flow.floorplan import floorplan
from hw.flow.tools import run_tool
from hw.fpga.sites import Blocks, Site
from hw.fpga.tool_flow import TOP

GRID = tuple(Site(10 * x, 10 * y, f"site{x},{y}") for x in range(6) for y in range(4))
FLOOR = (Blocks(("MULTIPLIER",), GRID[:16]), Blocks(("MEMORY", "WIDE_MEMORY"), GRID[16:]))


def netlist(kinds: list[str], wires: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """Cells of these kinds, and between them these wires."""
    return {
        f"cell{cell}": {
            "type": kind,
            "connections": {"X": ["0", *(wire for wire, ends in enumerate(wires) if cell in ends)]},
        }
        for cell, kind in enumerate(kinds)
    }


def row_of_blocks(blocks: int, between: int, rng: np.random.Generator) -> dict[str, Any]:
    """Multipliers in a row, each wired to the next by way of some logic; in no order."""
    kinds, wires = ["MULTIPLIER"] * blocks, []
    for block in range(blocks - 1):
        for _ in range(between):
            wires += [(block, len(kinds)), (len(kinds), block + 1)]
            kinds.append("LOGIC")
    cells = list(netlist(kinds, wires).items())
    return dict(cells[index] for index in rng.permutation(len(cells)))


def length(sites: dict[str, Site], blocks: int) -> float:
    """Of the row from its first to its last block."""
    places = np.array([sites[f"cell{block}"][:2] for block in range(blocks)])
    return float(np.abs(np.diff(places, axis=0)).sum())


@pytest.mark.parametrize("seed", range(4))
def test_each_block_has_a_site_of_its_kind_to_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = list(rng.permutation(["MULTIPLIER"] * 16 + ["MEMORY"] * 3 + ["WIDE_MEMORY"] * 5 + ["LOGIC"] * 60))
    wires = [tuple(rng.choice(len(kinds), pins, replace=False)) for pins in rng.integers(1, 9, 150)]
    cells = netlist(kinds, wires)
    found = floorplan(cells, FLOOR, seed=seed)
    assert set(found) == {name for name, cell in cells.items() if cell["type"] != "LOGIC"}
    assert len(set(found.values())) == len(found)
    for name, site in found.items():
        [blocks] = [blocks for blocks in FLOOR if cells[name]["type"] in blocks.kinds]
        assert site in {legal.name for legal in blocks.sites}
    assert floorplan(cells, FLOOR, seed=seed) == found


@pytest.mark.parametrize("seed", range(4))
def test_wires_are_shorter_than_by_the_best_of_many_chances(seed: int) -> None:
    rng, blocks = np.random.default_rng(seed), len(FLOOR[0].sites)
    by_name = {site.name: site for site in GRID}
    found = floorplan(row_of_blocks(blocks, 8, rng), FLOOR, seed=seed)
    planned = length({name: by_name[site] for name, site in found.items()}, blocks)
    chances = [
        length({f"cell{block}": GRID[place] for block, place in enumerate(rng.permutation(blocks))}, blocks)
        for _ in range(1000)
    ]
    assert planned < min(chances)


def test_nextpnr_has_the_sites_of_a_part_and_no_others(tmp_path: Path) -> None:
    """A design of nothing but hard blocks, each on a site of its own, fills the part."""
    board = boards.find("ulx3s")
    floor = board.technology.flow.floors[board.platform().device]
    cells = {
        site.name: {
            "hide_name": 0,
            "type": blocks.kinds[0],
            "parameters": {},
            "attributes": {"BEL": site.name},
            "port_directions": {},
            "connections": {},
        }
        for blocks in floor
        for site in blocks.sites
    }
    module = {"attributes": {"top": "1"}, "ports": {}, "cells": cells, "netnames": {}}
    (tmp_path / "blocks.json").write_text(json.dumps({"modules": {TOP: module}}))
    options = "--85k --package CABGA381 --json blocks.json --no-route --report report.json"
    run_tool(["nextpnr-ecp5", *options.split()], tmp_path)
    used = json.loads((tmp_path / "report.json").read_text())["utilization"]
    for name, blocks in zip(("multipliers", "block_ram"), floor, strict=True):
        site = used[board.technology.flow.sites[name]]
        assert site["used"] == site["available"] == len(blocks.sites) == getattr(board.budget, name)
