"""A network on a board: what the gateware is generated from, what it needs, and what its host must know."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Fragment

from boards import Board
from hw.folding import chain, check_foldings, check_pretraining
from hw.records import Pass, RecordStore, fetch_cycles
from hw.technology import MemoryShape, Storage
from hw.trainer import Trainer
from sw.configuration import Configuration, Folding, NodeAddresses
from sw.network import Network

ROW_WORDS = 4
STORE_ROWS = 16384  # the UP5K's single-port RAMs; the same elsewhere


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
    """

    board: Board
    network: Network
    lanes: tuple[int, ...] = (1,)
    taps: int = 1
    exact: bool = False
    pretraining: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a folding that is not the network's, or groups that are not the folding's."""
        check_foldings(self.network, self.foldings)
        if self.pretraining:
            check_pretraining(self.network, self.foldings, self.pretraining)

    @property
    def foldings(self) -> tuple[Folding, ...]:
        left_out = self.network.layers[len(self.lanes) :]
        return chain(self.taps, (*self.lanes, *(layer.outputs for layer in left_out)))

    def make_trainer(self) -> Trainer:
        return Trainer(
            self.network,
            self.foldings,
            technology=self.board.technology,
            exact=self.exact,
            pretraining=self.pretraining,
        )

    def make_pass(self) -> Pass:
        store = RecordStore(
            width=self.network.width, rows=STORE_ROWS, row_words=ROW_WORDS, technology=self.board.technology
        )
        return Pass(self.network, store)

    @cached_property
    def trainer(self) -> Trainer:
        """One to ask for its schedule."""
        trainer = self.make_trainer()
        Fragment.get(trainer, None)
        return trainer

    @cached_property
    def configuration(self) -> Configuration:
        """Raises ValueError where records cannot be fetched as fast as they are trained on."""
        schedule = self.trainer.schedule
        configuration = Configuration(
            board=self.board.name,
            network=self.network,
            foldings=self.foldings,
            interval=schedule.interval,
            delays=schedule.delays,
            store_rows=STORE_ROWS,
            row_words=ROW_WORDS,
            clock_hz=self.board.clock_hz,
            pretraining=self.pretraining,
        )
        rows = configuration.record_rows  # each read takes the store for a cycle, and so does each prediction written
        fetch = max(fetch_cycles(rows, self.board.technology), rows + self.network.outputs)
        if fetch > schedule.interval:
            raise ValueError(
                f"a record of {configuration.record_words} words takes {fetch} cycles to fetch but is due every "
                f"{schedule.interval}; use fewer lanes or taps"
            )
        return configuration

    @property
    def slots(self) -> int:
        """Clocks that a record takes at the least."""
        return max(addresses.slots for addresses in map(NodeAddresses, self.network.layers, self.foldings))

    @property
    def multipliers(self) -> int:
        """Products a clock: one per function forward and in the update, and past the first layer one for the slope."""
        first, *others = (folding.taps * folding.lanes for folding in self.foldings)
        return 2 * first + 3 * sum(others)

    @property
    def memories(self) -> list[MemoryShape]:
        """Nodes and records. The smaller memories of link and trainer are left to synthesis."""
        technology, width = self.board.technology, self.network.width
        shapes = [
            MemoryShape(
                name="records",
                width=width,
                depth=STORE_ROWS,
                storage=Storage.SINGLE_PORT if technology.spram else Storage.BLOCK,
                count=ROW_WORDS,
            )
        ]
        for index, layer in enumerate(map(NodeAddresses, self.network.layers, self.foldings)):
            for bank, rows in (("even", layer.even_rows), ("odd", layer.odd_rows)):
                shapes.append(
                    MemoryShape(
                        name=f"{bank} nodes of layer {index}",
                        width=width * layer.folding.lanes,
                        depth=rows,
                        read_ports=2,
                        count=layer.folding.taps,
                    )
                )
        return shapes
