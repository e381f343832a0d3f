"""What a host must know of a trainer on a board: its network, how it is folded, its schedule, where each node lies.

The gateware is generated from a configuration and carries its text, so that a board describes itself.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from sw.spec.addresses import LAYER_ADDRESS_BITS, Folding, NodeAddresses, addresses_of
from sw.spec.network import Network

CONTEXTS = (1, 2, 4, 8)


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

    `initiation_interval`: cycles from the start of a record to that of the next. `staleness`: per layer, as
    `FixedReference` takes them, in records of a context. `store_rows` rows of `row_words` words hold the records.
    `pretraining`: addends of a group that has a residual of its own in pre-training; 0 on a board without. `contexts`:
    models that take turns at the records of a pass and are merged at its end; the host sees one.
    """

    board: str
    network: Network
    foldings: tuple[Folding, ...]
    initiation_interval: int
    staleness: tuple[int, ...]
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
        return self.clock_hz / self.initiation_interval

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
            fields["staleness"] = tuple(fields["staleness"])
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
