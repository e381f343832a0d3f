"""What a host must know of a trainer on a board: its network, how it is folded, its schedule, where each node lies.

The gateware is generated from a configuration and holds it as text, so that a board describes itself.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

from sw.spec.addresses import Folding, NodeAddresses, addresses_of
from sw.spec.back_windows import check_windows
from sw.spec.network import Network

CONTEXTS = (1, 2, 4, 8)


def check_contexts(contexts: int) -> None:
    """Check that a trainer can have so many contexts.

    Raises
    ------
    ValueError
        If `contexts` is not in `CONTEXTS`.
    """
    if contexts not in CONTEXTS:
        raise ValueError(f"{contexts} contexts; there can be {', '.join(map(str, CONTEXTS))}")


def rows_of_record(network: Network, row_words: int) -> int:
    """Rows of `row_words` words that a record takes in the record store, where each record begins on a new row."""
    return -(-network.record_words // row_words)


@dataclass(frozen=True)
class Configuration:
    """A trainer as its host sees it.

    Attributes
    ----------
    board : str
        Name of the board.
    network : Network
        The network that the board trains.
    foldings : tuple of Folding
        One folding for each layer.
    initiation_interval : int
        Clock cycles from the start of a record to the start of the next one.
    staleness : tuple of int
        For each layer, how many of the last records' updates a forward pass does not see, in records of one context.
    store_rows : int
        Rows of the record store.
    row_words : int
        Words in a row of the record store.
    clock_hz : int
        Frequency of the trainer's clock, in Hz.
    back_windows : tuple of int
        First shift of the window of back shifts of each layer past the first, as `sw.spec.back_windows` has them.
    pretraining : int
        Addends in a group that has a residual of its own in pre-training; 0 if the board cannot pre-train.
    contexts : int
        Models that take the records of a pass in turn and are merged at its end; the host sees one model.
    """

    board: str
    network: Network
    foldings: tuple[Folding, ...]
    initiation_interval: int
    staleness: tuple[int, ...]
    store_rows: int
    row_words: int
    clock_hz: int
    back_windows: tuple[int, ...]
    pretraining: int = 0
    contexts: int = 1

    @property
    def record_rows(self) -> int:
        """Rows of the record store that a record takes."""
        return rows_of_record(self.network, self.row_words)

    @property
    def block(self) -> int:
        """Most records of a pass: half of what the store holds, so that the host can write the other half meanwhile."""
        return self.store_rows // self.record_rows // 2

    @property
    def word_bytes(self) -> int:
        """Bytes of a word on the wire: registers need two, wider nodes three."""
        return max(2, -(-self.network.width // 8))

    @property
    def word_bits(self) -> int:
        """Bits of a word on the wire."""
        return 8 * self.word_bytes

    @property
    def records_per_second(self) -> float:
        """Records that a pass trains on in a second, at the clock and the initiation interval."""
        return self.clock_hz / self.initiation_interval

    @cached_property
    def text(self) -> str:
        """The configuration as JSON, the same for equal configurations."""
        return json.dumps({**asdict(self), "network": self.network.describe()}, separators=(",", ":"), sort_keys=True)

    @property
    def digest(self) -> bytes:
        """Eight bytes that tell this configuration from any other."""
        return digest_of(self.text)

    @classmethod
    def from_text(cls, text: str) -> "Configuration":
        """Parse what `text` gives.

        Raises
        ------
        ValueError
            If the text is no configuration.
        """
        try:
            fields = json.loads(text)
            fields["network"] = Network.from_description(fields["network"])
            fields["foldings"] = tuple(Folding(**folding) for folding in fields["foldings"])
            fields |= {name: tuple(fields[name]) for name in ("staleness", "back_windows")}
            configuration = cls(**fields)
            check_contexts(configuration.contexts)
            check_windows(configuration.network, configuration.back_windows)
            return configuration
        except (KeyError, TypeError) as error:
            raise ValueError(f"no configuration: {error!r} in {text!r}") from error

    @property
    def addresses(self) -> tuple[NodeAddresses, ...]:
        """Addresses of the nodes of each layer."""
        return addresses_of(self.network, self.foldings)


def digest_of(text: str) -> bytes:
    """Digest the text of a configuration, in eight bytes: what a board answers to HELLO."""
    return hashlib.sha256(text.encode()).digest()[:8]
