"""Training on a CPU: sequential, pre-trained by groups of addends, concurrent on disjoint records with merging.

A `Strategy` says how, a `Training` does it, in every arithmetic. What comes out depends on the strategy, not on the
number of threads, nor on how the models are spread over processes, nor on what is kept in memory.

Records are trained on in shards, in the source's order, each shard shuffled. A source longer than a shard must not be
sorted, since what a shard teaches the next one would unteach.
"""

import hashlib
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sw.datasets import Dataset, Source
from sw.engine.compiled import CompiledTrainer, Encoded
from sw.engine.conversion import (
    ARITHMETICS,
    Part,
    as_floating,
    assembled,
    machine_of,
    parameters_of,
    part_of,
    with_machine,
    with_parameters,
)
from sw.engine.processes import SINGLE_PROCESS, Processes
from sw.engine.shards import CACHE_BYTES, SHARD_RECORDS, Shards
from sw.engine.strategy import Strategy, retuned
from sw.metrics import Score
from sw.model import Model, check_fit
from sw.oracle.merging import Merging
from sw.spec.trainer import Rates

FIRST_RECORDS = 100  # by which sources are told from each other


@dataclass(frozen=True)
class Position:
    """How far a training has come: whole epochs, and shards of the next one."""

    epoch: int = 0
    shard: int = 0


@dataclass(frozen=True, eq=False)
class State:
    """A training at some time: its position, and the parameters of all its models, one a row; of models that are
    equal, one row."""

    position: Position
    parameters: np.ndarray


@dataclass(frozen=True)
class TrainingReport:
    """Where a training stands, after each shard.

    `records`: trained on so far, pre-training included; of `total`. `seconds`: since it began or was resumed.
    `mean_residual`: over the last shard, in the units of the model's integers. `epoch_done`: the shard was the last of
    its epoch.
    """

    position: Position
    epochs: int
    records: int
    total: int
    seconds: float
    mean_residual: float
    pretraining: bool
    epoch_done: bool


