"""Interleaved models in one trainer: each record goes to the next of them, and they are merged after each pass."""

from collections.abc import Iterator, Sequence

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
        passes = (trainer.train(self._taken(records, own), rates) for trainer, own in self._passes(len(records)))
        return sum(passes, Statistics())

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        results, statistics = np.empty(records.targets.shape, self.nodes[0].dtype), Statistics()
        for trainer, own in self._passes(len(records)):
            results[own], found = trainer.predict_and_train(self._taken(records, own), rates)
            statistics += found
        return results, statistics

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        passes = (trainer.pretrain(self._taken(records, own), rates) for trainer, own in self._passes(len(records)))
        return sum(passes, Statistics())

    def _passes(self, records: int) -> Iterator[tuple[Trainer, slice]]:
        """Yield each trainer with the rows of its records, block after block; merge the trainers after each block."""
        count, block = len(self.trainers), self.block or max(1, records)
        for start in range(0, records, block):
            stop, before = min(start + block, records), self.chance
            self._next_chances(stop - start)
            for index, trainer in enumerate(self.trainers):
                if self.network.fine:
                    trainer.chance = chance_after(before, index + 1 - count)
                yield trainer, slice(start + index, stop, count)
            self._merge()

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        return self.trainers[0].predict(arguments)

    def _taken(self, records: Records, rows: slice) -> Records:
        return Records(records.arguments[rows], records.targets[rows])

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
            own = slice(index, None, count)
            results[own], found = trainer.run(self._taken(records, own), train[own], rates, words[own])
            statistics += found
        self._merge()
        return results, statistics
