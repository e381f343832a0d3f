"""The history of a training: its score on the hold-out epoch by epoch, and its best model."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sw.archive import Wanted
from sw.engine.conversion import parameters_of, with_parameters
from sw.engine.training import EvaluationStopped, Training, TrainingReport
from sw.metrics import Score
from sw.model import HISTORY, Model, most_target_scores
from sw.spec.bounds import EPOCHS
from sw.spec.nodes import check_finite

SCORE_PREFIX = "score_"  # of the names of the best score's arrays


class TrainingHistory:
    """The reports and the evaluations of a training.

    Parameters
    ----------
    training : Training
        The training, before it goes on.
    earlier : ndarray of `HISTORY`, optional
        The history of the model that the training begins with; its records and seconds count, too.

    Attributes
    ----------
    seconds : float
        Time of the training, without evaluations and the compilation of kernels; the time before it was resumed counts.
    pace : float or None
        Records a second in that time; None before the first report.
    report : TrainingReport or None
        The last one.
    best : Score or None
        The score of the best model, which has the least RMSE; None before the first evaluation.
    best_epoch : int
        The number of evaluations up to the best one; 0 before the first one.
    """

    pace: float | None = None
    report: TrainingReport | None = None
    best: Score | None = None
    best_epoch = 0

    def __init__(self, training: Training, earlier: np.ndarray | None = None):
        self._training = training
        self._rows: list[tuple] = []
        self._model: Model | None = None
        self._targets: list[np.ndarray] = []
        self._evaluating = 0.0
        self._records_before = training.records_done
        self._earlier_records, self.seconds = 0, 0.0
        if earlier is not None and len(earlier):
            self._earlier_records, self.seconds = int(earlier["records"][-1]), float(earlier["seconds"][-1])
        self._seconds_before = self._earlier_seconds = self.seconds

    @property
    def records(self) -> int:
        """Records that the present model has been trained on."""
        return self._earlier_records + self._training.records_done

    @property
    def evaluations(self) -> int:
        """Rows of the history."""
        return len(self._rows)

    @property
    def behind(self) -> bool:
        """Whether an epoch has ended after the last evaluation, as in a checkpoint that was written in between."""
        position = self._training.state.position
        return position.epoch > 0 and position.shard == 0 and (not self._rows or self._rows[-1][0] < self.records)

    def follow(self, report: TrainingReport) -> None:
        """Take note of a report; every report is to be followed as soon as it is made."""
        self.report = report
        spent = report.seconds - self._evaluating
        self.seconds = self._seconds_before + spent
        self._set_pace(report.records)

    def _set_pace(self, records: int) -> None:
        if (seconds := self.seconds - self._earlier_seconds) > 0:
            self.pace = (records - self._records_before) / seconds

    def evaluate(self, stop: Callable[[], bool] = lambda: False) -> Score | None:
        """Score the present model on the hold-out, and keep it if no earlier one was better.

        Parameters
        ----------
        stop : callable, optional
            Asked before each shard; the evaluation is given up if it says True.

        Returns
        -------
        Score or None
            None if the evaluation was given up.
        """
        begun = time.monotonic()
        try:
            score = self._training.score(stop)
        except EvaluationStopped:
            return None
        finally:
            if self.report:  # its clock is running
                self._evaluating += time.monotonic() - begun
        self._rows.append((self.records, self.seconds, score.pearson, score.rmse, self._training.was_pretraining))
        self._targets.append(np.stack([score.pearson_of_targets, score.rmse_of_targets], axis=1))
        if self.best is None or score.rmse < self.best.rmse:
            self.best, self.best_epoch, self._model = score, len(self._rows), self._training.model
        return score

    @property
    def history(self) -> np.ndarray:
        """The evaluations, a row of dtype `sw.model.HISTORY` each."""
        return np.array(self._rows, HISTORY)

    @property
    def model(self) -> Model:
        """The best model, with the history; the present one before the first evaluation."""
        history = self.history if self._rows else None
        return replace(self._model or self._training.model, history=history, target_scores=self.target_scores)

    @property
    def target_scores(self) -> np.ndarray | None:
        """Pearson and RMSE of each target after each row of the history, as a model keeps them, or None."""
        kept = self._targets and 1 < len(self._targets[0]) and len(self._targets) == len(self._rows)
        if not kept or len(self._rows) > most_target_scores(len(self._targets[0])):
            return None
        return np.stack(self._targets)

    def arrays(self) -> dict[str, np.ndarray]:
        """Collect everything in arrays, for a checkpoint."""
        arrays = {
            "rows": self.history,
            "seconds": np.array(self.seconds),
            "records_before": np.array(self._records_before),
        }
        if self.best is None or self._model is None:
            return arrays
        if (scores := self.target_scores) is not None:
            arrays["target_scores"] = scores
        score = {f"{SCORE_PREFIX}{name}": array for name, array in self.best.arrays().items()}
        return arrays | {"best_epoch": np.array(self.best_epoch), "best": parameters_of(self._model)} | score

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Go back, or on, to a history that `arrays` was called of, when the training has been resumed.

        Parameters
        ----------
        arrays : dict of str to ndarray
            As `check_arrays` wants them; empty if nothing is known but the training itself.
        """
        if not arrays:
            self._records_before = self._training.records_done
            return
        self._rows, self._targets = arrays["rows"].tolist(), [*arrays.get("target_scores", ())]
        self.seconds = self._seconds_before = float(arrays["seconds"])
        self._records_before = int(arrays["records_before"])
        self._set_pace(self._training.records_done)
        if "best" in arrays:
            self.best_epoch = int(arrays["best_epoch"])
            self.best = _score(arrays)
            self._model = with_parameters(self._training.model, arrays["best"])


