"""The user's units of a model as constants for C: in `float` where its 24 bits are enough, in `double` elsewhere."""

from dataclasses import dataclass

import numpy as np

from sw.export.names import ExportError
from sw.model import Model

LEAST_SPAN = {np.float32: 1e-30, np.float64: 1e-290}
"""The shortest range whose reciprocal, and steps of which, are safe in each type."""


@dataclass(frozen=True)
class CUnits:
    """The constants that turn features into argument codes, and words into targets.

    Attributes
    ----------
    real : type
        `numpy.float32` or `numpy.float64`, C's `float` or `double`.
    low, high : ndarray of shape (features,)
        The range of each feature.
    scale : ndarray of shape (features,)
        What a feature less its low is multiplied by to give [0, 1]; 0 for a constant one.
    knots : ndarray of shape (columns, points)
        Shares of the range that become equal steps of [0, 1], for the features that have such knots.
    knots_of : ndarray of int, shape (features,)
        The row of `knots` of each feature; -1 for a feature that `scale` alone maps.
    centre, step : ndarray of shape (outputs,)
        A target is `centre` plus `step` times its word.
    """

    real: type[np.floating]
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray
    knots: np.ndarray
    knots_of: np.ndarray
    centre: np.ndarray
    step: np.ndarray

    @classmethod
    def of(cls, model: Model) -> "CUnits":
        """Choose the type and compute the constants.

        Raises
        ------
        ExportError
            For ranges that a double cannot hold.
        """
        scaling = model.scaling
        with np.errstate(over="ignore"):
            span = scaling.feature_high - scaling.feature_low
            words = np.ldexp(scaling.target_high - scaling.target_low, -1) / model.units.target_scale
            least, most = model.network.word.minimum, model.network.word.maximum
            centre = scaling.user_targets(np.zeros((1, model.network.outputs)))[0]
            ends = np.stack([centre + words * least, centre + words * most])
        features = scaling.feature_low, scaling.feature_high, span, span / model.network.formats[0].last_code
        targets = ends.min(axis=0), ends.max(axis=0), words, words
        for real in (np.float32, np.float64):
            if _holds(real, *features) and _holds(real, *targets):
                break
        else:
            raise ExportError(
                "the ranges of features or targets are wider, or narrower, than arithmetic in double can map"
            )
        factor, knots, knots_of = _knots(scaling.feature_knots, len(span))
        low, high = (values.astype(real) for values in (scaling.feature_low, scaling.feature_high))
        width = high.astype(np.float64) - low.astype(np.float64)
        scale = np.where(width > 0, factor / np.where(width > 0, width, 1.0), 0.0)
        return cls(
            real, low, high, scale.astype(real), knots.astype(real), knots_of, centre.astype(real), words.astype(real)
        )

    @property
    def c_type(self) -> str:
        """The type's name in C."""
        return "float" if self.real is np.float32 else "double"


def _holds(real: type[np.floating], low: np.ndarray, high: np.ndarray, span: np.ndarray, step: np.ndarray) -> bool:
    """Tell whether a type can hold ranges, and tell their steps apart; a range of no span needs neither."""
    limits, ends = np.finfo(real), np.maximum(np.abs(low), np.abs(high))
    if not (np.isfinite(span).all() and (ends < float(limits.max) / 4).all()):
        return False
    wide = span > 0
    fine = real is np.float64 or bool((ends * float(limits.eps) <= step)[wide].all())
    return fine and bool((step[wide] > LEAST_SPAN[real]).all())


def _knots(knots: np.ndarray | None, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the factor of each feature that a line maps, the knots of the others, and their rows.

    Knots of equal steps are such a line, though they may lie beyond the range.
    """
    factor, rows = np.ones(features), np.full(features, -1)
    if knots is None:
        return factor, np.empty((0, 0)), rows
    levels = np.linspace(0, 1, len(knots))
    lines = np.isclose(knots, levels[:, None] * knots[-1], rtol=0, atol=1e-12).all(axis=0) & (knots[-1] > 0)
    factor[lines] = 1 / knots[-1, lines]
    rows[~lines] = np.arange(np.count_nonzero(~lines))
    return factor, np.ascontiguousarray(knots[:, ~lines].T), rows
