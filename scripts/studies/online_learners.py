"""The learners of `scripts/studies/online.py`, each with what its parameters are drawn from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.interpolate import BSpline

from scripts.studies.online_tasks import Task

Parameters = dict[str, Any]

BATCH = 1000  # records


class StreamLearner(ABC):
    """A learner that is asked for a record's target before it is told."""

    @abstractmethod
    def predict(self, features: list[float]) -> float:
        """Predict the target of a record."""

    @abstractmethod
    def learn(self, features: list[float], target: float) -> None:
        """Learn from a record."""


class Ours(StreamLearner):
    """A network of kanloom, one record at a time."""

    def __init__(
        self,
        task: Task,
        seed: int,
        *,
        network: tuple[int, tuple[int, int]],
        shifts: tuple[int, int],
        drift: str | None,
    ):
        from sw.online.beginning import STREAM_RECORDS, first_learner
        from sw.presets.by_size import default_preset
        from sw.presets.preset import schedule, shaped

        features, (addends, segments), (update, back) = len(task.ranges), network, shifts
        preset = shaped(default_preset(features, 1, STREAM_RECORDS), (features, addends, 1), segments)
        preset = replace(preset, phases=schedule((1, update, back)))
        self.learner = first_learner(preset, seed=seed, detector=drift)

    def predict(self, features: list[float]) -> float:
        """Predict the target of a record."""
        return float(self.learner.predict_one(features)[0])

    def learn(self, features: list[float], target: float) -> None:
        """Learn from a record."""
        self.learner.learn_one(features, (target,))

    def predict_then_learn(self, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Predict and learn records, `BATCH` at a time; the predictions are those of one at a time."""
        starts = range(0, len(features), BATCH)
        return np.concatenate(
            [
                self.learner.predict_then_learn(features[i : i + BATCH], targets[i : i + BATCH, None])[:, 0]
                for i in starts
            ]
        )


class OfRiver(StreamLearner):
    """A model of River."""

    def __init__(self, model: Any):
        self._model = model

    def predict(self, features: list[float]) -> float:
        """Predict the target of a record."""
        return float(self._model.predict_one(dict(enumerate(features))))

    def learn(self, features: list[float], target: float) -> None:
        """Learn from a record."""
        self._model.learn_one(dict(enumerate(features)), target)


class StochasticGradient(StreamLearner):
    """scikit-learn's SGDRegressor, behind its StandardScaler; both learn record by record."""

    def __init__(self, task: Task, seed: int, **parameters: Any):
        from sklearn.linear_model import SGDRegressor
        from sklearn.preprocessing import StandardScaler

        self._scaler, self._model = StandardScaler(), SGDRegressor(random_state=seed, **parameters)
        self._begun = False

    def predict(self, features: list[float]) -> float:
        """Predict the target of a record; 0 before the first one."""
        return float(self._model.predict(self._scaler.transform([features]))[0]) if self._begun else 0.0

    def learn(self, features: list[float], target: float) -> None:
        """Learn from a record."""
        self._begun = True
        self._model.partial_fit(self._scaler.partial_fit([features]).transform([features]), [target])


class Eclair(StreamLearner):
    """The rule of arXiv 2602.02056 in one layer: a spline of each feature, summed, each trained by plain SGD.

    As in the paper's function tracking: uniform B-splines over a range that is told beforehand, and of the coefficients
    only those of the active basis functions move, by rate * 2 * (target - prediction) * basis. In floating point, where
    the paper has 16 bits and a table of basis values; the coefficients begin at 0; features are limited to the range.
    """

    def __init__(self, task: Task, seed: int, *, intervals: int, rate: float, order: int = 3):
        self._low, high = np.array(task.ranges).T
        self._intervals, self._rate, self._order = intervals, rate, order
        self._scale = intervals / (high - self._low)
        self._coefficients = np.zeros((len(task.ranges), intervals + order))
        # On a uniform grid the basis functions of an interval are polynomials in the place inside it, the same in each.
        knots = np.arange(-order, order + 2, dtype=float)
        places = (np.arange(order + 1) + 0.5) / (order + 1)
        values = [BSpline.basis_element(knots[j : j + order + 2])(places) for j in range(order + 1)]
        self._polynomials = np.linalg.solve(np.vander(places, order + 1, increasing=True), np.transpose(values))
        self._powers, self._rows = np.arange(order + 1), np.arange(len(task.ranges))[:, None]

    def predict(self, features: list[float]) -> float:
        """Predict the target of a record."""
        return self._predicted(*self._active(features))

    def learn(self, features: list[float], target: float) -> None:
        """Learn from a record."""
        columns, basis = self._active(features)
        error = target - self._predicted(columns, basis)
        self._coefficients[self._rows, columns] += self._rate * 2 * error * basis

    def _predicted(self, columns: np.ndarray, basis: np.ndarray) -> float:
        return float((self._coefficients[self._rows, columns] * basis).sum())

    def _active(self, features: list[float]) -> tuple[np.ndarray, np.ndarray]:
        """Compute numbers and values of the active basis functions, both (features, order + 1)."""
        places = np.clip((np.array(features) - self._low) * self._scale, 0, self._intervals)
        interval = np.minimum(places.astype(int), self._intervals - 1)
        basis = ((places - interval)[:, None] ** self._powers) @ self._polynomials
        return interval[:, None] + self._powers, basis


@dataclass(frozen=True)
class Method:
    """A learner, and its choices.

    Attributes
    ----------
    make : callable
        Makes it for a task, with a seed and the parameters.
    choices : mapping of str to sequence
        What each parameter is drawn from; the first values are the first trial's.
    """

    make: Callable[..., StreamLearner]
    choices: Mapping[str, Sequence[Any]]

    def trials(self, count: int, rng: np.random.Generator) -> list[Parameters]:
        """Draw so many sets of parameters, all different, as far as there are as many."""
        drawn = [{name: values[0] for name, values in self.choices.items()}]
        for _ in range(100 * count):
            if len(drawn) == count:
                break
            each = {name: values[int(rng.integers(len(values)))] for name, values in self.choices.items()}
            if each not in drawn:
                drawn.append(each)
        return drawn


def _linear(task: Task, seed: int, *, rate: float, intercept_rate: float, l2: float) -> StreamLearner:
    from river import linear_model, optim, preprocessing

    model = linear_model.LinearRegression(optim.SGD(rate), l2=l2, intercept_lr=intercept_rate)
    return OfRiver(preprocessing.StandardScaler() | model)


def _tree(task: Task, seed: int, **parameters: Any) -> StreamLearner:
    from river import tree

    return OfRiver(tree.HoeffdingTreeRegressor(**parameters))


def _adaptive_tree(task: Task, seed: int, **parameters: Any) -> StreamLearner:
    from river import tree

    return OfRiver(tree.HoeffdingAdaptiveTreeRegressor(seed=seed, **parameters))


def _forest(task: Task, seed: int, **parameters: Any) -> StreamLearner:
    from river import forest

    return OfRiver(forest.ARFRegressor(seed=seed, **parameters))


TREES: dict[str, Sequence[Any]] = {
    "grace_period": (200, 50, 100, 400),
    "delta": (1e-7, 1e-4, 1e-2),
    "leaf_prediction": ("adaptive", "model"),
    "model_selector_decay": (0.95, 0.8, 0.99),
}

NETWORKS: dict[str, Sequence[Any]] = {
    "network": ((64, (2, 32)), (32, (4, 16)), (16, (8, 8))),
    "shifts": ((2, 14), (1, 12), (2, 12), (3, 14), (3, 12)),
}

METHODS = {
    "kanloom": Method(Ours, NETWORKS | {"drift": ("page-hinkley", "adwin")}),
    "kanloom, steady rates": Method(Ours, NETWORKS | {"drift": (None,)}),
    "Hoeffding tree": Method(_tree, TREES),
    "Hoeffding adaptive tree": Method(_adaptive_tree, TREES | {"drift_window_threshold": (300, 100, 1000)}),
    "adaptive random forest": Method(
        _forest,
        {
            "grace_period": (50, 100, 200),
            "n_models": (10, 5),
            "max_features": ("sqrt", 0.7, None),
            "lambda_value": (6, 3, 10),
        },
    ),
    "linear": Method(
        _linear,
        {"rate": (0.01, 0.003, 0.03, 0.1), "intercept_rate": (0.01, 0.1, 0.3), "l2": (0.0, 1e-4, 1e-2)},
    ),
    "SGDRegressor": Method(
        StochasticGradient,
        {
            "eta0": (0.01, 0.003, 0.03, 0.1),
            "learning_rate": ("invscaling", "constant", "adaptive"),
            "loss": ("squared_error", "huber", "epsilon_insensitive"),
            "alpha": (1e-4, 1e-5, 1e-3),
        },
    ),
    "ECLAIR's rule": Method(Eclair, {"intervals": (5, 8, 12, 20), "rate": (0.15, 0.02, 0.05, 0.1, 0.3, 0.4)}),
}
"""The learners; the first trial of each has its library's defaults, or its paper's values."""
