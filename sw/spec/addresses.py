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
    """How much of a layer is worked on each clock: `taps` of its inputs and `lanes` of its outputs."""

    taps: int
    lanes: int


@dataclass(frozen=True)
class NodeAddresses:
    """Bit fields of a node's address in a layer, lowest first: lane, row, odd bank, tap.

    A row of a bank is slot * nodes per slot + node // 2, and a slot is a group of outputs times a group of inputs.
    """

    layer: Layer
    folding: Folding

    @property
    def slots(self) -> int:
        return (self.layer.inputs // self.folding.taps) * (self.layer.outputs // self.folding.lanes)

    @property
    def even_rows(self) -> int:
        return self.slots * (self.layer.segments // 2 + 1)

    @property
    def odd_rows(self) -> int:
        return self.slots * (self.layer.segments // 2)

    @property
    def lane_bits(self) -> int:
        return bits_for(self.folding.lanes)

    @property
    def row_bits(self) -> int:
        return bits_for(self.even_rows)

    @property
    def tap_bits(self) -> int:
        return bits_for(self.folding.taps)

    @property
    def bits(self) -> int:
        return self.lane_bits + self.row_bits + 1 + self.tap_bits

    def table(self) -> np.ndarray:
        """The address in the layer of every node, an array of `Layer.shape`."""
        inputs, nodes, outputs = np.indices(self.layer.shape)
        groups, taps, lanes = self.layer.inputs // self.folding.taps, self.folding.taps, self.folding.lanes
        slot = (outputs // lanes) * groups + inputs // taps
        odd = nodes & 1
        row = slot * np.where(odd, self.layer.segments // 2, self.layer.segments // 2 + 1) + nodes // 2
        address = (inputs % taps) << 1 | odd
        address = address << self.row_bits | row
        return address << self.lane_bits | outputs % lanes


def addresses_of(network: Network, foldings: Sequence[Folding]) -> tuple[NodeAddresses, ...]:
    """Those of each layer. Raises ValueError for more layers, or more nodes in one, than there are addresses for."""
    if len(network.layers) > MOST_LAYERS:
        raise ValueError(f"{len(network.layers)} layers; there are addresses for {MOST_LAYERS}")
    addresses = tuple(map(NodeAddresses, network.layers, foldings))
    for index, layer in enumerate(addresses):
        if layer.bits > LAYER_ADDRESS_BITS:
            raise ValueError(f"nodes of layer {index} need {layer.bits} address bits; there are {LAYER_ADDRESS_BITS}")
    return addresses
