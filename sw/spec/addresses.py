"""Where each node lies on a board: how a layer is folded, and the address of every node that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sw.spec.network import Layer, Network
from sw.spec.numerics import bits_for
from sw.spec.protocol import ADDRESS_BYTES

LAYER_ADDRESS_BITS = 20
"""Bits of a node's address below the number of its layer."""

MOST_LAYERS = 1 << (8 * ADDRESS_BYTES - LAYER_ADDRESS_BITS)
"""Layers for which there are addresses."""


def bank_rows(pair: Any, slot: Any, starts_odd: Any) -> tuple[Any, Any]:
    """Return the rows of the even and of the odd node of a segment, in their banks.

    Even and odd nodes lie in two banks. In both, the row of a node is slot * nodes per slot + node // 2; the even bank
    has one node per slot more than the odd one. The formula is written with operators only, so that the same function
    computes with Python integers, NumPy arrays and Amaranth values.

    Parameters
    ----------
    pair : int, ndarray or Value
        slot * (segments // 2) + segment // 2: the pair of an even node and the odd one after it, counted through all
        slots. Since segments are a power of two, gateware gets it by concatenation.
    slot : int, ndarray or Value
        The slot.
    starts_odd : int, ndarray or Value
        1 if the segment starts at an odd node, 0 otherwise.

    Returns
    -------
    even, odd : int, ndarray or Value
        The rows.
    """
    return pair + slot + starts_odd, pair


def bank_depths(slots: int, segments: int) -> tuple[int, int]:
    """Return the number of rows of the even and of the odd bank: the first rows of a slot after the last one."""
    return bank_rows(slots * (segments // 2), slots, 0)


@dataclass(frozen=True)
class Folding:
    """How much of a layer is worked on each clock.

    Attributes
    ----------
    taps : int
        Inputs.
    lanes : int
        Outputs.
    """

    taps: int
    lanes: int


@dataclass(frozen=True)
class NodeAddresses:
    """The addresses of the nodes of a layer, as bit fields.

    A slot is a group of outputs times a group of inputs; `bank_rows` gives the row of a node.

    Attributes
    ----------
    layer : Layer
        The layer.
    folding : Folding
        Its taps and lanes.
    """

    layer: Layer
    folding: Folding

    @property
    def slots(self) -> int:
        """Slots of a record."""
        return (self.layer.inputs // self.folding.taps) * (self.layer.outputs // self.folding.lanes)

    @property
    def even_rows(self) -> int:
        """Rows of the bank of even nodes."""
        return bank_depths(self.slots, self.layer.segments)[0]

    @property
    def odd_rows(self) -> int:
        """Rows of the bank of odd nodes."""
        return bank_depths(self.slots, self.layer.segments)[1]

    @property
    def fields(self) -> dict[str, int]:
        """Bits of each field of an address by the field's name, lowest field first."""
        return {
            "lane": bits_for(self.folding.lanes),
            "row": bits_for(self.even_rows),
            "odd": 1,
            "tap": bits_for(self.folding.taps),
        }

    @property
    def bits(self) -> int:
        """Bits of an address in the layer."""
        return sum(self.fields.values())

    def table(self) -> np.ndarray:
        """Return the address in the layer of every node, an array of `Layer.shape`."""
        inputs, nodes, outputs = np.indices(self.layer.shape)
        taps, lanes, segments = self.folding.taps, self.folding.lanes, self.layer.segments
        slot = (outputs // lanes) * (self.layer.inputs // taps) + inputs // taps
        odd = nodes & 1
        # A node is the one of its parity in the segment that starts with it; the last node is even, so that a segment
        # after the last one would start with it.
        even_row, odd_row = bank_rows(slot * (segments // 2) + nodes // 2, slot, 0)
        values = {"lane": outputs % lanes, "row": np.where(odd, odd_row, even_row), "odd": odd, "tap": inputs % taps}
        address, shift = np.zeros(self.layer.shape, dtype=np.int64), 0
        for name, bits in self.fields.items():
            address |= values[name] << shift
            shift += bits
        return address

    def banks(self, nodes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Arrange the nodes of the layer as they lie in its banks.

        Parameters
        ----------
        nodes : ndarray of shape `Layer.shape`
            The nodes.

        Returns
        -------
        list of (ndarray, ndarray)
            For each tap the rows of the bank of even nodes and of that of odd nodes, (rows, lanes).
        """
        rest, places = self.table(), {}
        for name, bits in self.fields.items():
            places[name], rest = rest & ((1 << bits) - 1), rest >> bits
        images = []
        for tap in range(self.folding.taps):
            even, odd = (np.zeros((rows, self.folding.lanes), np.int64) for rows in (self.even_rows, self.odd_rows))
            for parity, image in enumerate((even, odd)):
                here = (places["tap"] == tap) & (places["odd"] == parity)
                image[places["row"][here], places["lane"][here]] = nodes[here]
            images.append((even, odd))
        return images


def node_addresses(layers: Sequence[NodeAddresses]) -> np.ndarray:
    """Compute the word address of every node in the space PARAMETERS.

    Returns
    -------
    ndarray of shape (parameters,)
        Addresses of all layers' nodes, each layer flattened, one after the other.
    """
    return np.concatenate([(each.table() | index << LAYER_ADDRESS_BITS).ravel() for index, each in enumerate(layers)])


def addresses_of(network: Network, foldings: Sequence[Folding]) -> tuple[NodeAddresses, ...]:
    """Return the addresses of the nodes of each layer.

    Raises
    ------
    ValueError
        For more layers, or more nodes in one, than there are addresses for.
    """
    if len(network.layers) > MOST_LAYERS:
        raise ValueError(f"{len(network.layers)} layers; there are addresses for {MOST_LAYERS}")
    addresses = tuple(map(NodeAddresses, network.layers, foldings))
    for index, layer in enumerate(addresses):
        if layer.bits > LAYER_ADDRESS_BITS:
            raise ValueError(f"nodes of layer {index} need {layer.bits} address bits; there are {LAYER_ADDRESS_BITS}")
    return addresses
