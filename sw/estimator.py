"""`NKRegressor`: Kolmogorov-Arnold networks with scikit-learn's conventions."""

from dataclasses import replace
from itertools import islice
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer, with_trainer
from sw.engine.ensemble import EarlyStopping, Member, joined
from sw.model import Model
from sw.presets.by_size import default_preset
from sw.presets.preset import Preset, shaped, stretched
from sw.scaling import TARGET_DEVIATIONS, Scaling
from sw.spec.nodes import first_nodes
from sw.spec.schedule import EpochLoop, Phase, Rates

Auto = Literal["auto"]
AUTO = StrOptions({"auto"})
COUNT = Interval(Integral, 1, None, closed="left")
PATIENT_EPOCHS, PATIENT_RECORDS = (30, 200), 2_000_000  # at most, where early stopping decides


class NKRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Kolmogorov-Arnold network regression, trained by Newton-Kaczmarz.

    An ensemble of networks y = mean_k Phi_k(mean_j f_kj(x_j)), f and Phi piecewise linear, each trained record by
    record; their mean is again one network, which `model_` holds. Features need no scaling.

    Parameters
    ----------
    n_models : int, default=8
        Networks that are trained separately, from different first parameters and on records in different orders. More
        of them smooth out noise.
    addends : int or "auto", default="auto"
        Addends k of each network; "auto" chooses by the number of samples.
    segments : (int, int) or "auto", default="auto"
        Segments of the inner and of the outer functions, powers of two.
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
    n_jobs : int, default=None
        Threads that train networks at a time, as in joblib. It does not change the result.
    random_state : int, RandomState instance or None, default=None
        Of the first parameters, the hold-outs and the orders. Pass an int for reproducible results.

    Attributes
    ----------
    model_ : sw.model.Model
        The network, in the units of the samples; it can be saved, and trained on.
    n_iter_ : int
        Epochs that were run.
    loss_curve_ : list of float
        Mean absolute residual met while training, a value each epoch, in standard deviations of the targets.
    validation_scores_ : list of float or None
        R2 on the hold-outs after each epoch; None without early stopping, and after `partial_fit`.
    n_outputs_ : int
        Number of targets.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during fit, if all of them are strings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_models": [COUNT],
        "addends": [COUNT, AUTO],
        "segments": [tuple, list, AUTO],
        "arithmetic": [StrOptions(set(ARITHMETICS))],
        "max_iter": [COUNT, AUTO],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [COUNT],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_models: int = 8,
        addends: int | Auto = "auto",
        segments: tuple[int, int] | Auto = "auto",
        arithmetic: str = "fixed16",
        max_iter: int | Auto = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.n_models = n_models
        self.addends = addends
        self.segments = segments
        self.arithmetic = arithmetic
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        Returns
        -------
        self
            The fitted estimator.
        """
        features, targets = self._checked(X, y, reset=True)
        preset, rng = self._preset(features, targets), self._rng()
        scaling = Scaling.robust(features, targets, half_range=preset.half_range)
        models = [self._first_model(preset, scaling, rng) for _ in range(self.n_models)]
        records = compiled_trainer(models[0], self.arithmetic).encode(models[0].encode(features, targets))
        members = [
            Member(model, self.arithmetic, records, holdout, order)
            for model, holdout, order in zip(
                models, self._holdouts(len(features), rng), rng.spawn(self.n_models), strict=True
            )
        ]
        stopping = None
        if self.early_stopping and len(features) > 1:
            stopping = EarlyStopping(members, self.tol, self.n_iter_no_change)
        self._begin(stopping.scores if stopping else None)
        phases, most = self._schedule(preset, len(features), patient=stopping is not None)
        epochs = EpochLoop(phases)
        with Parallel(n_jobs=self.n_jobs, require="sharedmem") as parallel:
            for epoch in islice(epochs, most):
                errors = self._train_epoch(parallel, members, epoch.phase.rates)
                if stopping and stopping.ends_phase(errors):
                    epochs.end_phase()
        if stopping:
            stopping.go_back()
        self.model_ = joined(models[0], members)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Make one pass over the samples, in their order, with the present `model_`.

        The first call, unless `fit` came before, begins a single network; the scales and, where they are "auto", its
        addends and segments come from that call's samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        Returns
        -------
        self
            The fitted estimator.
        """
        first = not hasattr(self, "model_")
        features, targets = self._checked(X, y, reset=first)
        preset = self._preset(features, targets)
        if first:
            scaling = Scaling.robust(features, targets)  # more records will come than these
            self.model_ = self._first_model(preset, scaling, self._rng())
            self._begin(None)
        trainer = compiled_trainer(self.model_, self.arithmetic)
        trainer.seek(self._records_done)
        statistics = trainer.run(trainer.encode(self.model_.encode(features, targets)), preset.phases[0].rates)
        self.model_ = with_trainer(self.model_, trainer)
        self._records_done += len(features)
        self._record(self.model_, statistics.mean_residual * trainer.result_scale)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, of the shape that the targets had.
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=np.float64, reset=False)
        trainer = compiled_trainer(self.model_, self.arithmetic)
        arguments = trainer.encode_arguments(self.model_.encode_features(features))
        predicted = self.model_.decode(trainer.results(arguments))
        return predicted[:, 0] if self._flat else predicted

    def _checked(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return samples and targets, both (n_samples, columns)."""
        features, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=reset)
        columns = targets.reshape(len(targets), -1).astype(float)
        if reset:
            self.n_outputs_, self._flat = columns.shape[1], targets.ndim == 1
        elif columns.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {columns.shape[1]} outputs, but NKRegressor was fitted to {self.n_outputs_}")
        return features, columns

    def _begin(self, validation_scores: list[float] | None) -> None:
        self.n_iter_ = self._records_done = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_ = validation_scores

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _preset(self, features: np.ndarray, targets: np.ndarray) -> Preset:
        preset = default_preset(features.shape[1], targets.shape[1], len(features))
        addends = preset.network.layers[0].outputs if self.addends == "auto" else self.addends
        sizes = features.shape[1], addends, targets.shape[1]
        return shaped(preset, sizes, None if self.segments == "auto" else self.segments)

    def _first_model(self, preset: Preset, scaling: Scaling, rng: np.random.Generator) -> Model:
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
        self._record(members[0].model, np.mean(residuals))
        return np.sum(errors, axis=0)

    def _record(self, model: Model, residual: float) -> None:
        """Take note of an epoch; `residual`: the mean over it, of all outputs together, in words."""
        self.n_iter_ += 1
        self.loss_curve_.append(TARGET_DEVIATIONS * float(residual) / (model.units.target_scale * self.n_outputs_))
