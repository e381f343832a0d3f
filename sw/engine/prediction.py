"""Predictions of a model, in the user's units."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sw.engine.compiled import CompiledTrainer
from sw.engine.conversion import compiled_trainer
from sw.engine.encoded import EncodedArguments
from sw.engine.encoder import Encoder
from sw.model import Model
from sw.spec.bounds import THREADS, check_whole


class Predictor:
    """A model that is ready to predict: in fixed point with the same bits as on a board, or in float64.

    Parameters
    ----------
    model : Model
        The model.
    threads : int, default=1
        Threads that work at a time.

    Raises
    ------
    ValueError
        For a number of threads beyond the bounds.
    """

    def __init__(self, model: Model, *, threads: int = 1):
        check_whole("threads", threads, *THREADS)
        self._model = model
        arithmetic = "fixed16" if model.domains is None else "float64"
        self._trainers = [compiled_trainer(model, arithmetic) for _ in range(threads)]
        self._encoder = Encoder(model, self._trainers[0])

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units; values beyond the training range count as its ends.

        Returns
        -------
        ndarray of shape (n, outputs)
            Predictions in the user's units.
        """
        arguments = self._encoder.arguments(features)
        with ThreadPoolExecutor(len(self._trainers)) as pool:
            return self._model.decode(parallel_results(pool, self._trainers, arguments))


def parallel_results(
    pool: ThreadPoolExecutor, trainers: list[CompiledTrainer], arguments: EncodedArguments
) -> np.ndarray:
    """Compute results (n, outputs), each trainer those of an equal slice of the arguments, in a thread of its own."""
    slices = arguments.split(len(trainers))
    return np.concatenate(list(pool.map(lambda trainer, own: trainer.results(own), trainers, slices)))
