"""What the estimators have in common: their parameters, ensembles that are trained, and learning from streams."""

from dataclasses import replace
from functools import partial
from itertools import islice
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer
from sw.engine.encoder import Encoder
from sw.engine.ensemble import EarlyStopping, Member, joined, parted
from sw.estimators.samples import Samples
from sw.model import Model
from sw.online.beginning import STREAM_RECORDS
from sw.online.compiled_follower import CompiledFollower
from sw.online.learner import Learner
from sw.online.widening import widened_for
from sw.presets.by_size import default_preset
from sw.presets.preset import Preset, shaped, stretched
from sw.scaling import TARGET_DEVIATIONS, Scaling
from sw.spec.network import Network
from sw.spec.nodes import first_nodes
from sw.spec.schedule import EpochLoop, Phase, Rates

Auto = Literal["auto"]
AUTO = StrOptions({"auto"})
COUNT = Interval(Integral, 1, None, closed="left")
PATIENT_EPOCHS, PATIENT_RECORDS = (30, 200), 2_000_000  # at most, where early stopping decides


PARAMETERS = """\
    n_models : int, default=8
        Networks that are trained separately, from different first parameters and on records in different orders. More
        of them smooth out noise.
    hidden_layer_sizes : int, tuple of int or "auto", default="auto"
        Units of each hidden layer of each network, as in scikit-learn's perceptrons; a number is one hidden layer of so
        many addends. "auto" is one, of a size chosen by the number of samples. () is an additive model: the sum of a
        function of each feature.
    segments : tuple of int or "auto", default="auto"
        Segments of the functions of each layer, powers of two: one number more than hidden layers.
    arithmetic : {"fixed16", "float32", "float64"}, default="fixed16"
        What the networks are trained in. "fixed16" is the fastest, and what a board computes.
    max_iter : int or "auto", default="auto"
        Epochs at most; "auto" with early stopping is 200, and fewer for more than 10 000 samples, down to 30; without,
        a few, chosen by the number of samples.
    early_stopping : bool, default=True
        Stop when predictions of a hold-out no longer improve, and keep the parameters that were best. Each network has
        a hold-out of its own, which it is never trained on. A single sample is trained on without.
    validation_fraction : float, default=0.1
        Share of the samples in each hold-out; one sample at least.
    n_iter_no_change : int, default=10
        Epochs without an improvement by `tol` after which to stop.
    tol : float, default=1e-4
        Improvement of R2 that counts.
    warm_start : bool, default=False
        Whether `fit` goes on from the networks of the last fit, whose ranges widen where the samples leave them.
    n_jobs : int, default=None
        Threads that train networks at a time, as in joblib. It does not change the result.
    random_state : int, RandomState instance or None, default=None
        Of the first parameters, the hold-outs and the orders. Pass an int for reproducible results."""

ATTRIBUTES = """\
    model_ : sw.model.Model
        The network, in the units of the samples; it can be saved, and trained on.
    n_iter_ : int
        Epochs that were run.
    loss_curve_ : list of float
        Mean absolute residual met while training, a value each epoch, in standard deviations of the targets.
    validation_scores_ : list of float or None
        R2 on the hold-outs after each epoch; None without early stopping, and after `partial_fit`.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during fit, if all of them are strings."""

Estimator = TypeVar("Estimator", bound=type)


def documented(estimator: Estimator) -> Estimator:
    """Put the parameters and attributes that all estimators have into the docstring of one."""
    estimator.__doc__ = (estimator.__doc__ or "").replace("    {PARAMETERS}", PARAMETERS)
    estimator.__doc__ = estimator.__doc__.replace("    {ATTRIBUTES}", ATTRIBUTES)
    return estimator


