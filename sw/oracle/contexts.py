"""Interleaved models in one trainer: each record goes to the next of them, and they are merged after each pass."""

from collections.abc import Callable, Sequence

import numpy as np

from sw.oracle.fixed import FixedReference
from sw.oracle.merging import Merging
from sw.spec.chance import chance_after
from sw.spec.configuration import Configuration, check_contexts
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics, Trainer


class Contexts(Trainer):
    """Trainers of one network as one trainer, the paper's second strategy.

    Record r of a pass is trained on by trainer r mod C, and after the pass each trainer has the rounded mean of all.
    Chance words go from record to record, whichever trainer a record has.

    Parameters
    ----------
    trainers : sequence of Trainer
        The C trainers, all of one network and with the same nodes.
    block : int, optional
        Records of a pass at most; default: all.

    Raises
    ------
    ValueError
        For a number of trainers that is not in `sw.spec.configuration.CONTEXTS`.
    """

    def __init__(self, trainers: Sequence[Trainer], block: int | None = None):
        check_contexts(len(trainers))
        self.trainers, self.block = trainers, block
        for trainer in trainers:
            trainer.chance_stride = len(trainers)
        self.network, self.pretraining = trainers[0].network, trainers[0].pretraining

    @property
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, which are the same in all trainers between passes."""
        return self.trainers[0].nodes

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        for trainer in self.trainers:
            trainer.nodes = nodes

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._run(records, lambda trainer, own: trainer.train(own, rates))

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self._run(records, lambda trainer, own: trainer.pretrain(own, rates))

    def _run(self, records: Records, train: Callable[[Trainer, Records], Statistics]) -> Statistics:
        statistics = Statistics()
        for block in records.blocks(self.block or max(1, len(records))):
            before, count = self.chance, len(self.trainers)
            self._next_chances(len(block))
            for index, trainer in enumerate(self.trainers):
                if self.network.fine:
                    trainer.chance = chance_after(before, index + 1 - count)
                statistics += train(trainer, self._own(block, index))
            self._merge()
        return statistics

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        return self.trainers[0].predict(arguments)

    def _own(self, records: Records, index: int) -> Records:
        """Select the records of one trainer."""
        own = slice(index, None, len(self.trainers))
        return Records(records.arguments[own], records.targets[own])

    def _merge(self) -> None:
        models = np.stack([np.concatenate([layer.ravel() for layer in trainer.nodes]) for trainer in self.trainers])
        self.nodes = self.network.layered(Merging().merged(models, models, ())[0])


class ContextReference(Contexts):
    """The oracle of a trainer with contexts: a `FixedReference` for each.

    Parameters
    ----------
    network : Network
        The network to train.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    staleness : tuple of int, optional
        As in `FixedReference`, counted in records of one context.
    block : int, optional
        Records of a pass at most, of all contexts together.
    pretraining : int, default=0
        Addends of a group in pre-training; 0 for none.
    contexts : int, default=1
        The number of models.
    """

    trainers: Sequence[FixedReference]

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
        trainers = [FixedReference(network, nodes, staleness, pretraining=pretraining) for _ in range(contexts)]
        super().__init__(trainers, block)

    @classmethod
    def of(cls, configuration: Configuration, nodes: list[np.ndarray]) -> "ContextReference":
        """Make the oracle of a board from its configuration."""
        return cls(
            configuration.network,
            nodes,
            configuration.staleness,
            configuration.block,
            pretraining=configuration.pretraining,
            contexts=configuration.contexts,
        )

    def run(self, records: Records, train: np.ndarray, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """Make one pass as `FixedReference.run`; a record that is only inferred is one of its context, too."""
        results, statistics, count = np.empty_like(records.targets), Statistics(), len(self.trainers)
        words = np.zeros(len(records), np.int64)
        words[train] = self._next_chances(int(np.count_nonzero(train)))
        for index, trainer in enumerate(self.trainers):
            own, found = trainer.run(self._own(records, index), train[index::count], rates, words[index::count])
            results[index::count] = own
            statistics += found
        self._merge()
        return results, statistics
