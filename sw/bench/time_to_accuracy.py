"""How many record updates, and how much processor time, a training takes to reach an accuracy."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sw.engine.compiled import CompiledFixed, Encoded
from sw.experiment import Experiment
from sw.metrics import pearson
from sw.spec.nodes import groups_of
from sw.spec.trainer import Phase, Rates

REPEATS = 5  # of a training that takes a few milliseconds


@dataclass(frozen=True)
class Reached:
    """How far a training came until unseen records were predicted well, or it was over.

    `record_updates`: records trained on, each as often as it was. `passes`: in which they were.
    """

    reached: bool
    record_updates: int
    passes: int
    pearson: float


class Method:
    """A experiment's model on its way to an accuracy in fixed point, by the schedule `phases`, `step` records a pass.

    `pretraining`: addends of a group that is trained alone in phases that are so. Raises ValueError for a step of no
    record, and for groups that the network cannot have.
    """

    def __init__(self, experiment: Experiment, phases: tuple[Phase, ...], *, step: int, pretraining: int = 0):
        if step < 1:
            raise ValueError(f"passes of {step} records: must be 1 or more")
        self._session, self._phases, self._step = experiment, phases, step
        network = experiment.model.network
        self._groups = tuple(start for start, _ in groups_of(network, pretraining)) if pretraining else ()
        self._machines = self._machines_of(())
        self._records = self._machines[False].encode(experiment.records)

    def _machines_of(self, staleness: tuple[int, ...]) -> dict[bool, CompiledFixed]:
        """By whether groups are trained alone."""
        model, groups = self._session.model, {False: (), True: self._groups}
        return {
            apart: CompiledFixed(model.network, model.nodes, staleness, groups=starts, counting=False)
            for apart, starts in groups.items()
        }

    def run(self, goal: float, *, staleness: tuple[int, ...]) -> Reached:
        """Train with these staleness until the hold-out's Pearson is the goal, judged after each pass."""
        model, holdout = self._session.model, self._session.split.holdout
        machines = self._machines_of(staleness)
        unseen = machines[False].encode(model.encode(holdout.features, holdout.targets))
        record_updates, passes, found = 0, 0, 0.0
        for machine, part, rates in self._passes(machines, self._step):
            machine.run(part, rates)
            record_updates, passes = record_updates + len(part), passes + 1
            found = pearson(model.decode(machine.results(unseen)), holdout.targets)
            if found >= goal:
                return Reached(True, record_updates, passes, found)
        return Reached(False, record_updates, passes, found)

    def cpu_seconds(self, record_updates: int) -> float:
        """What so many record_updates take without staleness, an epoch at a time: process time, the least of
        `REPEATS`."""
        return min(self._timed(record_updates) for _ in range(REPEATS))

    def _timed(self, record_updates: int) -> float:
        self._machines[self._phases[0].apart].nodes = self._session.model.nodes
        begun = time.process_time()
        for machine, part, rates in self._passes(self._machines, len(self._records)):
            if len(part) >= record_updates:
                machine.run(next(part.rounds(record_updates, self._features)), rates)
                break
            machine.run(part, rates)
            record_updates -= len(part)
        return time.process_time() - begun

    def _passes(self, machines: dict[bool, CompiledFixed], size: int) -> Iterator[tuple[CompiledFixed, Encoded, Rates]]:
        """The records of the whole schedule in order, `size` of an epoch at a time, and the machine that is to train on
        them; it takes over the nodes of the one before."""
        last = machines[self._phases[0].apart]
        for phase in self._phases:
            machine = machines[phase.apart]
            if machine is not last:
                machine.nodes = last.nodes
            last = machine
            for _ in range(phase.epochs):
                for part in self._records.rounds(size, self._features):
                    yield machine, part, phase.rates

    @property
    def _features(self) -> int:
        return self._session.model.network.features
