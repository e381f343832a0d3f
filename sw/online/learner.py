"""A model that learns from a stream: the result does not depend on how many records come at a time."""

from dataclasses import replace
from typing import Any

import numpy as np

from sw.engine.conversion import compiled_trainer, with_trainer
from sw.engine.encoded import Encoded
from sw.engine.encoder import Encoder
from sw.engine.order import visits
from sw.model import Model
from sw.online.widening import outside, widened
from sw.scaling import TARGET_DEVIATIONS, Scaling
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics

FIRST_RECORDS = 1024  # are kept; a power of two
FIRST_PASSES = 16  # over the records that are kept, whenever there are twice as many


class Learner:
    """A model in training, whose ranges follow the stream.

    The first records are kept. Whenever there are twice as many of them, training begins anew with the ranges of all
    and makes several passes over them, so that the first hundreds of records teach more than one visit can. After that,
    each record is trained on once, and a record that leaves the ranges widens them (`sw.online.widening`).

    Parameters
    ----------
    model : Model
        The model to begin with; it is not changed. Its scaling counts only if it is `trained`.
    arithmetic : str
        One of `sw.engine.conversion.ARITHMETICS`.
    rates : Rates
        Learning rates.
    trained : bool, default=False
        Whether the model has been trained, so that its ranges are known.
    """

    def __init__(self, model: Model, arithmetic: str, rates: Rates, *, trained: bool = False):
        self._model, self._arithmetic, self._rates = model, arithmetic, rates
        self._first = None if trained else model
        self._kept = np.zeros((0, model.network.features)), np.zeros((0, model.network.outputs))
        self._done = 0  # visits
        self._owed = 0.0  # part of a visit that weights have left over
        self._change(model)

    @property
    def model(self) -> Model:
        """The model with its present parameters."""
        return with_trainer(self._model, self._trainer)

    def learn(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Train on records in their order.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units.
        weights : ndarray of shape (n,), optional
            Visits of each record; fractions add up over the stream. One each by default.

        Returns
        -------
        float
            The mean absolute residual of an output, in standard deviations of the targets.
        """
        if weights is not None:
            rows = self._visits(weights)
            features, targets = features[rows], targets[rows]
        statistics = Statistics()
        while len(features):
            if self._first:
                count, seen = self._begin_anew(self._first, features, targets)
            else:
                count, seen = self._follow(features, targets)
            statistics += seen
            features, targets = features[count:], targets[count:]
        scale = self._trainer.result_scale / (self._model.units.target_scale * self._model.network.outputs)
        return TARGET_DEVIATIONS * statistics.mean_residual * scale

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets (n, outputs) of features (n, features), in the user's units."""
        return self._model.decode(self._trainer.results(self._encoder.arguments(features)))

    def _visits(self, weights: np.ndarray) -> np.ndarray:
        """Choose the visits of records by their weights, and keep what is left of the last one."""
        total = self._owed + float(weights.sum())
        rows, self._owed = visits(weights, self._owed), total % 1
        return rows

    def _begin_anew(self, first: Model, features: np.ndarray, targets: np.ndarray) -> tuple[int, Statistics]:
        """Keep records, and train on them with the ranges of all if there are twice as many as the last time.

        Returns
        -------
        count : int
            The records that were used.
        statistics : Statistics
            Of the last pass.
        """
        known = len(self._kept[0])
        room = (1 << known.bit_length()) - known
        count = min(room, len(features))
        self._kept = np.vstack([self._kept[0], features[:count]]), np.vstack([self._kept[1], targets[:count]])
        if count < room:
            return count, self._run(self._encoder.records(features[:count], targets[:count]))
        self._change(replace(first, scaling=Scaling.robust(*self._kept)))
        records = self._encoder.records(*self._kept)
        for _ in range(FIRST_PASSES):
            statistics = self._run(records)
        if known + count == FIRST_RECORDS:
            self._first, self._kept = None, (features[:0], targets[:0])
        return count, statistics

    def _follow(self, features: np.ndarray, targets: np.ndarray) -> tuple[int, Statistics]:
        """Train on the records that the ranges hold; if the first lies outside, on that one, with wider ranges."""
        beyond = outside(self._model, features, targets)
        count = int(beyond.argmax()) if beyond.any() else len(features)
        if not count:
            self._change(widened(self.model, features[0], targets[0]))
            count = 1
        return count, self._run(self._encoder.records(features[:count], targets[:count]))

    def _change(self, model: Model) -> None:
        self._model, self._trainer = model, compiled_trainer(model, self._arithmetic)
        self._trainer.seek(self._done)
        self._encoder = Encoder(model, self._trainer)

    def _run(self, records: Encoded) -> Statistics:
        self._done += len(records)
        return self._trainer.run(records, self._rates)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_model": self.model, "_trainer": None, "_encoder": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._change(self._model)
