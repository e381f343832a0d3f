"""Training on a CPU: sequential, pre-trained by groups of addends, concurrent on disjoint records with merging.

A `Strategy` says how, a `Training` does it, in every arithmetic. What comes out depends on the strategy, not on the
number of threads, nor on how the models are spread over processes, nor on what is kept in memory.

Records are trained on in shards, in the source's order, and each shard in the "shuffled" order of `sw.engine.order`.
"""

import hashlib
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sw.datasets import Dataset, Source
from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer, parameters_of, with_parameters
from sw.engine.encoded import Encoded
from sw.engine.encoder import Encoder
from sw.engine.order import orders
from sw.engine.prediction import parallel_results
from sw.engine.pretraining import GroupPretraining
from sw.engine.processes import SINGLE_PROCESS, Processes
from sw.engine.rounds import ConcurrentRounds
from sw.engine.shards import CACHE_BYTES, SHARD_RECORDS, SourceShards
from sw.engine.stage import Stage
from sw.engine.strategy import Strategy
from sw.metrics import Score
from sw.model import Model, check_fit
from sw.oracle.merging import Merging
from sw.spec.bounds import BYTES, RECORDS, THREADS, check_whole
from sw.spec.nodes import check_finite
from sw.spec.schedule import Position, epochs_in, steps

FIRST_RECORDS = 100  # by which sources are told from each other


class EvaluationStopped(Exception):
    """An evaluation was given up before its end."""


@dataclass(frozen=True, eq=False)
class State:
    """A training at some time.

    Attributes
    ----------
    position : Position
        How far it has come.
    parameters : ndarray of shape (models, parameters)
        The parameters of all models of all processes; one row if all models are equal.
    """

    position: Position
    parameters: np.ndarray


