"""`NKRegressor`: regression by Kolmogorov-Arnold networks."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils.validation import validate_data

from sw.estimators.base import NKEstimator, documented


@documented
class NKRegressor(MultiOutputMixin, RegressorMixin, NKEstimator):
    """Kolmogorov-Arnold network regression, trained by Newton-Kaczmarz.

    An ensemble of networks y = mean_k Phi_k(mean_j f_kj(x_j)), or deeper ones, of piecewise linear functions, each
    trained record by record; their mean is again one network, which `model_` holds. Features need no scaling, and the
    order of the samples does not change what `fit` gives.

    Parameters
    ----------
    {PARAMETERS}

    Attributes
    ----------
    {ATTRIBUTES}
    n_outputs_ : int
        Number of targets.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Whole numbers count how often a sample is there; other weights are scaled to a mean of 1.

        Returns
        -------
        self
            The fitted estimator.
        """
        features, targets = self._checked(X, y, reset=not self._goes_on)
        self._fit_ensemble(features, targets, self._weights(sample_weight, features))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from samples of a stream, in their order; how many come in a call makes no difference.

        The first call, unless `fit` came before, begins a single network. The ranges of features and targets are learnt
        from the first samples, and widen when the stream leaves them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample is visited; fractions add up over the stream.

        Returns
        -------
        self
            The fitted estimator.
        """
        features, targets = self._checked(X, y, reset=not hasattr(self, "model_"))
        self._learn(features, targets, self._weights(sample_weight, features))
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
        predicted = self._results(X)
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
