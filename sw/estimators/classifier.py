"""`NKClassifier`: classification by Kolmogorov-Arnold networks."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from sw.engine.ensemble import Member
from sw.estimators.base import Auto, NKEstimator, documented
from sw.estimators.calibration import UNKNOWN_SHARPNESS, fitted_sharpness, probabilities


@documented
class NKClassifier(ClassifierMixin, NKEstimator):
    """Kolmogorov-Arnold network classification, trained by Newton-Kaczmarz.

    An ensemble of networks as of `NKRegressor`, with an output for each class that is trained to be 1 for its records
    and 0 for all others; two classes share one output. The probabilities are the softmax of the outputs times one
    number, which is chosen so that they fit the hold-outs best.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, which multiplies the weights of its samples; "balanced" gives all classes the same.

    Attributes
    ----------
    {ATTRIBUTES}
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    sharpness_ : float
        What the outputs are multiplied by before the softmax.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NKEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
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
        class_weight: dict[Any, float] | str | None = None,
    ):
        super().__init__(
            n_models=n_models,
            hidden_layer_sizes=hidden_layer_sizes,
            segments=segments,
            arithmetic=arithmetic,
            max_iter=max_iter,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Classes, as numbers or texts.
        sample_weight : array-like of shape (n_samples,), default=None
            Whole numbers count how often a sample is there; other weights are scaled to a mean of 1.

        Returns
        -------
        self
            The fitted estimator.
        """
        goes_on = self._goes_on
        features, y = self._checked(X, y, reset=not goes_on)
        weights = self._weights(sample_weight, features) * compute_sample_weight(self.class_weight, y)
        if not goes_on:
            self.classes_ = np.unique(y[weights > 0] if weights.any() else y)
            known = np.isin(y, self.classes_)
            features, y, weights = features[known], y[known], weights[known]
        members = self._fit_ensemble(features, self._targets(y), weights)
        self.sharpness_ = UNKNOWN_SHARPNESS
        if self.validation_scores_ is not None and len(self.classes_) > 1:
            predicted, true, shares = map(np.concatenate, zip(*map(Member.held_out, members), strict=True))
            self.sharpness_ = fitted_sharpness(self._estimates(predicted), self._estimates(true), shares)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from samples of a stream, in their order; how many come in a call makes no difference.

        The first call, unless `fit` came before, begins a single network. The ranges of the features are learnt from
        the first samples, and widen when the stream leaves them. Probabilities are calibrated by `fit` alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            All classes that may come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample is visited; fractions add up over the stream.

        Returns
        -------
        self
            The fitted estimator.
        """
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ValueError("classes must be given in the first call of partial_fit: all classes that may come")
        if self.class_weight == "balanced":
            raise ValueError("class_weight 'balanced' needs all samples at once; give partial_fit a dict or None")
        features, y = self._checked(X, y, reset=first)
        if first:
            self.classes_, self.sharpness_ = np.unique(column_or_1d(classes)), UNKNOWN_SHARPNESS
        elif classes is not None and not np.array_equal(np.unique(column_or_1d(classes)), self.classes_):
            raise ValueError(f"classes {classes!r} are not those of the first call, {self.classes_!r}")
        weights = self._weights(sample_weight, features) * compute_sample_weight(self.class_weight, y)
        self._learn(features, self._targets(y), weights)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            The class of the largest probability.
        """
        estimates = self._estimates(self._results(X))
        return np.asarray(self.classes_)[np.argmax(estimates, axis=1)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the probabilities of all classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return probabilities(self._estimates(self._results(X)), self.sharpness_)

    def _checked(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return samples (n_samples, n_features) and classes (n_samples,)."""
        features, y = validate_data(self, X, y, dtype=np.float64, reset=reset)
        check_classification_targets(y)
        return features, np.asarray(y)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        """Compute the targets of the networks, one column for two classes, else one for each class."""
        places = np.searchsorted(self.classes_, y)
        places = np.minimum(places, len(self.classes_) - 1)
        unknown = np.unique(y[self.classes_[places] != y])
        if len(unknown):
            raise ValueError(f"y has the classes {unknown.tolist()}; known are {self.classes_.tolist()}")
        targets = np.eye(len(self.classes_))[places]
        return targets[:, 1:] if len(self.classes_) == 2 else targets

    def _estimates(self, targets: np.ndarray) -> np.ndarray:
        """Return a column for each class."""
        return np.hstack([1 - targets, targets]) if len(self.classes_) == 2 else targets
