"""A network on a board: what the gateware is generated from, what it needs, and what its host must know."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hw.datapath.node_bank import node_memory
from hw.datapath.trainer import TrainerCore
from hw.design.multiplier_sharing import sharings_of, slot_orders_of
from hw.fpga.board import Board
from hw.fpga.resources import MemoryShape
from hw.link.cobs import encoder_memory
from hw.link.frames import packet_memory
from hw.schedule.buffers import Buffers
from hw.schedule.folding import chain, check_foldings, check_pretraining
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import SlotOrder
from hw.schedule.timing import INDEPENDENT, Sharing
from hw.soc.bus_targets import text_memory
from hw.soc.pass_engine import PassEngine
from hw.soc.record_store import RecordStore, record_memory
from hw.soc.register_file import counter_memory
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.configuration import Configuration, check_contexts, rows_of_record
from sw.spec.network import Network
from sw.spec.numerics import bits_for
from sw.spec.registers import RegisterTable, register_table

STORE_WORDS = 1 << 16  # the UP5K's single-port RAMs; the same elsewhere


@dataclass(frozen=True, kw_only=True)
class Design:
    """A network on a board, folded.

    Attributes:
        lanes: outputs of each layer worked on each clock, the first layer's addends first; must divide the layer's.
            Layers left out at the end have all of their outputs. A layer takes as many inputs a clock as the layer
            before it has lanes.
        taps: features worked on each clock; must divide the network's.
        exact: a record waits until it sees every update of those before. Otherwise records stream through.
        pretraining: addends of a group that can be trained alone, whole slots of the last layer; 0 for no such mode.
        contexts: models that take turns, each with records of its own, and are merged after each pass.
        store_words: of the record store; a power of two.
    """

    board: Board
    network: Network
    lanes: tuple[int, ...] = (1,)
    taps: int = 1
    exact: bool = False
    pretraining: int = 0
    contexts: int = 1
    store_words: int = STORE_WORDS

    def __post_init__(self) -> None:
        """Raises ValueError for a folding that is not the network's, groups that are not the folding's, or a store or
        contexts that cannot be."""
        check_foldings(self.network, self.foldings)
        if self.pretraining:
            check_pretraining(self.network, self.foldings, self.pretraining)
        check_contexts(self.contexts)
        if self.store_words < 1 or self.store_words & (self.store_words - 1):
            raise ValueError(f"store_words must be a power of two, not {self.store_words}")

    @property
    def foldings(self) -> tuple[Folding, ...]:
        left_out = self.network.layers[len(self.lanes) :]
        return chain(self.taps, (*self.lanes, *(layer.outputs for layer in left_out)))

    def make_trainer(self) -> TrainerCore:
        return TrainerCore(
            self.network,
            self.foldings,
            technology=self.board.technology,
            exact=self.exact,
            pretraining=self.pretraining,
            contexts=self.contexts,
        )

    def make_pass(self) -> PassEngine:
        store = RecordStore(
            width=self.network.width,
            rows=self.store_rows,
            row_words=self.row_words,
            technology=self.board.technology,
        )
        return PassEngine(self.network, store, initiation_interval=self.schedule.initiation_interval)

    @cached_property
    def sharings(self) -> tuple[Sharing, ...]:
        return sharings_of(self.network, self.foldings, **self._pace)

    @cached_property
    def slot_orders(self) -> list[SlotOrder]:
        """The trainer's, without its gateware."""
        return slot_orders_of(self.network, self.foldings, self.sharings, **self._pace)

    @cached_property
    def schedule(self) -> Schedule:
        """The trainer's."""
        return Schedule.of(self.slot_orders, exact=self.exact, contexts=self.contexts)

    @property
    def _pace(self) -> dict[str, Any]:
        """What else the schedule depends on."""
        return {"technology": self.board.technology, "exact": self.exact, "contexts": self.contexts}

    @cached_property
    def configuration(self) -> Configuration:
        """Raises ValueError for a store without room for two records, or too slow for the trainer."""
        configuration = self._configuration
        words = self.network.record_words
        if not configuration.block:
            raise ValueError(
                f"a store of {self.store_words} words, {self.row_words} a row, has no room for two records of {words} "
                "words; use a larger one"
            )
        if not self.keeps_pace:
            raise ValueError(
                f"a record of {words} words takes {self.record_rows} cycles to read, since {self.board.name}'s store "
                f"gives {self.row_words} words a cycle, but is due every {self.schedule.initiation_interval}; "
                "use fewer lanes or taps"
            )
        return configuration

    @cached_property
    def _configuration(self) -> Configuration:
        """Not checked."""
        schedule = self.schedule
        return Configuration(
            board=self.board.name,
            network=self.network,
            foldings=self.foldings,
            initiation_interval=schedule.initiation_interval,
            staleness=schedule.staleness,
            store_rows=self.store_rows,
            row_words=self.row_words,
            clock_hz=self.board.clock_hz,
            pretraining=self.pretraining,
            contexts=self.contexts,
        )

    @property
    def keeps_pace(self) -> bool:
        """Whether the store gives a record in every initiation_interval of the trainer."""
        return self.record_rows <= self.schedule.initiation_interval

    @property
    def row_words(self) -> int:
        """Words of the store side by side: so many that a record comes in its slots, and that no more than one memory
        block lies below another. Single-port RAMs lie side by side, too, and there are no more than the board has."""
        technology = self.board.technology
        depths = [words for words, _ in technology.block_ram]
        if technology.single_port_ram is not None:
            depths = [technology.single_port_ram[0]]
        words = 1 << bits_for(max(-(-self.network.record_words // self.slots), self.store_words // max(depths)))
        return min(words, self.board.budget.single_port_ram) if technology.spram else words

    @property
    def store_rows(self) -> int:
        return self.store_words // self.row_words

    @property
    def record_rows(self) -> int:
        return rows_of_record(self.network, self.row_words)

    @property
    def slots(self) -> int:
        """Clocks that a record takes at the least."""
        return max(addresses.slots for addresses in map(NodeAddresses, self.network.layers, self.foldings))

    @property
    def functions(self) -> list[int]:
        """Those of each layer that are worked on each clock."""
        return [folding.taps * folding.lanes for folding in self.foldings]

    @property
    def products(self) -> int:
        """Products a clock at the most: one per function forward and in the update, and past the first layer one for
        the slope."""
        return sum(functions * products for functions, products in zip(self.functions, self._products, strict=True))

    @property
    def _products(self) -> list[int]:
        """Of a function of each layer."""
        return [INDEPENDENT.multipliers(first=index == 0) for index in range(len(self.network.layers))]

    @property
    def multipliers(self) -> int:
        """One per product, less those that are shared."""
        return sum(
            functions * sharing.multipliers(first=index == 0)
            for index, (functions, sharing) in enumerate(zip(self.functions, self.sharings, strict=True))
        )

    @property
    def roofline_share(self) -> float:
        """Records per second, of those that the multipliers could make if each had a product in every clock."""
        return self.network.products / (self.multipliers * self.schedule.initiation_interval)

    @property
    def registers(self) -> RegisterTable:
        return register_table(len(self.network.layers))

    @property
    def memories(self) -> list[MemoryShape]:
        """All that there are."""
        configuration = self._configuration
        queues = Buffers.of(
            self.network,
            self.foldings,
            self.slot_orders,
            self.schedule,
            technology=self.board.technology,
            pretraining=self.pretraining,
        )
        text = text_memory(configuration.text, word_bits=configuration.word_bits)
        return [*self.unscheduled_memories, *queues.memories, text]

    @property
    def unscheduled_memories(self) -> list[MemoryShape]:
        """Those that do not depend on the schedule, which takes time to find out."""
        width, technology = self.network.width, self.board.technology
        shapes = [
            record_memory(width=width, rows=self.store_rows, row_words=self.row_words, technology=technology),
            packet_memory(),
            encoder_memory(),
            counter_memory(self.registers),
        ]
        for index, layer in enumerate(map(NodeAddresses, self.network.layers, self.foldings)):
            for bank, rows in (("even", layer.even_rows), ("odd", layer.odd_rows)):
                rows, lanes, taps = self.contexts * rows, layer.folding.lanes, layer.folding.taps
                shape = node_memory(rows=rows, width=width, lanes=lanes, technology=technology)
                shapes.append(replace(shape, name=f"{bank} nodes of layer {index}", count=taps))
        return shapes
