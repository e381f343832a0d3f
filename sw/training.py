"""Training on a CPU: sequential, pre-trained by groups of addends, concurrent on disjoint records with merging.

A `Strategy` says how, a `Training` does it, in every arithmetic. What comes out depends on the strategy, not on the
number of threads, nor on how the models are spread over processes.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from sw.cluster import ALONE, Processes
from sw.compiled import CompiledFixed, CompiledMachine, CompiledTwin, Encoded
from sw.datasets import Dataset, Source
from sw.machine import Phase, Rates
from sw.merging import Merging
from sw.metrics import Score
from sw.model import Model
from sw.network import Network
from sw.reference import Twin
from sw.shards import CACHE_BYTES, SHARD_RECORDS, Shards

ARITHMETICS = {"fixed16": None, "float32": np.float32, "float64": np.float64}
RETUNED_FROM = 4  # models, from which on the learning rate is larger


@dataclass(frozen=True)
class Pretraining:
    """Groups of so many addends are trained alone, against the full target, for so many epochs, before all together."""

    addends: int
    epochs: int
    rates: Rates

    def groups(self, network: Network) -> tuple[int, ...]:
        """The first addend of each group. Raises ValueError for a network or a group that is not legal."""
        count = network.layers[-1].inputs
        network.part(count)
        if not 1 <= self.addends < count:
            raise ValueError(f"groups of {self.addends} addends: a network of {count} has groups of 1 to {count - 1}")
        return tuple(range(0, count, self.addends))


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """How a model is trained.

    Attributes
    ----------
    phases: the schedule of learning rates.
    arithmetic: one of `ARITHMETICS`.
    pretraining: before the schedule, or None.
    models: that train concurrently, each on its own records, in each process.
    round_records: of each model, after which the models are merged.
    merging: how.
    seed: of the order of the records, and of pairs.
    """

    phases: tuple[Phase, ...]
    arithmetic: str = "fixed16"
    pretraining: Pretraining | None = None
    models: int = 1
    round_records: int = 25_000
    merging: Merging = field(default_factory=Merging)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.arithmetic not in ARITHMETICS:
            raise ValueError(f"arithmetic {self.arithmetic!r} is not one of {', '.join(ARITHMETICS)}")
        for name in ("models", "round_records"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be 1 or more")

    @property
    def epochs(self) -> list[tuple[Rates, bool]]:
        """The rates of each epoch, and whether it is one of pre-training."""
        before = [(self.pretraining.rates, True)] * self.pretraining.epochs if self.pretraining else []
        return before + [(phase.rates, False) for phase in self.phases for _ in range(phase.epochs)]


@dataclass(frozen=True)
class Position:
    """How far a training has come: whole epochs, and shards of the next one."""

    epoch: int = 0
    shard: int = 0


@dataclass(frozen=True)
class Report:
    """Where a training stands, after each shard.

    `records`: trained on so far, pre-training included; of `total`. `seconds`: since it began or was resumed.
    `mean_residual`: over the last shard, in the model's words. `epoch_done`: the shard was the last of its epoch.
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
    shard_records, cache_bytes: as `sw.shards.Shards` takes them.

    Raises
    ------
    ValueError: for a strategy that does not fit the model.
    """

    def __init__(
        self,
        model: Model,
        source: Source,
        strategy: Strategy,
        *,
        threads: int = 1,
        processes: Processes = ALONE,
        state: "State | None" = None,
        shard_records: int = SHARD_RECORDS,
        cache_bytes: int = CACHE_BYTES,
    ):
        if threads < 1:
            raise ValueError(f"threads {threads} must be 1 or more")
        self._count = strategy.models * processes.size
        self._epochs = [(retuned(rates, self._count), alone) for rates, alone in strategy.epochs]
        for rates, _ in self._epochs:
            rates.check(model.network)
        if ARITHMETICS[strategy.arithmetic] is not None:
            model = as_floating(model)
        self._strategy, self._source, self._threads, self._processes = strategy, source, threads, processes
        self._shard_records, self._position = shard_records, Position()
        self._models = [model]
        if state:
            self._position = state.position
            self._models = [with_parameters(model, parameters) for parameters in state.parameters]
        self._parts: list[Part] = []
        self._machines: list[CompiledMachine] = []
        self._coder = machine_of(model, strategy.arithmetic)
        self._shards = Shards(source, self._encode, seed=strategy.seed, size=shard_records, cache_bytes=cache_bytes)

    def _encode(self, shard: Dataset) -> Encoded:
        return self._coder.encode(self._models[0].encode(shard.features, shard.targets))

    @cached_property
    def _holdout(self) -> list[tuple[Encoded, np.ndarray]]:
        shards = self._source.shards("holdout", self._shard_records)
        return [(self._encode(shard), shard.targets.copy()) for shard in shards]

    @property
    def model(self) -> Model:
        """The model as it is now; of several that have been merged in pairs, the first."""
        return self._now()[0]

    @property
    def state(self) -> "State":
        """All that is needed to go on from here. With several processes, all must ask at the same time."""
        own = np.stack([parameters_of(model) for model in self._now()])
        return State(self._position, self._processes.gather(own) if self._machines else own)

    def _now(self) -> list[Model]:
        """The models of this process."""
        if self._parts:
            return [assembled(self._models[0], self._parts)]
        if self._machines:
            return [with_machine(self._models[0], machine) for machine in self._machines]
        return self._models

    def run(self) -> Iterator[Report]:
        """Train; a report after each shard. Whoever has seen enough stops asking for the next."""
        begun, done = time.monotonic(), 0
        each = self._source.count("train")
        with ThreadPoolExecutor(self._threads) as pool:
            for epoch in range(self._position.epoch, len(self._epochs)):
                rates, apart = self._epochs[epoch]
                self._prepare(apart)
                done = epoch * each
                skipped, left = self._position.shard, each
                for index, shard in enumerate(self._shards.epoch(epoch)):
                    done, left = done + len(shard), left - len(shard)
                    if index < skipped:
                        continue
                    if apart:
                        residual = self._train_apart(pool, shard, rates)
                    else:
                        residual = self._train_rounds(pool, shard, rates, (self._strategy.seed, epoch, index))
                    self._position = Position(epoch, index + 1) if left else Position(epoch + 1)
                    yield Report(
                        self._position,
                        len(self._epochs),
                        done,
                        len(self._epochs) * each,
                        time.monotonic() - begun,
                        residual,
                        apart,
                        not left,
                    )

    def score(self) -> Score:
        """How the model does on the hold-out, in the user's units."""
        model, score = self.model, Score()
        machines = [machine_of(model, self._strategy.arithmetic) for _ in range(self._threads)]
        features = model.network.features
        with ThreadPoolExecutor(self._threads) as pool:
            for records, targets in self._holdout:
                parts = list(records.split(self._threads, features))
                results = pool.map(lambda machine, part: machine.results(part), machines, parts)
                score.add(model.decode(np.concatenate(list(results))), targets)
        return score

    def _prepare(self, apart: bool) -> None:
        """The machines for an epoch."""
        if apart and not self._parts:
            self._parts = self._split()
        elif not apart and not self._machines:
            models = self._now()
            self._parts = []
            first = self._processes.rank * self._strategy.models
            own = [models[(first + index) % len(models)] for index in range(self._strategy.models)]
            self._machines = [machine_of(model, self._strategy.arithmetic) for model in own]

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
        statistics = list(pool.map(lambda part: part.machine.run(shard, rates), self._parts))
        return float(
            np.mean(
                [
                    each.mean_residual / (len(part.machine.groups) - 1)
                    for part, each in zip(self._parts, statistics, strict=True)
                ]
            )
        )

    def _train_rounds(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates, place: tuple[int, ...]) -> float:
        """Each model trains on its own slice of the shard, then they are merged, and so on to its end."""
        if self._count == 1:
            return self._machines[0].run(shard, rates).mean_residual
        features, residual = self._models[0].network.features, 0.0
        first = self._processes.rank * self._strategy.models
        starts = self._gathered()
        for number, records in enumerate(shard.rounds(self._count * self._strategy.round_records, features)):
            slices = list(records.split(self._count, features))
            own = [slices[(first + index + number) % self._count] for index in range(self._strategy.models)]
            for statistics in pool.map(lambda machine, part: machine.run(part, rates), self._machines, own):
                residual += statistics.absolute_residual
            merged = self._strategy.merging.merged(starts, self._gathered(), (*place, number))
            for machine, parameters in zip(self._machines, merged[first:], strict=False):
                machine.parameters[:] = parameters
            starts = merged
        return residual * self._processes.size / len(shard)

    def _gathered(self) -> np.ndarray:
        """The parameters of all models of all processes, one a row."""
        return self._processes.gather(np.stack([machine.parameters for machine in self._machines]))


