"""Several models that take turns record by record and become their mean after each pass: the paper's second strategy,
inside one trainer."""

from collections.abc import Callable, Sequence

import numpy as np

from sw.oracle.fixed import FixedReference
from sw.oracle.merging import Merging
from sw.spec.configuration import Configuration, check_contexts
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.trainer import Rates, Statistics, Trainer


class Contexts(Trainer):
    """Machines of one network as one: record r of a pass is trained on by machine r mod C, and after the pass each has
    the mean of all, rounded.

    `block`: records of a pass at most.
    """

    def __init__(self, machines: Sequence[Trainer], block: int | None = None):
        check_contexts(len(machines))
        self.machines, self.block = machines, block
        self.network, self.pretraining = machines[0].network, machines[0].pretraining

    @property
    def nodes(self) -> list[np.ndarray]:
        return self.machines[0].nodes

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        for machine in self.machines:
            machine.nodes = nodes

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._learn(records, lambda machine, own: machine.train(own, rates))

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self._learn(records, lambda machine, own: machine.pretrain(own, rates))

    def _learn(self, records: Records, step: Callable[[Trainer, Records], Statistics]) -> Statistics:
        statistics = Statistics()
        for block in records.blocks(self.block or max(1, len(records))):
            for index, machine in enumerate(self.machines):
                statistics += step(machine, self._own(block, index))
            self._merge()
        return statistics

    def _predict(self, records: Records) -> np.ndarray:
        return self.machines[0].predict(records.arguments)

    def _own(self, records: Records, index: int) -> Records:
        """The records of one of the machines."""
        turns = slice(index, None, len(self.machines))
        return Records(records.arguments[turns], records.targets[turns])

    def _merge(self) -> None:
        models = np.stack([np.concatenate([layer.ravel() for layer in machine.nodes]) for machine in self.machines])
        self.nodes = self.network.layered(Merging().merged(models, models, ())[0])


class ContextReference(Contexts):
    """The oracle of a trainer: a `FixedReference` for each of its contexts, whose records the staleness count."""

    machines: Sequence[FixedReference]

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        staleness: tuple[int, ...] = (),
        block: int | None = None,
        *,
        pretraining: int = 0,
        contexts: int = 1,
    ):
        machines = [FixedReference(network, nodes, staleness, pretraining=pretraining) for _ in range(contexts)]
        super().__init__(machines, block)

    @classmethod
    def of(cls, configuration: Configuration, nodes: list[np.ndarray]) -> "ContextReference":
        """The oracle of a board."""
        return cls(
            configuration.network,
            nodes,
            configuration.staleness,
            configuration.block,
            pretraining=configuration.pretraining,
            contexts=configuration.contexts,
        )

    def run(self, records: Records, train: np.ndarray, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """As `FixedReference.run`; a record that is only inferred takes its context's turn, too."""
        results, statistics, count = np.empty_like(records.targets), Statistics(), len(self.machines)
        for index, machine in enumerate(self.machines):
            own, found = machine.run(self._own(records, index), train[index::count], rates)
            results[index::count] = own
            statistics += found
        self._merge()
        return results, statistics