@dataclass(frozen=True)
class TrainingReport:
    """The progress of a training after a shard.

    Attributes
    ----------
    position : Position
        How far it has come.
    epochs : int
        Epochs of the whole schedule.
    records : int
        Records that have been trained on so far, those of pre-training included.
    total : int
        Records of the whole schedule.
    seconds : float
        Time since the training began or was resumed, without the compilation of kernels.
    mean_residual : float
        Mean absolute residual over the shard, in the units of the model's integers.
    pretraining : bool
        True if the shard was one of pre-training.
    epoch_done : bool
        True if the shard was the last one of its epoch.
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
    model : Model
        The model to begin with; it is not changed.
    source : Source
        The records.
    strategy : Strategy
        How the model is trained.
    threads : int, default=1
        Threads that work at a time.
    processes : Processes, default=SINGLE_PROCESS
        Processes that share the work; each has `strategy.models` models. All of them pre-train and read everything.
    state : State, optional
        The `state` of an equal training to resume from.
    shard_records : int, optional
        Records of a shard, about: with several models they become whole rounds, and one at least.
    cache_bytes : int, optional
        As in `sw.engine.shards.SourceShards`, for the training records and for the hold-out, each.

    Attributes
    ----------
    processes : Processes
        As given.
    models : int
        Models of all processes.

    Raises
    ------
    ValueError
        For a strategy, a source or a state that does not fit the model.
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
        check_whole("threads", threads, *THREADS)
        check_whole("shard_records", shard_records, *RECORDS)
        check_whole("cache_bytes", cache_bytes, *BYTES)
        check_fit(network, source)
        if strategy.pretraining:
            strategy.pretraining.groups(network)
        if ARITHMETICS[strategy.arithmetic] is not None:
            model = as_floating(model)
        self.processes = processes
        self._model, self._source, self._strategy, self._threads = model, source, strategy, threads
        self.models = strategy.models * processes.size
        self._phases = strategy.schedule(processes.size)
        for phase in self._phases:
            phase.rates.check(network)
        self._encoder = Encoder(model, compiled_trainer(model, strategy.arithmetic))
        self._shard_records = shard_records
        if self.models > 1:
            whole = self.models * strategy.round_records
            self._shard_records = max(1, shard_records // whole) * whole
        sizes = {"size": self._shard_records, "cache_bytes": cache_bytes}
        self._shards = SourceShards(source, "train", self._shuffled, **sizes)
        self._holdout = SourceShards(source, "holdout", self._held_out, **sizes)
        self.resume(state or State(Position(), parameters_of(model)[None]))

    def resume(self, state: State) -> None:
        """Go back, or on, to the `state` of a training of the same `identity`.

        Raises
        ------
        ValueError
            For a state that does not fit the training.
        """
        self.check(state)
        self._position = state.position
        self._start = [with_parameters(self._model, parameters) for parameters in state.parameters]
        self._stage: Stage | None = None

    def check(self, state: State) -> None:
        """Check that this training can be resumed from a state.

        Raises
        ------
        ValueError
            For another number of models, a position that the schedule does not have, or parameters that the model
            cannot have.
        """
        position, rows = state.position, state.parameters
        check_whole("the position's epoch", position.epoch, 0, epochs_in(self._phases))
        check_whole("the position's shard", position.shard, 0, max(0, len(self._shards) - 1))
        if len(rows) not in (1, self.models):
            raise ValueError(f"a state of {len(rows)} models; this training has {self.models}")
        for row in rows:
            with_parameters(self._model, row)
        check_finite("the state", rows)

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
            "strategy": asdict(self._strategy) | {"models": self.models},
            "shard_records": self._shard_records,
        }

    @property
    def model(self) -> Model:
        """The present model; the mean of several that have been merged in pairs."""
        rows = self.state.parameters
        return with_parameters(self._model, Merging().merged(rows, rows, ())[0])

    @property
    def state(self) -> State:
        """All that is needed to go on from here: the same in all processes, and valid between two reports."""
        return State(self._position, np.stack([parameters_of(model) for model in self._models]))

    @property
    def records_done(self) -> int:
        """Records that have been trained on so far, those of pre-training included."""
        position = self._position
        return position.epoch * self._source.count("train") + position.shard * self._shard_records

    @property
    def was_pretraining(self) -> bool:
        """Whether the last epoch that was trained, or begun, was one of pre-training."""
        begun = self._position.epoch + (self._position.shard > 0)
        before = sum(phase.epochs for phase in self._phases if phase.pretraining)
        return 0 < begun <= before

    @property
    def _models(self) -> list[Model]:
        """The present models of all processes; one alone if all are equal."""
        return self._stage.models if self._stage else self._start

    def run(self) -> Generator[TrainingReport, None, None]:
        """Train to the end of the schedule.

        A caller that has seen enough stops asking for the next report, in all processes after the same one.

        Yields
        ------
        TrainingReport
            The progress after each shard.
        """
        self._encoder.prepare()
        begun, epochs = time.monotonic(), epochs_in(self._phases)
        with ThreadPoolExecutor(self._threads) as pool:
            for step in steps(self._phases, self._shards, self._position):
                phase, number = step.epoch.phase, step.epoch.number
                stage = self._stage
                if not isinstance(stage, GroupPretraining if phase.pretraining else ConcurrentRounds):
                    preparing = time.monotonic()
                    stage = self._stage = self._new_stage(phase.pretraining)
                    stage.prepare()
                    begun += time.monotonic() - preparing
                seed = self._strategy.seed, number, step.number
                residual = stage.train(pool, step.shard, phase.rates, seed, self.records_done)
                self._position = step.end
                yield TrainingReport(
                    step.end,
                    epochs,
                    self.records_done,
                    epochs * self._source.count("train"),
                    time.monotonic() - begun,
                    residual * self._encoder.result_scale,
                    phase.pretraining,
                    step.end.shard == 0,
                )

    def score(self, stop: Callable[[], bool] = lambda: False) -> Score:
        """Evaluate the present model on the hold-out, in the user's units.

        Parameters
        ----------
        stop : callable, optional
            Asked before each shard; the evaluation is given up if it says True.

        Returns
        -------
        Score
            The score.

        Raises
        ------
        EvaluationStopped
            If `stop` says so.
        """
        model, score = self.model, Score()
        trainers = [compiled_trainer(model, self._strategy.arithmetic) for _ in range(self._threads)]
        with ThreadPoolExecutor(self._threads) as pool:
            for held in self._holdout:
                if stop():
                    raise EvaluationStopped
                results = parallel_results(pool, trainers, held.records.arguments)
                score.add(model.decode(results), held.targets)
        return score

    def _new_stage(self, pretraining: bool) -> Stage:
        """Begin a stage from the present models."""
        if pretraining:
            return GroupPretraining(self._models[0], self._strategy, self._threads)
        return ConcurrentRounds(self._models, self._strategy, self.processes)

    def _encode(self, shard: Dataset) -> Encoded:
        return self._encoder.records(shard.features, shard.targets)

    def _shuffled(self, index: int, shard: Dataset) -> Encoded:
        rng = np.random.default_rng((self._strategy.seed, 0, index))
        return self._encode(shard.take(next(orders("shuffled", np.arange(len(shard)), rng))))

    def _held_out(self, index: int, shard: Dataset) -> "HeldOut":
        return HeldOut(self._encode(shard), shard.targets)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Records of the hold-out.

    Attributes
    ----------
    records : Encoded
        The records.
    targets : ndarray of shape (n, outputs)
        Their targets in the user's units.
    """

    records: Encoded
    targets: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.records.nbytes + self.targets.nbytes


def digest(*arrays: np.ndarray) -> str:
    """Compute the SHA-256 digest of the numbers in arrays."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