@dataclass(frozen=True, eq=False)
class State:
    """A training at some time: its position, and the parameters of all its models, one a row."""

    position: Position
    parameters: np.ndarray


@dataclass(frozen=True, eq=False)
class Part:
    """Addends `start` up to `stop` of a model, on a machine of their own."""

    start: int
    stop: int
    machine: CompiledMachine


def retuned(rates: Rates, models: int) -> Rates:
    """The rates of many concurrent models: the mean of several steps is shorter than each, which a larger step makes
    up for."""
    if models < RETUNED_FROM:
        return rates
    return replace(rates, update=tuple(max(shift - 1, 1) for shift in rates.update))


def as_floating(model: Model) -> Model:
    """A fixed-point model as a floating-point one; that which is one already as it is."""
    if model.domains is not None:
        return model
    return replace(model, nodes=[nodes.astype(float) for nodes in model.nodes], domains=Twin(model.network).domains)


def machine_of(model: Model, arithmetic: str, groups: tuple[int, ...] = ()) -> CompiledMachine:
    """A compiled machine with the model's parameters. Raises ValueError for a model of another arithmetic."""
    word = ARITHMETICS[arithmetic]
    if word is not None:
        return CompiledTwin(model.network, model.nodes, model.domains, groups=groups, word=word)
    if model.domains is not None:
        raise ValueError(f"a floating-point model cannot be trained in {arithmetic}; use float32 or float64")
    return CompiledFixed(model.network, model.nodes, groups=groups, counting=False)


