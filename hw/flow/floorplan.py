"""Sites for the hard blocks of a large design, chosen before place and route, which leaves them to chance.

nextpnr's static placer finds a good place for each multiplier and block RAM, and then moves the block to a free site
that it picks at random near this place. By that, all wires together become longer by half, or twice as long, depending
on the seed. Here the whole netlist is placed roughly, as SimPL does (Kim, Lee, Markov 2012). Wires pull at cells like
springs. Each round makes a second, rough placement, in which no place is crowded and each block has a site, and that
pulls at the cells, too, more strongly from round to round. Only the sites are kept.
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
from hw.fpga.tool_flow import Cells

ROUNDS = 24
PULL = 0.01  # pull of the rough placement, times the number of the round; 1 is the pull of a cell's wires
LEAST_PULL = 1e-6  # pull on a cell without wires: each cell needs a place
MOST_PINS = 200  # wires with more pins reach everywhere and are left out
FEW_CELLS = 8  # so few cells need not be spread


def floorplan(cells: Cells, floor: Sequence[Blocks], *, seed: int) -> dict[str, str]:
    """Choose the site of each hard block. Other cells may lie anywhere between the sites.

    Parameters
    ----------
    cells : Cells
        The netlist's.
    floor : sequence of Blocks
        The hard blocks of a device, no fewer than the netlist's.
    seed : int
        Of the random places where the cells are at first.

    Returns
    -------
    dict
        Site of each hard block, by names.
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
    """Springs between nodes: the cells and, numbered after them, the middles of wires with more than two pins.

    Attributes
    ----------
    nodes : int
        Number of nodes.
    ends : array of int, (2, springs)
        Nodes at both ends of each spring.
    strengths : array of float, (springs,)
        Strength of each spring.
    """

    nodes: int
    ends: np.ndarray
    strengths: np.ndarray

    @classmethod
    def of(cls, connections: Sequence[Mapping[str, Sequence[Any]]]) -> "_Wires":
        """Make the springs between cells with these `connections`."""
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
        """Find the places along one axis at which the springs balance the `pull` towards the `wanted` places.

        A spring is the weaker the longer it was in `places`, so that the sum of lengths becomes small, not the sum of
        their squares.
        """
        one, other = self.ends
        forces = self.strengths / np.maximum(np.abs(places[one] - places[other]), 1)
        total, own = pull + self.at_nodes(forces), np.arange(self.nodes)
        rows, columns = np.concatenate([one, other, own]), np.concatenate([other, one, own])
        matrix = csr_matrix((np.concatenate([-forces, -forces, total]), (rows, columns)))
        return cg(matrix, pull * wanted, x0=places, M=diags(1 / total), rtol=1e-4, maxiter=300)[0]

    def at_nodes(self, forces: np.ndarray) -> np.ndarray:
        """Sum up, for each node, the forces of the springs that end at it."""
        return np.bincount(self.ends.ravel(), np.tile(forces, 2), self.nodes)


def _spread(places: np.ndarray, wanted: np.ndarray, cells: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Spread cells evenly over the box from `low` to `high`: half of them in either half of it, and so on.

    The new places go to `wanted`.
    """
    if len(cells) <= FEW_CELLS:
        wanted[:, cells] = np.clip(places[:, cells], low[:, None], high[:, None])
        return
    axis, half = int(np.argmax(high - low)), len(cells) // 2
    order = cells[np.argsort(places[axis, cells], kind="stable")]
    lower_high, upper_low = high.copy(), low.copy()
    lower_high[axis] = upper_low[axis] = (low[axis] + high[axis]) / 2
    _spread(places, wanted, order[:half], low, lower_high)
    _spread(places, wanted, order[half:], upper_low, high)
