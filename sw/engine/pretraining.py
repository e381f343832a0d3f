"""Pre-training: each group of a model's addends is trained alone, against the full target."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sw.engine.conversion import AddendSlice, addend_slice, assembled, compiled_trainer
from sw.engine.encoded import Encoded
from sw.engine.stage import Stage
from sw.engine.strategy import Strategy
from sw.model import Model
from sw.spec.schedule import Rates


class GroupPretraining(Stage):
    """A model whose groups of addends are trained alone; whole groups are spread over threads.

    All processes do the same work.

    Parameters
    ----------
    model : Model
        The model to begin with.
    strategy : Strategy
        A strategy with pre-training; it names the groups.
    threads : int
        Threads that work at a time.
    """

    def __init__(self, model: Model, strategy: Strategy, threads: int):
        assert strategy.pretraining
        groups = strategy.pretraining.groups(model.network)
        bounds = [*groups, model.network.layers[-1].inputs]
        self._model, self._groups = model, len(groups)
        self._slices = []
        for run in np.array_split(np.arange(len(groups)), min(threads, len(groups))):
            start, stop = bounds[run[0]], bounds[run[-1] + 1]
            inside = tuple(bounds[group] - start for group in run)
            trainer = compiled_trainer(addend_slice(model, start, stop), strategy.arithmetic, inside)
            self._slices.append(AddendSlice(start, stop, trainer))

    def prepare(self) -> None:
        """Compile the kernels, or load them."""
        for each in self._slices:
            each.trainer.prepare()

    def train(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates, seed: tuple[int, ...], done: int) -> float:
        """Train all groups on a shard; returns their mean absolute residual."""
        for each in self._slices:
            each.trainer.seek(done)
        statistics = pool.map(lambda each: each.trainer.run(shard, rates), self._slices)
        return sum(each.absolute_residual for each in statistics) / (self._groups * len(shard))

    @property
    def models(self) -> list[Model]:
        """The present model, alone in a list."""
        return [assembled(self._model, self._slices)]
