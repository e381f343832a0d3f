"""A training followed from epoch to epoch: what it comes to on the hold-out, and the best model of it."""

import time
from dataclasses import replace

import numpy as np

from sw.engine.training import Training, TrainingReport
from sw.metrics import Score
from sw.model import HISTORY, Model


class TrainingHistory:
    """The reports and the evaluations of a training.

    Attributes
    ----------
    seconds: that it has taken, without the evaluations.
    pace: records a second since the first report, or None; before it, kernels are compiled, or loaded.
    best: the score of the model with the least RMSE so far.
    best_epoch: the number of evaluations up to it.
    """

    seconds = 0.0
    pace: float | None = None
    best: Score
    best_epoch = 0

    def __init__(self, training: Training):
        self._training = training
        self._rows: list[tuple] = []
        self._evaluating = 0.0
        self._first: tuple[int, float] | None = None

    def follow(self, report: TrainingReport) -> None:
        """Every report is to be followed, when it is made."""
        self.seconds = report.seconds - self._evaluating
        records, seconds = self._first = self._first or (report.records, self.seconds)
        if self.seconds > seconds:
            self.pace = (report.records - records) / (self.seconds - seconds)

    def evaluate(self, report: TrainingReport) -> Score:
        """Score the model on the hold-out as it is now, and keep it if none was better."""
        begun = time.monotonic()
        score = self._training.score()
        self._rows.append((report.records, self.seconds, score.pearson, score.rmse, report.pretraining))
        if not self.best_epoch or score.rmse < self.best.rmse:
            self.best, self.best_epoch, self._model = score, len(self._rows), self._training.model
        self._evaluating += time.monotonic() - begun
        return score

    @property
    def history(self) -> np.ndarray:
        return np.array(self._rows, HISTORY)

    @property
    def model(self) -> Model:
        """The best model, with the history."""
        return replace(self._model, history=self.history)
