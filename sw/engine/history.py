"""The history of a training: its score on the hold-out epoch by epoch, and its best model."""

import time
from dataclasses import replace

import numpy as np

from sw.engine.training import Training, TrainingReport
from sw.metrics import Score
from sw.model import HISTORY, Model, most_target_scores


class TrainingHistory:
    """The reports and the evaluations of a training.

    Parameters
    ----------
    training : Training
        The training, before it goes on.

    Attributes
    ----------
    seconds : float
        Time of the training, without evaluations and the compilation of kernels.
    pace : float or None
        Records a second in that time; None before the first report.
    best : Score
        The score of the best model, which has the least RMSE.
    best_epoch : int
        The number of evaluations up to the best one.
    """

    seconds = 0.0
    pace: float | None = None
    best: Score
    best_epoch = 0

    def __init__(self, training: Training):
        self._training = training
        self._rows: list[tuple] = []
        self._targets: list[np.ndarray] = []
        self._evaluating = 0.0
        self._records_before = training.records_done

    def follow(self, report: TrainingReport) -> None:
        """Take note of a report; every report is to be followed as soon as it is made."""
        self.seconds = report.seconds - self._evaluating
        if self.seconds > 0:
            self.pace = (report.records - self._records_before) / self.seconds

    def evaluate(self, report: TrainingReport) -> Score:
        """Score the present model on the hold-out, and keep it if no earlier one was better."""
        begun = time.monotonic()
        score = self._training.score()
        self._rows.append((report.records, self.seconds, score.pearson, score.rmse, report.pretraining))
        self._targets.append(np.stack([score.pearson_of_targets, score.rmse_of_targets], axis=1))
        if not self.best_epoch or score.rmse < self.best.rmse:
            self.best, self.best_epoch, self._model = score, len(self._rows), self._training.model
        self._evaluating += time.monotonic() - begun
        return score

    @property
    def history(self) -> np.ndarray:
        """The evaluations, a row of dtype `sw.model.HISTORY` each."""
        return np.array(self._rows, HISTORY)

    @property
    def model(self) -> Model:
        """The best model, with the history."""
        return replace(self._model, history=self.history, target_scores=self.target_scores)

    @property
    def target_scores(self) -> np.ndarray | None:
        """Pearson and RMSE of each target after each row of the history, as a model keeps them, or None."""
        kept = self._targets and 1 < len(self._targets[0]) and len(self._targets) == len(self._rows)
        if not kept or len(self._rows) > most_target_scores(len(self._targets[0])):
            return None
        return np.stack(self._targets)
