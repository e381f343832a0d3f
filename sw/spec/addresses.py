"""Where each node lies on a board: how a layer is folded, and the address of every node that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sw.spec.network import Layer, Network
from sw.spec.numerics import bits_for
from sw.spec.protocol import ADDRESS_BYTES

LAYER_ADDRESS_BITS = 20  # of a node's address below the number of its layer


MOST_LAYERS = 1 << (8 * ADDRESS_BYTES - LAYER_ADDRESS_BITS)


@dataclass(frozen=True)
class Folding:
    """How much of a layer a trainer works on in each clock.

    Attributes
    ----------
    taps : int
        Inputs in a clock; it divides the layer's inputs.
    lanes : int
        Outputs in a clock; it divides the layer's outputs.
    """

    taps: int
    lanes: int


@dataclass(frozen=True)
class NodeAddresses:
    """Bit fields of a node's address in a layer, lowest first: lane, row, odd bank, tap.

    A row of a bank is slot * (nodes of the bank in a slot) + node // 2. The slots are numbered group of outputs by
    group of outputs, and in each of these group of inputs by group of inputs.

    Attributes
    ----------
    layer : Layer
        Geometry of the layer.
    folding : Folding
        How the layer is folded.
    """

    layer: Layer
    folding: Folding

    @property
    def slots(self) -> int:
        """Slots of a record in this layer."""
        return (self.layer.inputs // self.folding.taps) * (self.layer.outputs // self.folding.lanes)

    @property
    def even_rows(self) -> int:
        """Rows of an even bank."""
        return self.slots * (self.layer.segments // 2 + 1)

    @property
    def odd_rows(self) -> int:
        """Rows of an odd bank."""
        return self.slots * (self.layer.segments // 2)

    @property
    def lane_bits(self) -> int:
        """Bits of the field that names the lane."""
        return bits_for(self.folding.lanes)

    @property
    def row_bits(self) -> int:
        """Bits of the field that names the row."""
        return bits_for(self.even_rows)

    @property
    def tap_bits(self) -> int:
        """Bits of the field that names the tap."""
        return bits_for(self.folding.taps)

    @property
    def bits(self) -> int:
        """Bits of a node's address in the layer."""
        return self.lane_bits + self.row_bits + 1 + self.tap_bits

    def table(self) -> np.ndarray:
        """Compute the address in the layer of every node.

        Returns
        -------
        ndarray of shape `Layer.shape`
            Word addresses from 0, without the number of the layer.
        """
        inputs, nodes, outputs = np.indices(self.layer.shape)
        groups, taps, lanes = self.layer.inputs // self.folding.taps, self.folding.taps, self.folding.lanes
        slot = (outputs // lanes) * groups + inputs // taps
        odd = nodes & 1
        row = slot * np.where(odd, self.layer.segments // 2, self.layer.segments // 2 + 1) + nodes // 2
        address = (inputs % taps) << 1 | odd
        address = address << self.row_bits | row
        return address << self.lane_bits | outputs % lanes


def addresses_of(network: Network, foldings: Sequence[Folding]) -> tuple[NodeAddresses, ...]:
    """Give the addresses of each layer of a network.

    Parameters
    ----------
    network : Network
        Geometry of the layers.
    foldings : sequence of Folding
        One folding for each layer.

    Returns
    -------
    tuple of NodeAddresses
        The addresses in each layer.

    Raises
    ------
    ValueError
        If there are more layers, or more nodes in a layer, than addresses.
    """
    if len(network.layers) > MOST_LAYERS:
        raise ValueError(f"{len(network.layers)} layers; there are addresses for {MOST_LAYERS}")
    addresses = tuple(map(NodeAddresses, network.layers, foldings))
    for index, layer in enumerate(addresses):
        if layer.bits > LAYER_ADDRESS_BITS:
            raise ValueError(f"nodes of layer {index} need {layer.bits} address bits; there are {LAYER_ADDRESS_BITS}")
    return addresses
