"""What a host must know of a trainer on a board: its network, how it is folded, its schedule, where each node lies.

The gateware is generated from a configuration and carries its text, so that a board describes itself.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from sw.spec.network import Layer, Network
from sw.spec.numerics import bits_for
from sw.spec.protocol import ADDRESS_BYTES

LAYER_ADDRESS_BITS = 20  # of a node's address below the number of its layer
CONTEXTS = (1, 2, 4, 8)
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


def check_contexts(contexts: int) -> None:
    """Raises ValueError for a number of contexts that cannot be."""
    if contexts not in CONTEXTS:
        raise ValueError(f"{contexts} contexts; there can be {', '.join(map(str, CONTEXTS))}")


def rows_of_record(network: Network, row_words: int) -> int:
    """Rows of `row_words` words that a record takes: it begins on a row of its own."""
    return -(-network.record_words // row_words)


@dataclass(frozen=True)
class Configuration:
    """A trainer as its host sees it.

    `interval`: cycles from the start of a record to that of the next. `delays`: per layer, as `FixedReference` takes
    them, in records of a context. `store_rows` rows of `row_words` words hold the records. `pretraining`: addends of a
    group that has a residual of its own in pre-training; 0 on a board without. `contexts`: models that take turns at
    the records of a pass and are merged at its end; the host sees one.
    """

    board: str
    network: Network
    foldings: tuple[Folding, ...]
    interval: int
    delays: tuple[int, ...]
    store_rows: int
    row_words: int
    clock_hz: int
    pretraining: int = 0
    contexts: int = 1

    @property
    def record_rows(self) -> int:
        return rows_of_record(self.network, self.row_words)

    @property
    def block(self) -> int:
        """Records of a pass at most: half of those that the store holds, so that the next ones can come meanwhile."""
        return self.store_rows // self.record_rows // 2

    @property
    def word_bytes(self) -> int:
        """Bytes of a word on the wire: registers need two, wider nodes three."""
        return max(2, -(-self.network.width // 8))

    @property
    def word_bits(self) -> int:
        return 8 * self.word_bytes

    @property
    def records_per_second(self) -> float:
        return self.clock_hz / self.interval

    @cached_property
    def text(self) -> str:
        """Its JSON text, the same for equal configurations."""
        return json.dumps({**asdict(self), "network": self.network.describe()}, separators=(",", ":"), sort_keys=True)

    @property
    def digest(self) -> bytes:
        """Eight bytes that tell this configuration from any other."""
        return digest_of(self.text)

    @classmethod
    def from_text(cls, text: str) -> "Configuration":
        """Raises ValueError for a text that is no configuration."""
        try:
            fields = json.loads(text)
            fields["network"] = Network.from_description(fields["network"])
            fields["foldings"] = tuple(Folding(**folding) for folding in fields["foldings"])
            fields["delays"] = tuple(fields["delays"])
            configuration = cls(**fields)
            check_contexts(configuration.contexts)
            return configuration
        except (KeyError, TypeError) as error:
            raise ValueError(f"no configuration: {error!r} in {text!r}") from error

    @property
    def addresses(self) -> tuple[NodeAddresses, ...]:
        return addresses_of(self.network, self.foldings)

    def node_addresses(self) -> np.ndarray:
        """The word address of every node in the parameter space, all layers flattened one after the other."""
        tables = [layer.table() | index << LAYER_ADDRESS_BITS for index, layer in enumerate(self.addresses)]
        return np.concatenate([table.ravel() for table in tables])


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:8]
