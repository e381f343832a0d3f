"""Measurement of the record updates, and of the processor time, that a training takes to reach an accuracy."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sw.engine.compiled import CompiledFixed
from sw.engine.encoded import Encoded
from sw.experiment import Experiment
from sw.metrics import pearson
from sw.spec.nodes import groups_of
from sw.spec.schedule import Phase, Rates, steps

REPEATS = 5  # of a training that takes a few milliseconds


@dataclass(frozen=True)
class Reached:
    """The end of a training that stops as soon as unseen records are predicted well.

    Attributes
    ----------
    reached : bool
        False if the schedule was over before that.
    record_updates : int
        Records that were trained on, each counted as often as it was.
    passes : int
        Passes that these updates were made in.
    pearson : float
        Pearson correlation on the unseen records at the end.
    """

    reached: bool
    record_updates: int
    passes: int
    pearson: float


class Method:
    """A way to train an experiment's model to an accuracy in fixed point, in passes of a few records.

    Parameters
    ----------
    experiment : Experiment
        The model and the records, which are trained on in their own order.
    phases : tuple of Phase
        The schedule.
    step : int
        Records of a pass.
    pretraining : int, default=0
        Addends of a group that is trained alone in phases of pre-training.

    Raises
    ------
    ValueError
        For passes of no record, and for groups that the network cannot have.
    """

    def __init__(self, experiment: Experiment, phases: tuple[Phase, ...], *, step: int, pretraining: int = 0):
        if step < 1:
            raise ValueError(f"passes of {step} records: must be 1 or more")
        self._experiment, self._phases, self._step = experiment, phases, step
        network = experiment.model.network
        self._groups = tuple(start for start, _ in groups_of(network, pretraining)) if pretraining else ()
        self._trainers = self._new_trainers(())
        self._records = self._trainers[False].encode(experiment.records)

    def _new_trainers(self, staleness: tuple[int, ...]) -> dict[bool, CompiledFixed]:
        """Make a trainer of all addends together, False, and one of groups alone, True."""
        model, groups = self._experiment.model, {False: (), True: self._groups}
        return {
            pretraining: CompiledFixed(model.network, model.nodes, staleness, groups=starts, counting=False)
            for pretraining, starts in groups.items()
        }

    def run(self, goal: float, *, staleness: tuple[int, ...], longest: int | None = None) -> Reached:
        """Train until the hold-out's Pearson correlation is the goal, evaluated after each pass.

        Parameters
        ----------
        goal : float
            The accuracy.
        staleness : tuple of int
            As in `CompiledFixed`.
        longest : int, optional
            Records of a pass, at most, if that is less than the method's own passes.

        Returns
        -------
        Reached
            How the training ended.
        """
        model, holdout = self._experiment.model, self._experiment.split.holdout
        trainers = self._new_trainers(staleness)
        unseen = trainers[False].encode_arguments(model.encode_features(holdout.features))
        record_updates, passes, found = 0, 0, 0.0
        for trainer, block, rates in self._passes(trainers, min(self._step, longest or self._step)):
            trainer.run(block, rates)
            record_updates, passes = record_updates + len(block), passes + 1
            found = pearson(model.decode(trainer.results(unseen)), holdout.targets)
            if found >= goal:
                return Reached(True, record_updates, passes, found)
        return Reached(False, record_updates, passes, found)

    def cpu_seconds(self, record_updates: int) -> float:
        """Measure the process time of so many record updates, in passes of an epoch, without staleness.

        Parameters
        ----------
        record_updates : int
            Records to train on, each counted as often as it is.

        Returns
        -------
        float
            The least of `REPEATS` measurements, with compiled kernels.
        """
        for trainer in self._trainers.values():
            trainer.prepare()
        return min(self._timed(record_updates) for _ in range(REPEATS))

    def _timed(self, record_updates: int) -> float:
        first = self._trainers[self._phases[0].pretraining]
        first.nodes = self._experiment.model.nodes
        first.seek(0)
        begun = time.process_time()
        for trainer, block, rates in self._passes(self._trainers, len(self._records)):
            if len(block) >= record_updates:
                trainer.run(block.between(0, record_updates), rates)
                break
            trainer.run(block, rates)
            record_updates -= len(block)
        return time.process_time() - begun

    def _passes(self, trainers: dict[bool, CompiledFixed], size: int) -> Iterator[tuple[CompiledFixed, Encoded, Rates]]:
        """Yield each pass of the schedule: its trainer, its records, `size` of an epoch at a time, and its rates.

        A trainer takes over the nodes of the one before.
        """
        last = trainers[self._phases[0].pretraining]
        for step in steps(self._phases, self._records.blocks(size)):
            phase = step.epoch.phase
            trainer = trainers[phase.pretraining]
            if trainer is not last:
                trainer.nodes, trainer.chance = last.nodes, last.chance
            last = trainer
            yield trainer, step.shard, phase.rates
