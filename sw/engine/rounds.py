"""Rounds of concurrent models: each trains on its own slice of the records, then they are merged, and so on."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sw.engine.conversion import compiled_trainer, with_trainer
from sw.engine.encoded import Encoded
from sw.engine.processes import Processes
from sw.engine.stage import Stage
from sw.engine.strategy import Strategy
from sw.model import Model
from sw.spec.schedule import Rates


class ConcurrentRounds(Stage):
    """Models that train concurrently and are merged after each round; a single model trains without rounds.

    Parameters
    ----------
    models : list of Model
        The models of all processes to begin with; one alone if all are equal.
    strategy : Strategy
        It says how many models a process has, the length of a round, and how they are merged.
    processes : Processes
        Processes that share the models. All must be at the same shard at the same time.
    """

    def __init__(self, models: list[Model], strategy: Strategy, processes: Processes):
        self._model, self._strategy, self._processes = models[0], strategy, processes
        self._count = strategy.models * processes.size
        first = processes.rank * strategy.models
        self._own = range(first, first + strategy.models)
        self._trainers = [compiled_trainer(models[index % len(models)], strategy.arithmetic) for index in self._own]
        self._converter = compiled_trainer(models[0], strategy.arithmetic)
        self._merged = self._gathered()

    def prepare(self) -> None:
        """Compile the kernels, or load them."""
        self._converter.prepare()

    def train(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates, seed: tuple[int, ...], done: int) -> float:
        """Train on a shard, round after round; returns the mean absolute residual of all models."""
        if self._count == 1:
            self._trainers[0].seek(done)
            return self._trainers[0].run(shard, rates).mean_residual
        residual = 0.0
        for number, records in enumerate(shard.blocks(self._count * self._strategy.round_records)):
            slices = records.split(self._count)
            starts = done + np.cumsum([0, *map(len, slices)])
            turn = [(index + number) % self._count for index in self._own]
            own = [slices[place] for place in turn]
            for trainer, place in zip(self._trainers, turn, strict=True):
                trainer.seek(int(starts[place]))
            for statistics in pool.map(lambda trainer, each: trainer.run(each, rates), self._trainers, own):
                residual += statistics.absolute_residual
            self._merged = self._strategy.merging.merged(self._merged, self._gathered(), (*seed, number))
            for index, trainer in zip(self._own, self._trainers, strict=True):
                trainer.parameters[:] = self._merged[index]
            done += len(records)
        return float(self._processes.gather(np.array([residual])).sum()) / len(shard)

    @property
    def models(self) -> list[Model]:
        """The present models of all processes; one alone if merging makes all of them equal."""
        differing = self._count if self._strategy.merging.merge == "pairs" else 1
        return [self._as_model(row) for row in self._merged[:differing]]

    def _as_model(self, parameters: np.ndarray) -> Model:
        self._converter.parameters[:] = parameters
        return with_trainer(self._model, self._converter)

    def _gathered(self) -> np.ndarray:
        """Collect the parameters of all models of all processes, one a row; those of a single model are a view."""
        if self._count == 1:
            return self._trainers[0].parameters[None]
        return self._processes.gather(np.stack([trainer.parameters for trainer in self._trainers]))
