"""Where the hard blocks of a large design lie: found before place and route, which leaves it to chance.

nextpnr's static placer knows where it would like each multiplier and block RAM, and then moves it to a free site that
it picks at random near there. That makes all wires together longer by half, or twice as long, as luck has it. Here the
whole netlist is placed roughly, as SimPL does (Kim, Lee, Markov 2012): wires pull at cells like springs, and ever
harder, so does a rough placement in which no place is crowded and each block has a site. Only the sites are kept.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import cg

from hw.fpga.sites import Blocks

ROUNDS = 24


PULL = 0.01  # of the rough placement, for each round, in parts of that of the wires


LEAST_PULL = 1e-6  # so that nothing is without a place


MOST_PINS = 200  # of a wire that counts: longer ones go everywhere


FEW_CELLS = 8  # that need not be spread


def floorplan(cells: Mapping[str, Any], floor: Sequence[Blocks], *, seed: int) -> dict[str, str]:
    """The site of each hard block, by name; other cells are thought to lie anywhere between the sites.

    Parameters:
        cells: a netlist's, as Yosys writes them.
        floor: the hard blocks of a part, no fewer than the netlist's.
        seed: of where cells are at first.
    """
    names = [name for name, cell in cells.items() if cell["connections"]]
    kinds = np.array([cells[name]["type"] for name in names])
    wires = _Wires.of([cells[name]["connections"] for name in names])
    logic = np.flatnonzero(~np.isin(kinds, [kind for blocks in floor for kind in blocks.kinds]))
    members = [np.flatnonzero(np.isin(kinds, blocks.kinds)) for blocks in floor]
    sites = [np.array([(site.x, site.y) for site in blocks.sites]).T for blocks in floor]
    everywhere, strengths = np.hstack(sites), wires.at_nodes(wires.strengths)
    low, high = everywhere.min(axis=1), everywhere.max(axis=1)
    places = np.random.default_rng(seed).uniform(low, high, (wires.nodes, 2)).T
    wanted, pull = places, np.full_like(places, LEAST_PULL)
    chosen: dict[str, str] = {}
    for round_ in range(1, ROUNDS + 1):
        places = np.array([wires.relaxed(*axis) for axis in zip(places, wanted, pull, strict=True)])
        wanted = places.copy()
        _spread(places, wanted, logic, low, high)
        for blocks, mine, there in zip(floor, members, sites, strict=True):
            distances = np.abs(places[:, mine, None] - there[:, None, :]).sum(axis=0)
            for block, site in zip(*linear_sum_assignment(distances), strict=True):
                wanted[:, mine[block]] = there[:, site]
                chosen[names[mine[block]]] = blocks.sites[site].name
        pull = PULL * round_ * strengths / np.maximum(np.abs(wanted - places), 1)
        pull[:, len(names) :] = LEAST_PULL
    return chosen


@dataclass(frozen=True)
class _Wires:
    """Springs between nodes, which are cells and, after them, the middles of wires of more than two pins.

    Attributes:
        ends: (2, springs), the nodes at both ends. strengths: (springs,).
    """

    nodes: int
    ends: np.ndarray
    strengths: np.ndarray

    @classmethod
    def of(cls, connections: Sequence[Mapping[str, Sequence[Any]]]) -> "_Wires":
        """Between cells with these `connections`."""
        pins: dict[int, set[int]] = defaultdict(set)
        for cell, ports in enumerate(connections):
            for bits in ports.values():
                for bit in bits:
                    if isinstance(bit, int):  # not a constant
                        pins[bit].add(cell)
        nodes, springs = len(connections), []
        for cells in pins.values():
            if len(cells) == 2:
                springs.append((*cells, 1.0))
            elif 2 < len(cells) <= MOST_PINS:
                springs += [(cell, nodes, len(cells) / (len(cells) - 1)) for cell in cells]
                nodes += 1
        one, other, strengths = zip(*springs, strict=True)
        return cls(nodes, np.array([one, other]), np.array(strengths))

    def relaxed(self, places: np.ndarray, wanted: np.ndarray, pull: np.ndarray) -> np.ndarray:
        """Places along one axis where the springs and the `pull` to where nodes are `wanted` balance. The longer a
        spring was, the weaker it is, so that lengths become short, not their squares."""
        one, other = self.ends
        forces = self.strengths / np.maximum(np.abs(places[one] - places[other]), 1)
        total, own = pull + self.at_nodes(forces), np.arange(self.nodes)
        rows, columns = np.concatenate([one, other, own]), np.concatenate([other, one, own])
        matrix = csr_matrix((np.concatenate([-forces, -forces, total]), (rows, columns)))
        return cg(matrix, pull * wanted, x0=places, M=diags(1 / total), rtol=1e-4, maxiter=300)[0]

    def at_nodes(self, forces: np.ndarray) -> np.ndarray:
        """Those of all springs of each node together."""
        return np.bincount(self.ends.ravel(), np.tile(forces, 2), self.nodes)


def _spread(places: np.ndarray, wanted: np.ndarray, cells: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Write to `wanted` places of the cells in the box from `low` to `high`, as many in each part of it as in any
    other: half of them in either half, and so on."""
    if len(cells) <= FEW_CELLS:
        wanted[:, cells] = np.clip(places[:, cells], low[:, None], high[:, None])
        return
    axis, half = int(np.argmax(high - low)), len(cells) // 2
    order = cells[np.argsort(places[axis, cells], kind="stable")]
    lower_high, upper_low = high.copy(), low.copy()
    lower_high[axis] = upper_low[axis] = (low[axis] + high[axis]) / 2
    _spread(places, wanted, order[:half], low, lower_high)
    _spread(places, wanted, order[half:], upper_low, high)
