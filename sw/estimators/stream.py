"""`NKStreamRegressor`: a network as a regressor of River."""

import pickle
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

try:
    from river.base import Regressor
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'NKStreamRegressor needs river, which is not installed: pip install "kanloom[online]"', name="river"
    ) from error

from sw.online.beginning import STREAM_RECORDS, first_learner
from sw.presets.by_size import default_preset
from sw.presets.preset import shaped

if TYPE_CHECKING:
    from sw.online.learner import Learner

Record = dict[Hashable, Any]


class NKStreamRegressor(Regressor):
    """Kolmogorov-Arnold network regression of a stream, for River.

    The features are those of the first record that is learnt. One that is missing later keeps the value that it had
    last; one that is new later is not looked at. Features need no scaling.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, optional
        Outputs of each hidden layer; by default those that `sw.presets.by_size` has for a stream. () is an additive
        model: the sum of a function of each feature.
    segments : tuple of int, optional
        Segments of each layer's functions, powers of two; by default those of `sw.presets.by_size`.
    drift : {"page-hinkley", "adwin"} or None, default="page-hinkley"
        Detector that watches the error. At an alarm, the rates rise, and records are learnt faster; None keeps the
        rates as they are.
    seed : int, default=0
        Of the first nodes.

    Examples
    --------
    >>> from river import datasets, evaluate, metrics
    >>> from kanloom import NKStreamRegressor
    >>> evaluate.progressive_val_score(datasets.TrumpApproval(), NKStreamRegressor(), metrics.MAE())  # doctest: +SKIP
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] | None = None,
        segments: tuple[int, ...] | None = None,
        drift: str | None = "page-hinkley",
        seed: int = 0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.segments = segments
        self.drift = drift
        self.seed = seed
        self._names: list[Hashable] = []
        self._last: list[float] = []
        self._learner: Learner | None = None

    def learn_one(self, x: Record, y: float) -> None:
        """Learn from a record.

        Parameters
        ----------
        x : dict
            Features.
        y : float
            The target.
        """
        if self._learner is None:
            self._begin(x)
        assert self._learner
        self._last = self._values(x)
        self._learner.learn_one(self._last, (y,))

    def predict_one(self, x: Record) -> float:
        """Predict the target of a record; 0 before the first one is learnt.

        Parameters
        ----------
        x : dict
            Features.
        """
        return float(self._learner.predict_one(self._values(x))[0]) if self._learner else 0.0

    @property
    def _raw_memory_usage(self) -> int:
        """Bytes of what it has learnt; River's walk over all references would go on into the compiler of kernels."""
        return len(pickle.dumps(self))

    def _begin(self, x: Record) -> None:
        """Make a network for the features of a record, whose order makes no difference."""
        self._names = sorted(x, key=str)
        self._last = [0.0] * len(x)
        preset = default_preset(len(x), 1, STREAM_RECORDS)
        hidden = self.hidden_layer_sizes
        if hidden is None:
            hidden = tuple(layer.outputs for layer in preset.network.layers[:-1])
        preset = shaped(preset, (len(x), *hidden, 1), self.segments)
        self._learner = first_learner(preset, seed=self.seed, detector=self.drift)

    def _values(self, x: Record) -> list[float]:
        return [x.get(name, last) for name, last in zip(self._names, self._last, strict=True)]
