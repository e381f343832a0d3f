"""The interface of a trainer, as oracles, compiled kernels, simulated gateware and boards implement it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sw.spec.bounds import shown
from sw.spec.chance import FIRST_CHANCE, chance_after, chances_after
from sw.spec.network import Network
from sw.spec.nodes import check_nodes
from sw.spec.records import Records, check_arguments
from sw.spec.schedule import EpochLoop, Phase, Rates, epochs_in


@dataclass(frozen=True)
class Statistics:
    """Counts over one pass; those of several passes can be added.

    Attributes
    ----------
    records : int
        Records that were trained on.
    absolute_residual : float
        Sum of |residual| over records and outputs, in the units of the trainer's targets.
    saturations : int
        Nodes that an update drove to the end of the word.
    clips : int
        Hidden arguments that were clipped to their domain.
    zero_steps : int
        Steps that are zero, since their errors are too small: they move no node.
    """

    records: int = 0
    absolute_residual: float = 0
    saturations: int = 0
    clips: int = 0
    zero_steps: int = 0

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Statistics":
        """Take the counts from plain data.

        Parameters
        ----------
        plain : dict
            Of `dataclasses.asdict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            For anything else.
        """
        for name in cls.__dataclass_fields__:
            count = plain[name]
            if type(count) not in (int, float) or not 0 <= count < float("inf"):
                raise ValueError(f"{shown(count)} {name}: must be a number, 0 or more")
        return cls(**plain)

    @property
    def mean_residual(self) -> float:
        """The absolute residual of a record, all outputs together; 0 without records."""
        return self.absolute_residual / self.records if self.records else 0.0


Progress = Callable[[int, int, Statistics], None]
"""Called after each epoch with its number from 1, the number of epochs in the schedule, and the epoch's statistics."""


class Trainer(ABC):
    """A trainer of one network.

    Passes are atomic: when a call returns, every update of it has been made.

    Attributes
    ----------
    network : Network
        The network that is trained.
    pretraining : int
        Addends of each group that `pretrain` trains alone; 0 if the trainer has no groups.
    chance : int
        The word of `sw.spec.chance` of the last record that was trained on; it moves in a network with fine bits only.
    chance_stride : int
        Words from a record to the next: the number of trainers that take the records in turn.
    """

    network: Network
    pretraining: int = 0
    chance: int = FIRST_CHANCE
    chance_stride: int = 1

    @property
    @abstractmethod
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one array of `Layer.shape` a layer."""

    @nodes.setter
    @abstractmethod
    def nodes(self, nodes: list[np.ndarray]) -> None: ...

    def seek(self, records: int) -> None:
        """Set the chance word to that after so many records of a training, for the next one to follow.

        Parameters
        ----------
        records : int
            Records of the training that were trained on before, in this trainer or in another.
        """
        if self.network.fine:
            self.chance = chance_after(FIRST_CHANCE, records)

    def _next_chances(self, count: int) -> np.ndarray:
        """Move on to the words of the next records that are trained on; returns them, zeros without fine bits."""
        if not self.network.fine or not count:
            return np.zeros(count, np.int64)
        words = chances_after(self.chance, count, self.chance_stride)
        self.chance = int(words[-1])
        return words

    def check_rates(self, rates: Rates) -> None:
        """Check that the trainer can train at these rates.

        Parameters
        ----------
        rates : Rates
            The learning rates of a pass.

        Raises
        ------
        ValueError
            If it cannot.
        """
        rates.check(self.network)

    def train(self, records: Records, rates: Rates) -> Statistics:
        """Make one pass of Newton-Kaczmarz updates over the records, in their order.

        Parameters
        ----------
        records : Records
            The records to train on.
        rates : Rates
            The learning rates of the pass.

        Returns
        -------
        Statistics
            The counts of the pass.

        Raises
        ------
        ValueError
            For rates or records that do not fit the network.
        """
        self.check_rates(rates)
        records.check(self.network)
        return self._train(records, rates)

    def predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """Make one pass as `train` makes it, and keep the prediction of each record: a prequential pass.

        A record's prediction is the result of the forward pass from which its own update is computed. It does not see
        that update; it sees the earlier ones that the trainer's staleness, its blocks and its contexts let it see. In
        floating point, domains have grown to hold the record's hidden arguments, which `predict` would limit.

        Parameters
        ----------
        records : Records
            The records to predict and to train on.
        rates : Rates
            The learning rates of the pass.

        Returns
        -------
        results : ndarray of shape (n, outputs)
            The predictions, in the units of `predict`.
        statistics : Statistics
            The counts of the pass.

        Raises
        ------
        ValueError
            For rates or records that do not fit the network.
        """
        self.check_rates(rates)
        records.check(self.network)
        return self._predict_and_train(records, rates)

    def pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Make one pass over the records in which each group of `pretraining` addends is trained alone.

        A group is trained against the full target, and its mean is still over all addends. The statistics sum the
        residuals of all groups.

        Parameters
        ----------
        records : Records
            The records to train on.
        rates : Rates
            The learning rates of the pass.

        Returns
        -------
        Statistics
            The counts of the pass.

        Raises
        ------
        ValueError
            As `train`, and for a trainer without groups.
        """
        if not self.pretraining:
            raise ValueError(
                f"this {type(self).__name__} of the network {self.network} has no groups of addends to pre-train; "
                "it can only train them all together"
            )
        self.check_rates(rates)
        records.check(self.network)
        return self._pretrain(records, rates)

    def predict(self, arguments: np.ndarray) -> np.ndarray:
        """Compute the network's results; nothing is updated.

        Parameters
        ----------
        arguments : ndarray of shape (n, features)
            Encoded features, as `Records.arguments`.

        Returns
        -------
        ndarray of shape (n, outputs)
            The results, in the units of the trainer's targets.

        Raises
        ------
        ValueError
            For arguments that do not fit the network.
        """
        check_arguments(self.network, arguments)
        return self._predict(arguments)

    def _train(self, records: Records, rates: Rates) -> Statistics:
        """Train; a trainer that saves time without predictions has its own."""
        return self._predict_and_train(records, rates)[1]

    @abstractmethod
    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]: ...

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Pre-train; a trainer with groups has this."""
        raise NotImplementedError

    @abstractmethod
    def _predict(self, arguments: np.ndarray) -> np.ndarray: ...

    def fit(
        self, records: Records, phases: Sequence[Phase], progress: Progress | None = None, *, done: int = 0
    ) -> Statistics:
        """Train by a schedule, every epoch over the records in the same order.

        Parameters
        ----------
        records : Records
            The records to train on.
        phases : sequence of Phase
            The schedule.
        progress : Progress, optional
            Called after each epoch.
        done : int, default=0
            Record updates of the schedule that were made before: they are left out. Whole epochs of them, unless the
            trainer says otherwise.

        Returns
        -------
        Statistics
            The counts of the last epoch.

        Raises
        ------
        ValueError
            As `train` and `pretrain`.
        """
        statistics = Statistics()
        for epoch in EpochLoop(phases):
            ahead = done - epoch.number * len(records)
            if ahead >= len(records) > 0:
                continue
            if ahead > 0:
                statistics = self._rest_of_epoch(records, epoch.phase, ahead)
            else:
                run_epoch = self.pretrain if epoch.phase.pretraining else self.train
                statistics = run_epoch(records, epoch.phase.rates)
            if progress:
                progress(epoch.number + 1, epochs_in(phases), statistics)
        return statistics

    def _rest_of_epoch(self, records: Records, phase: Phase, done: int) -> Statistics:
        """Train on the records of an epoch behind the first `done`; a trainer that can has its own."""
        raise ValueError(
            f"{done} of {len(records)} records of an epoch are done; a {type(self).__name__} begins whole ones"
        )


class FixedTrainer(Trainer):
    """A fixed-point trainer that keeps its nodes in this process, as int64 arrays."""

    @property
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one int64 array of `Layer.shape` a layer."""
        return [nodes.copy() for nodes in self._nodes]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        self._nodes = [
            np.array(layer, dtype=np.int64, order="C") for layer in nodes
        ]  # whatever the order of the given ones
