"""A network on a board: what the gateware is generated from, and what its host must know."""

from dataclasses import dataclass
from functools import cached_property

from hw.design.trainer_planning import plan_trainer
from hw.fpga.board import Board
from hw.schedule.folding import chain, check_foldings, check_pretraining
from hw.schedule.timing import INDEPENDENT
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.configuration import Configuration, check_contexts, rows_of_record
from sw.spec.network import Network
from sw.spec.numerics import bits_for
from sw.spec.registers import RegisterTable, register_table

STORE_WORDS = 1 << 16  # the UP5K's single-port RAMs; the same elsewhere


@dataclass(frozen=True, kw_only=True)
class Design:
    """A network on a board, folded.

    Attributes
    ----------
    board : Board
        The board.
    network : Network
        The network.
    lanes : tuple of int
        Outputs of each layer that are worked on in one clock, the first layer's addends first; each divides the
        layer's outputs. Layers left out at the end have all of their outputs in lanes. A layer takes as many inputs a
        clock as the layer before it has lanes.
    taps : int
        Features that are worked on in one clock; divides the network's features.
    exact : bool
        Whether a record waits until it sees every update of those before it. Otherwise records stream through.
    pretraining : int
        Addends of a group that can be trained alone, whole slots of the last layer; 0 for no such mode.
    contexts : int
        Interleaved models, each with records of its own, that are merged after each pass.
    back_windows : tuple of int or None
        First shift of the window of back shifts of each layer past the first; None for the least legal one.
    store_words : int
        Words of the record store; a power of two.

    Raises
    ------
    ValueError
        For a folding that is not the network's, groups that are not the folding's, an illegal number of contexts, or a
        store that is no power of two.
    """

    board: Board
    network: Network
    lanes: tuple[int, ...] = (1,)
    taps: int = 1
    exact: bool = False
    pretraining: int = 0
    contexts: int = 1
    back_windows: tuple[int, ...] | None = None
    store_words: int = STORE_WORDS

    def __post_init__(self) -> None:
        check_foldings(self.network, self.foldings)
        if self.pretraining:
            check_pretraining(self.network, self.foldings, self.pretraining)
        check_contexts(self.contexts)
        if self.store_words < 1 or self.store_words & (self.store_words - 1):
            raise ValueError(f"store_words must be a power of two, not {self.store_words}")

    @property
    def foldings(self) -> tuple[Folding, ...]:
        """Taps and lanes of each layer."""
        left_out = self.network.layers[len(self.lanes) :]
        return chain(self.taps, (*self.lanes, *(layer.outputs for layer in left_out)))

    @cached_property
    def plan(self) -> TrainerPlan:
        """The plan of its trainer, which takes time to find."""
        return plan_trainer(
            self.network,
            self.foldings,
            technology=self.board.technology,
            exact=self.exact,
            pretraining=self.pretraining,
            contexts=self.contexts,
            back_windows=self.back_windows,
        )

    @cached_property
    def configuration(self) -> Configuration:
        """What the host must know of it."""
        schedule = self.plan.schedule
        return Configuration(
            board=self.board.name,
            network=self.network,
            foldings=self.foldings,
            initiation_interval=schedule.initiation_interval,
            staleness=schedule.staleness,
            store_rows=self.store_rows,
            row_words=self.row_words,
            clock_hz=self.board.clock_hz,
            back_windows=self.plan.back_windows,
            pretraining=self.pretraining,
            contexts=self.contexts,
        )

    def check_store(self) -> None:
        """Raise ValueError for a store that cannot hold two records, or that is too slow for the trainer."""
        words = self.network.record_words
        if not self.configuration.block:
            raise ValueError(
                f"a store of {self.store_words} words, {self.row_words} a row, cannot hold two records of {words} "
                "words; use a larger one"
            )
        if not self.store_keeps_pace:
            raise ValueError(
                f"a record of {words} words takes {self.record_rows} cycles to read, since {self.board.name}'s store "
                f"gives {self.row_words} words a cycle, but is due every "
                f"{self.plan.schedule.initiation_interval}; use fewer lanes or taps"
            )

    @property
    def store_keeps_pace(self) -> bool:
        """Whether the store gives a record in every initiation interval of the trainer."""
        return self.record_rows <= self.plan.schedule.initiation_interval

    @property
    def row_words(self) -> int:
        """Words of the store side by side.

        They are so many that a record comes in its slots, and that no more than one memory block lies below another.
        Single-port RAMs lie side by side, too, and are no more than the board has; in a record's slots they have clocks
        left for its results.
        """
        technology = self.board.technology
        depths, clocks = [words for words, _ in technology.block_ram], self.slots
        if technology.single_port_ram is not None:
            depths, clocks = [technology.single_port_ram.words], max(1, self.slots - self.network.outputs)
        words = 1 << bits_for(max(-(-self.network.record_words // clocks), self.store_words // max(depths)))
        return min(words, self.board.budget.single_port_ram) if technology.spram else words

    @property
    def store_rows(self) -> int:
        """Rows of the record store."""
        return self.store_words // self.row_words

    @property
    def record_rows(self) -> int:
        """Rows that a record takes in the store, and cycles to read it."""
        return rows_of_record(self.network, self.row_words)

    @property
    def slots(self) -> int:
        """Clocks that a record takes at the least: the slots of the layer that has most."""
        return max(addresses.slots for addresses in map(NodeAddresses, self.network.layers, self.foldings))

    @property
    def functions(self) -> int:
        """Functions of all layers that are evaluated in one clock."""
        return sum(folding.taps * folding.lanes for folding in self.foldings)

    @property
    def products(self) -> int:
        """Products a clock at the most.

        One a function forward and in the update, past the first layer one for the slope.
        """
        return sum(
            folding.taps * folding.lanes * INDEPENDENT.multipliers(first=index == 0)
            for index, folding in enumerate(self.foldings)
        )

    @property
    def logic_products(self) -> int:
        """Multipliers of its plan that are made of logic cells."""
        return self.board.logic_products(self.network.width, self.plan.multipliers)

    @property
    def roofline_share(self) -> float:
        """Records per second, as a share of those possible if each multiplier had a product in every clock."""
        return self.network.products / (self.plan.multipliers * self.plan.schedule.initiation_interval)

    @property
    def registers(self) -> RegisterTable:
        """The registers that its host reads and writes."""
        return register_table(self.network)
