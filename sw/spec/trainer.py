"""What everything that can train answers: the oracles, the simulated gateware, the virtual board and the real one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sw.spec.network import Network
from sw.spec.nodes import check_nodes
from sw.spec.records import Records


@dataclass(frozen=True)
class Rates:
    """Learning rates as shifts, one value for each layer past the first.

    `update`: the error is shifted right by this before it updates the layer's nodes.
    `back`: the product of error and node difference is shifted by this on its way to the layer before.
    """

    update: tuple[int, ...]
    back: tuple[int, ...]

    def check(self, network: Network) -> None:
        """Raise ValueError unless there is a legal shift of both kinds for each layer past the first."""
        word = network.word
        for name, shifts, legal in (("update", self.update, word.update_shifts), ("back", self.back, word.back_shifts)):
            if len(shifts) != len(network.layers) - 1 or any(shift not in legal for shift in shifts):
                raise ValueError(
                    f"{name} shifts {shifts}: a network of {len(network.layers)} layers needs "
                    f"{len(network.layers) - 1}, each in {legal.start}..{legal.stop - 1}"
                )


@dataclass(frozen=True)
class Phase:
    """`epochs` passes over the records at the same rates; a training schedule is a sequence of phases.

    `apart`: passes of pre-training.
    """

    epochs: int
    rates: Rates
    apart: bool = False


@dataclass(frozen=True)
class Statistics:
    """Counts over one pass.

    `absolute_residual`: sum of |residual| over records and outputs, in units of the machine's targets.
    `saturations`: nodes that an update drove to the end of the word. `clips`: hidden arguments cut to their domain.
    """

    records: int = 0
    absolute_residual: float = 0
    saturations: int = 0
    clips: int = 0

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def mean_residual(self) -> float:
        return self.absolute_residual / self.records if self.records else 0.0


Progress = Callable[[int, int, Statistics], None]
"""Called after each epoch with its number from 1, the epochs in all, and the statistics of that pass."""


class Trainer(ABC):
    """A trainer of one network. Passes are atomic: when a call returns, every update of it has been made.

    Attributes:
        pretraining: addends of each group that `pretrain` trains alone; 0 for a machine that cannot.
    """

    network: Network
    pretraining: int = 0

    @property
    @abstractmethod
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one array of `Layer.shape` a layer."""

    @nodes.setter
    @abstractmethod
    def nodes(self, nodes: list[np.ndarray]) -> None: ...

    def train(self, records: Records, rates: Rates) -> Statistics:
        """One pass of Newton-Kaczmarz updates over the records, in order.

        Raises ValueError for rates or records that are not this network's.
        """
        rates.check(self.network)
        records.check(self.network)
        return self._train(records, rates)

    def pretrain(self, records: Records, rates: Rates) -> Statistics:
        """As `train`, but each group of `pretraining` addends is trained alone: against the full target, with a mean
        that is still over all addends. The statistics sum the residuals of all groups.

        Raises ValueError for a machine without groups, too.
        """
        if not self.pretraining:
            raise ValueError(
                f"this {type(self).__name__} of the network {self.network} has no groups of addends to pre-train; "
                "it can only train them all together"
            )
        rates.check(self.network)
        records.check(self.network)
        return self._pretrain(records, rates)

    def predict(self, arguments: np.ndarray) -> np.ndarray:
        """Results (n, outputs) for arguments (n, features); nothing is updated. Raises ValueError as `train` does."""
        records = Records(arguments, np.zeros((len(arguments), self.network.outputs), dtype=arguments.dtype))
        records.check(self.network)
        return self._predict(records)

    @abstractmethod
    def _train(self, records: Records, rates: Rates) -> Statistics: ...

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Of a machine with groups."""
        raise NotImplementedError

    @abstractmethod
    def _predict(self, records: Records) -> np.ndarray:
        """Of records whose targets are all zero."""

    def fit(self, records: Records, phases: Sequence[Phase], progress: Progress | None = None) -> Statistics:
        """All epochs of all phases; returns the statistics of the last pass."""
        epochs, done, statistics = sum(phase.epochs for phase in phases), 0, Statistics()
        for phase in phases:
            for _ in range(phase.epochs):
                statistics = (self.pretrain if phase.apart else self.train)(records, phase.rates)
                done += 1
                if progress:
                    progress(done, epochs, statistics)
        return statistics


class FixedTrainer(Trainer):
    """A fixed-point machine that keeps its nodes in this process, as int64 arrays in `_nodes`."""

    @property
    def nodes(self) -> list[np.ndarray]:
        return [nodes.copy() for nodes in self._nodes]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        self._nodes = [np.array(layer, dtype=np.int64) for layer in nodes]