class NKEstimator(BaseEstimator):
    """The base of the estimators, which turn their targets into numbers and back."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_models": [COUNT],
        "hidden_layer_sizes": [COUNT, tuple, list, AUTO],
        "segments": [tuple, list, AUTO],
        "arithmetic": [StrOptions(set(ARITHMETICS))],
        "max_iter": [COUNT, AUTO],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [COUNT],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_models: int = 8,
        hidden_layer_sizes: int | tuple[int, ...] | Auto = "auto",
        segments: tuple[int, ...] | Auto = "auto",
        arithmetic: str = "fixed16",
        max_iter: int | Auto = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.n_models = n_models
        self.hidden_layer_sizes = hidden_layer_sizes
        self.segments = segments
        self.arithmetic = arithmetic
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def _goes_on(self) -> bool:
        """Whether `fit` goes on from the last one."""
        return self.warm_start and hasattr(self, "model_")

    def _fit_ensemble(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> list[Member]:
        """Train an ensemble on targets (n, outputs) and join it to `model_`."""
        samples, rng = Samples.of(features, targets, weights), self._rng()
        preset = self._preset(features.shape[1], targets.shape[1], samples.epoch_visits)
        models = self._last_models(samples) if self._goes_on else self._new_models(preset, samples, rng)
        encoder = Encoder(models[0], compiled_trainer(models[0], self.arithmetic))
        records = encoder.records(samples.features, samples.targets)
        members = [
            Member(model, self.arithmetic, records, holdout, samples.weights, order)
            for model, holdout, order in zip(
                models, self._holdouts(len(samples), rng), rng.spawn(self.n_models), strict=True
            )
        ]
        stopping = None
        if self.early_stopping and len(samples) > 1:
            stopping = EarlyStopping(members, self.tol, self.n_iter_no_change)
        self._begin(stopping.scores if stopping else None)
        phases, most = self._schedule(preset, samples.epoch_visits, patient=stopping is not None)
        epochs = EpochLoop(phases)
        with Parallel(n_jobs=self.n_jobs, require="sharedmem") as parallel:
            for epoch in islice(epochs, most):
                errors = self._train_epoch(parallel, members, epoch.phase.rates)
                if stopping and stopping.ends_phase(errors):
                    epochs.end_phase()
        if stopping:
            stopping.go_back()
        self._learner = self._learner_of(joined(models[0], members), preset, trained=True)
        self.model_ = self._learner.model
        self._members = self.n_models
        return members

    def _learn(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        """Make one pass over samples, in their order; begin a network if there is none."""
        if not hasattr(self, "model_"):
            preset = self._preset(features.shape[1], targets.shape[1], STREAM_RECORDS)
            model = self._new_model(preset, Scaling.robust(features[:1], targets[:1]), self._rng())
            self._learner = self._learner_of(model, preset, trained=False)
            self._members = 1
            self._begin(None)
        self._record(self._learner.learn(features, targets, weights))
        self.model_ = self._learner.model

    def _learner_of(self, model: Model, preset: Preset, *, trained: bool) -> Learner:
        """Make what learns from streams."""
        make_follower = partial(CompiledFollower, arithmetic=self.arithmetic)
        return Learner(model, make_follower, preset.phases[0].rates, trained=trained)

    def _results(self, X: ArrayLike) -> np.ndarray:
        """Predict the targets (n, outputs) that the networks were trained on."""
        check_is_fitted(self)
        return self._learner.predict(validate_data(self, X, dtype=np.float64, reset=False))

    def _weights(self, sample_weight: ArrayLike | None, features: np.ndarray) -> np.ndarray:
        """Check the weights of samples; 1 each if there are none."""
        weights: np.ndarray = _check_sample_weight(sample_weight, features, dtype=np.float64, ensure_non_negative=True)
        return weights

    def _begin(self, validation_scores: list[float] | None) -> None:
        self.n_iter_ = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_ = validation_scores

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _preset(self, features: int, outputs: int, records: int) -> Preset:
        preset = default_preset(features, outputs, records)
        hidden, segments = self._asked(preset.network)
        return shaped(preset, (features, *hidden, outputs), None if self.segments == "auto" else segments)

    def _asked(self, network: Network) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the hidden sizes and the segments that are asked for; the network's where they are "auto"."""
        asked: Any = self.hidden_layer_sizes
        segments = self.segments
        if asked == "auto":
            sizes: tuple[Any, ...] = tuple(layer.outputs for layer in network.layers[:-1])
        else:
            sizes = tuple(asked) if isinstance(asked, tuple | list) else (asked,)
        if any(not isinstance(size, Integral) or size < 1 for size in sizes):
            raise ValueError(f"hidden_layer_sizes {self.hidden_layer_sizes}: must be numbers of 1 or more")
        if segments == "auto":
            segments = tuple(layer.segments for layer in network.layers)
        return tuple(map(int, sizes)), tuple(segments)

    def _new_models(self, preset: Preset, samples: Samples, rng: np.random.Generator) -> list[Model]:
        scaling = Scaling.robust(*samples.expanded(), half_range=preset.half_range)
        return [self._new_model(preset, scaling, rng) for _ in range(self.n_models)]

    def _new_model(self, preset: Preset, scaling: Scaling, rng: np.random.Generator) -> Model:
        network = preset.network
        names = getattr(self, "feature_names_in_", [f"x{index}" for index in range(network.features)])
        model = Model(
            network,
            scaling,
            first_nodes(network, rng, preset.spreads),
            preset.headroom,
            tuple(names),
            tuple(f"y{index}" for index in range(network.outputs)),
        )
        return model if ARITHMETICS[self.arithmetic] is None else as_floating(model)

    def _last_models(self, samples: Samples) -> list[Model]:
        """Part `model_` into its networks, with ranges that hold the samples."""
        if self._members != self.n_models:
            raise ValueError(
                f"warm_start goes on from {self._members} networks, and n_models is {self.n_models}; set warm_start to "
                "False to begin anew"
            )
        models = parted(widened_for(self.model_, samples.features, samples.targets), self.n_models)
        layers, asked = models[0].network.layers, self._asked(models[0].network)
        hidden, segments = tuple(layer.outputs for layer in layers[:-1]), tuple(layer.segments for layer in layers)
        if asked != (hidden, segments):
            raise ValueError(
                f"warm_start goes on from networks of {hidden} hidden units and {segments} segments, not {asked[0]} "
                f"and {asked[1]}; set warm_start to False to begin anew"
            )
        return models

    def _holdouts(self, count: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Choose the records that each network is not trained on: disjoint as far as there are enough."""
        if not self.early_stopping or count == 1:
            return [np.arange(0)] * self.n_models
        size = min(max(1, round(self.validation_fraction * count)), count - 1)
        order = rng.permutation(count)
        return [order[np.arange(index * size, (index + 1) * size) % count] for index in range(self.n_models)]

    def _schedule(self, preset: Preset, count: int, *, patient: bool) -> tuple[tuple[Phase, ...], int | None]:
        """Make the schedule for so many samples, and a limit of its epochs.

        `patient`: each phase lasts until it is ended.
        """
        if not patient:
            return preset.phases if self.max_iter == "auto" else stretched(preset.phases, self.max_iter), None
        most = self.max_iter
        if most == "auto":
            most = int(np.clip(PATIENT_RECORDS // count, *PATIENT_EPOCHS))
        return tuple(replace(phase, epochs=most) for phase in preset.phases), most

    def _train_epoch(self, parallel: Parallel, members: list[Member], rates: Rates) -> np.ndarray:
        """Train all members; returns the sum of their squared errors on the hold-outs, one an output."""
        residuals, errors = zip(*parallel(delayed(member.train)(rates) for member in members), strict=True)
        model = members[0].model
        self._record(float(np.mean(residuals)) * TARGET_DEVIATIONS / (model.units.target_scale * model.network.outputs))
        return np.sum(errors, axis=0)

    def _record(self, residual: float) -> None:
        """Take note of an epoch and its mean absolute residual, in standard deviations of the targets."""
        self.n_iter_ += 1
        self.loss_curve_.append(residual)
