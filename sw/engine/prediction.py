"""Predictions of a model, in the user's units."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sw.engine.conversion import machine_of
from sw.model import Model


class Predictor:
    """A model made ready to predict: in fixed point the same bits as on a board, or in float64.

    `threads`: that work at a time.
    """

    def __init__(self, model: Model, *, threads: int = 1):
        if threads < 1:
            raise ValueError(f"threads {threads} must be 1 or more")
        self._model = model
        arithmetic = "fixed16" if model.domains is None else "float64"
        self._machines = [machine_of(model, arithmetic) for _ in range(threads)]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """(n, outputs), of (n, features); those beyond the training range count as its ends."""
        model = self._model
        records = model.encode(features, np.zeros((len(features), model.network.outputs)))
        parts = self._machines[0].encode(records).split(len(self._machines), model.network.features)
        with ThreadPoolExecutor(len(self._machines)) as pool:
            results = pool.map(lambda machine, part: machine.results(part), self._machines, parts)
            return model.decode(np.concatenate(list(results)))