def with_machine(model: Model, machine: CompiledMachine) -> Model:
    """The model with the parameters of a machine."""
    domains = machine.domains if isinstance(machine, CompiledTwin) else None
    return replace(model, nodes=machine.nodes, domains=domains)


def part_of(model: Model, start: int, stop: int) -> Model:
    """Some addends of a model alone."""
    (inner, outer), domains = model.nodes, model.domains
    return replace(
        model,
        network=model.network.part(stop - start),
        nodes=[inner[:, :, start:stop], outer[start:stop]],
        domains=domains and [domains[0], domains[1][start:stop]],
    )


def assembled(model: Model, parts: list[Part]) -> Model:
    """The model that the parts make up."""
    machines = [part.machine for part in parts]
    inner, outer = zip(*(machine.nodes for machine in machines), strict=True)
    domains = model.domains
    if domains:
        ends = [machine.domains[1] for machine in machines if isinstance(machine, CompiledTwin)]
        domains = [domains[0], np.concatenate(ends)]
    return replace(model, nodes=[np.concatenate(inner, axis=2), np.concatenate(outer)], domains=domains)


def parameters_of(model: Model) -> np.ndarray:
    """All parameters in a row."""
    return np.concatenate([array.ravel() for array in (*model.nodes, *(model.domains or ()))])


def with_parameters(model: Model, parameters: np.ndarray) -> Model:
    """The inverse of `parameters_of`."""
    arrays = [*model.nodes, *(model.domains or ())]
    ends = np.cumsum([array.size for array in arrays])[:-1]
    values = [part.reshape(array.shape) for part, array in zip(np.split(parameters, ends), arrays, strict=True)]
    depth = len(model.nodes)
    return replace(model, nodes=values[:depth], domains=values[depth:] or None)