def wanted_arrays(model: Model) -> dict[str, Wanted]:
    """Return what the arrays of a history have to be.

    Parameters
    ----------
    model : Model
        The model in training.
    """
    parameters, outputs = parameters_of(model), model.network.outputs
    rows, real, whole = range(2 * EPOCHS[1] + 1), np.dtype(np.float64), np.dtype(np.int64)
    scores = range(1, most_target_scores(outputs) + 1)
    shapes: dict[str, tuple[tuple[int | range, ...], np.dtype]] = {
        "rows": ((rows,), HISTORY),
        "seconds": ((), real),
        "records_before": ((), whole),
        "best_epoch": ((), whole),
        "best": (parameters.shape, parameters.dtype),
        "target_scores": ((scores, outputs, 2), real),
        f"{SCORE_PREFIX}records": ((), whole),
        f"{SCORE_PREFIX}first": ((2, outputs), real),
        f"{SCORE_PREFIX}means": ((2, outputs), real),
        f"{SCORE_PREFIX}products": ((2, 2, outputs), real),
    }
    return {name: Wanted(shape, dtype, optional=True) for name, (shape, dtype) in shapes.items()}


def check_arrays(arrays: dict[str, np.ndarray]) -> None:
    """Check the values of a history's arrays that were read from a file; there may be none.

    Parameters
    ----------
    arrays : dict of str to ndarray
        As `wanted_arrays` says.

    Raises
    ------
    ValueError
        If an array is missing, or for a number that cannot be.
    """
    if not arrays:
        return
    if missing := {"rows", "seconds", "records_before"} - arrays.keys():
        raise ValueError(f"a history without {', '.join(sorted(missing))}")
    rows, seconds, before = arrays["rows"], float(arrays["seconds"]), int(arrays["records_before"])
    if not 0 <= seconds < np.inf or before < 0:
        raise ValueError(f"a history of {seconds} seconds, {before} records before")
    if not len(rows) and "best" not in arrays:
        return
    numbers = ("records", "first", "means", "products")
    best = {"best", "best_epoch", *(f"{SCORE_PREFIX}{name}" for name in numbers)}
    if missing := best - arrays.keys():
        raise ValueError(f"a history without {', '.join(sorted(missing))}")
    for name in best | {"target_scores"} & arrays.keys():
        check_finite(name, arrays[name])
    if not 1 <= (epoch := int(arrays["best_epoch"])) <= len(rows):
        raise ValueError(f"epoch {epoch} of {len(rows)} as the best one")
    if arrays[f"{SCORE_PREFIX}records"] < 1:
        raise ValueError("a score of no records")


def _score(arrays: dict[str, np.ndarray]) -> Score:
    named = {name: array for name, array in arrays.items() if name.startswith(SCORE_PREFIX)}
    return Score.from_arrays({name.removeprefix(SCORE_PREFIX): array for name, array in named.items()})