class Training:
    """A model in training.

    Parameters
    ----------
    model: to begin with; it is not changed.
    source: of the records.
    strategy: how.
    threads: that work at a time.
    processes: that share the work; each has `strategy.models` models. Pre-training and reading they all do.
    state: to resume from, as `state` was at that time.
    shard_records: about so many are read at a time: whole rounds, and one at least.
    cache_bytes: as `sw.engine.shards.Shards` takes it, for the training records and for the hold-out, each.

    Raises
    ------
    ValueError: for a strategy, a source or a state that does not fit the model.
    """

    def __init__(
        self,
        model: Model,
        source: Source,
        strategy: Strategy,
        *,
        threads: int = 1,
        processes: Processes = SINGLE_PROCESS,
        state: State | None = None,
        shard_records: int = SHARD_RECORDS,
        cache_bytes: int = CACHE_BYTES,
    ):
        network = model.network
        if threads < 1:
            raise ValueError(f"threads {threads} must be 1 or more")
        check_fit(network, source)
        if strategy.pretraining:
            strategy.pretraining.groups(network)
        if ARITHMETICS[strategy.arithmetic] is not None:
            model = as_floating(model)
        self.processes = processes
        self._model, self._source, self._strategy, self._threads = model, source, strategy, threads
        self._count = strategy.models * processes.size
        self._epochs = [(rates if apart else retuned(rates, self._count), apart) for rates, apart in strategy.epochs]
        for rates, _ in self._epochs:
            rates.check(network)
        self._scratch = machine_of(model, strategy.arithmetic)
        self._shard_records = shard_records
        if self._count > 1:
            whole = self._count * strategy.round_records
            self._shard_records = max(1, shard_records // whole) * whole
        sizes = {"size": self._shard_records, "cache_bytes": cache_bytes}
        self._shards = Shards(source, "train", self._shuffled, **sizes)
        self._holdout = Shards(source, "holdout", self._held, **sizes)
        self.resume(state or State(Position(), parameters_of(model)[None]))

    def resume(self, state: State) -> None:
        """Go back, or on, to what was `state` in a training of the same `identity`."""
        if len(state.parameters) not in (1, self._count):
            raise ValueError(f"a state of {len(state.parameters)} models; this training has {self._count}")
        self._position = state.position
        self._models = [with_parameters(self._model, parameters) for parameters in state.parameters]
        self._parts: list[Part] = []
        self._machines: list[CompiledTrainer] = []

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that decides what comes out, as plain data: only a training of the same can be resumed."""
        source = self._source
        first = next(source.shards("train", FIRST_RECORDS))
        return {
            "network": self._model.network.describe(),
            "start": digest(parameters_of(self._model), *self._model.scaling.arrays().values()),
            "data": source.name,
            "columns": [*source.feature_names, *source.target_names],
            "records": source.count("train"),
            "holdout": source.count("holdout"),
            "first": digest(first.features, first.targets),
            "strategy": asdict(self._strategy) | {"models": self._count},
            "shard_records": self._shard_records,
        }

    @property
    def model(self) -> Model:
        """The model as it is now; of several that have been merged in pairs, the mean."""
        rows = self.state.parameters
        return with_parameters(self._model, Merging().merged(rows, rows, ())[0])

    @property
    def state(self) -> State:
        """All that is needed to go on from here: the same in all processes, and valid between two reports."""
        return State(self._position, np.stack([parameters_of(model) for model in self._now()]))

    def _now(self) -> list[Model]:
        """All models of all processes; of equal ones, one."""
        if self._parts:
            return [assembled(self._model, self._parts)]
        if self._machines:
            differing = self._count if self._strategy.merging.merge == "pairs" else 1
            return [self._of_parameters(row) for row in self._merged[:differing]]
        return self._models

    def run(self) -> Generator[TrainingReport, None, None]:
        """Train; a report after each shard. Whoever has seen enough stops asking for the next, in all processes after
        the same report."""
        begun, each = time.monotonic(), self._source.count("train")
        with ThreadPoolExecutor(self._threads) as pool:
            for epoch in range(self._position.epoch, len(self._epochs)):
                rates, apart = self._epochs[epoch]
                self._prepare(apart)
                done, skipped = 0, self._position.shard
                for index, shard in enumerate(self._shards):
                    done += len(shard)
                    if index < skipped:
                        continue
                    if apart:
                        residual = self._train_apart(pool, shard, rates)
                    else:
                        residual = self._train_rounds(pool, shard, rates, (self._strategy.seed, epoch, index))
                    self._position = Position(epoch, index + 1) if done < each else Position(epoch + 1)
                    yield TrainingReport(
                        self._position,
                        len(self._epochs),
                        epoch * each + done,
                        len(self._epochs) * each,
                        time.monotonic() - begun,
                        residual * self._scratch.result_scale,
                        apart,
                        done == each,
                    )

    def score(self) -> Score:
        """How the model does on the hold-out, in the user's units."""
        model, score = self.model, Score()
        machines = [machine_of(model, self._strategy.arithmetic) for _ in range(self._threads)]
        with ThreadPoolExecutor(self._threads) as pool:
            for held in self._holdout:
                parts = held.records.split(self._threads, model.network.features)
                results = pool.map(lambda machine, part: machine.results(part), machines, parts)
                score.add(model.decode(np.concatenate(list(results))), held.targets)
        return score

    def _encode(self, shard: Dataset) -> Encoded:
        return self._scratch.encode(self._model.encode(shard.features, shard.targets))

    def _shuffled(self, index: int, shard: Dataset) -> Encoded:
        order = np.random.default_rng((self._strategy.seed, 0, index)).permutation(len(shard))
        return self._encode(shard.take(order))

    def _held(self, index: int, shard: Dataset) -> "Held":
        return Held(self._encode(shard), shard.targets)

    def _of_parameters(self, parameters: np.ndarray) -> Model:
        """The model with parameters as the machines have them."""
        self._scratch.parameters[:] = parameters
        return with_machine(self._model, self._scratch)

    def _prepare(self, apart: bool) -> None:
        """The machines for an epoch."""
        if apart and not self._parts:
            self._parts = self._split()
        elif not apart and not self._machines:
            models = self._now()
            self._machines = [machine_of(models[index % len(models)], self._strategy.arithmetic) for index in self._own]
            self._merged = self._gathered()
            self._parts = []

    @property
    def _own(self) -> range:
        """Which of all models are of this process."""
        first = self.processes.rank * self._strategy.models
        return range(first, first + self._strategy.models)

    def _split(self) -> list["Part"]:
        """Whole groups of addends, as many runs of them as threads."""
        assert self._strategy.pretraining
        model = self._models[0]
        groups = self._strategy.pretraining.groups(model.network)
        bounds = [*groups, model.network.layers[-1].inputs]
        parts = []
        for run in np.array_split(np.arange(len(groups)), min(self._threads, len(groups))):
            start, stop = bounds[run[0]], bounds[run[-1] + 1]
            part = part_of(model, start, stop)
            inside = tuple(bounds[group] - start for group in run)
            parts.append(Part(start, stop, machine_of(part, self._strategy.arithmetic, inside)))
        return parts

    def _train_apart(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates) -> float:
        """The mean residual of all groups."""
        statistics = list(pool.map(lambda part: part.machine.run(shard, rates), self._parts))
        groups = sum(len(part.machine.groups) - 1 for part in self._parts)
        return sum(each.absolute_residual for each in statistics) / (groups * len(shard))

    def _train_rounds(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates, place: tuple[int, ...]) -> float:
        """Each model trains on its own slice of the shard, then they are merged, and so on to its end."""
        if self._count == 1:
            return self._machines[0].run(shard, rates).mean_residual
        features, residual = self._model.network.features, 0.0
        for number, records in enumerate(shard.rounds(self._count * self._strategy.round_records, features)):
            slices = list(records.split(self._count, features))
            own = [slices[(index + number) % self._count] for index in self._own]
            for statistics in pool.map(lambda machine, part: machine.run(part, rates), self._machines, own):
                residual += statistics.absolute_residual
            self._merged = self._strategy.merging.merged(self._merged, self._gathered(), (*place, number))
            for index, machine in zip(self._own, self._machines, strict=True):
                machine.parameters[:] = self._merged[index]
        return float(self.processes.gather(np.array([residual])).sum()) / len(shard)

    def _gathered(self) -> np.ndarray:
        """The parameters of all models of all processes, one a row; of one alone, where it has them."""
        if self._count == 1:
            return self._machines[0].parameters[None]
        return self.processes.gather(np.stack([machine.parameters for machine in self._machines]))


@dataclass(frozen=True, eq=False)
class Held:
    """Records of the hold-out, and their targets in the user's units."""

    records: Encoded
    targets: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.records.nbytes + self.targets.nbytes


def digest(*arrays: np.ndarray) -> str:
    """Of the numbers in arrays."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
