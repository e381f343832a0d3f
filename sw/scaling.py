"""The user's units: features to [0, 1] and targets to [-1, 1], and back."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from sw.datasets import Source

RANGES = ("feature_low", "feature_high", "target_low", "target_high")
TARGET_DEVIATIONS = 4  # standard deviations from a target's mean to its low and high; beyond lies the headroom
MOST_TARGETS = 0.01, 0.99
WILD = 25  # times the range of most targets: deviations that reach so far are those of a few records
QUANTILE_RECORDS = 10_000  # are enough to see a feature's distribution
KNOTS = 33
MOST_KNOTS = 128  # of a feature, in a file
CROWDED = 0.12  # a feature needs knots if half its values are within this share of its range
BY_QUANTILES = 0.75  # the share of quantiles in such knots; the rest are equal steps


@dataclass(frozen=True)
class Scaling:
    """The user's units: features to [0, 1], targets of low and high to -1 and 1.

    Any finite numbers will do: all is computed on columns multiplied by a power of two that brings them near 1.

    Attributes
    ----------
    feature_low, feature_high : ndarray of shape (features,)
        The range of each feature.
    target_low, target_high : ndarray of shape (outputs,)
        The targets that become -1 and 1.
    feature_knots : ndarray of shape (points, features), or None
        Shares of a feature's range that become equal steps of [0, 1], where a uniform grid would see little of it;
        None if the whole range is mapped by one line.

    Raises
    ------
    ValueError
        For a low above its high, and for knots that do not rise.
    """

    feature_low: np.ndarray
    feature_high: np.ndarray
    target_low: np.ndarray
    target_high: np.ndarray
    feature_knots: np.ndarray | None = None

    def __post_init__(self) -> None:
        for kind in ("feature", "target"):
            low, high = getattr(self, f"{kind}_low"), getattr(self, f"{kind}_high")
            if low.ndim != 1 or low.shape != high.shape or not (low <= high).all():
                raise ValueError(f"{kind}s have ranges whose lows and highs do not fit each other")
        knots = self.feature_knots
        if knots is not None:
            shaped = knots.ndim == 2 and knots.shape[1] == len(self.feature_low) and 2 <= len(knots) <= MOST_KNOTS
            if not shaped or not (np.diff(knots, axis=0) >= 0).all():
                raise ValueError("knots of features do not rise, or do not fit the features")

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray) -> "Scaling":
        """Take the ranges seen in training records, (n, features) and (n, outputs)."""
        return cls(features.min(axis=0), features.max(axis=0), targets.min(axis=0), targets.max(axis=0))

    @classmethod
    def robust(
        cls, features: np.ndarray, targets: np.ndarray, ranges: "Scaling | None" = None, *, half_range: bool = False
    ) -> "Scaling":
        """Scale data that may have heavy tails: targets by mean and deviation, heavy-tailed features by knots.

        Where a few targets make the deviation, the range of most of the others takes its place.

        Parameters
        ----------
        features, targets : ndarray of shape (n, features) and (n, outputs)
            Training records.
        ranges : Scaling, optional
            What `of` gives for all records, if these are a sample of them.
        half_range : bool, default=False
            Whether features are mapped to [0, 1/2].
        """
        ranges = ranges or cls.of(features, targets)
        factor = _to_one(ranges.target_low, ranges.target_high)
        scaled = targets * factor
        centre, reach = scaled.mean(axis=0), TARGET_DEVIATIONS * scaled.std(axis=0)
        lower, upper = np.quantile(scaled, MOST_TARGETS, axis=0)
        wild = (upper > lower) & (reach > WILD * (upper - lower))
        centre, reach = np.where(wild, (lower + upper) / 2, centre), np.where(wild, upper - lower, reach)
        constant = ranges.target_low == ranges.target_high
        low = np.where(constant, ranges.target_low, _unscaled(centre - reach, factor))
        high = np.where(constant, ranges.target_low, _unscaled(centre + reach, factor))
        some = features[:: max(1, len(features) // QUANTILE_RECORDS)]
        knots = _knots(ranges.unit_features(some))
        if half_range:
            knots = _half_range(knots, features.shape[1])
        return replace(ranges, target_low=low, target_high=high, feature_knots=knots)

    def arrays(self) -> dict[str, np.ndarray]:
        """List the arrays by name; knots only if there are any."""
        return {name: values for name, values in vars(self).items() if values is not None}

    def widened(self, ratio: float) -> "Scaling":
        """Widen the range of the targets around its centre to `ratio` times as much."""
        factor, centre, reach = self.target_units
        low, high = (_unscaled(centre + sign * ratio * reach, factor) for sign in (-1, 1))
        return replace(self, target_low=low, target_high=high)

    @classmethod
    def of_source(cls, source: Source, size: int) -> "Scaling":
        """Take the ranges seen in a source's training records, read once, `size` at a time."""
        return reduce(cls._hull, (cls.of(shard.features, shard.targets) for shard in source.shards("train", size)))

    @classmethod
    def robust_of_source(cls, source: Source, size: int, *, half_range: bool = False) -> "Scaling":
        """Scale a source as `robust` does, by the ranges of all its training records, read once, `size` at a time.

        Means, deviations and quantiles are those of `size` records that are spread evenly over all.
        """
        count, start, ranges = source.count("train"), 0, []
        spread = np.arange(min(count, size)) * count // min(count, size)
        sample = []
        for shard in source.shards("train", size):
            ranges.append(cls.of(shard.features, shard.targets))
            sample.append(
                shard.take(spread[np.searchsorted(spread, start) : np.searchsorted(spread, start + len(shard))] - start)
            )
            start += len(shard)
        features, targets = (
            np.concatenate([getattr(each, side) for each in sample]) for side in ("features", "targets")
        )
        return cls.robust(features, targets, reduce(cls._hull, ranges), half_range=half_range)

    def _hull(self, other: "Scaling") -> "Scaling":
        return Scaling(
            np.minimum(self.feature_low, other.feature_low),
            np.maximum(self.feature_high, other.feature_high),
            np.minimum(self.target_low, other.target_low),
            np.maximum(self.target_high, other.target_high),
        )

    def unit_features(self, features: np.ndarray) -> np.ndarray:
        """Map features to [0, 1], or to [0, 1/2] with `half_range`, both (n, features).

        Values beyond the training range are clipped; a constant column becomes 0.
        """
        factor, low, span = self.feature_units
        inside = np.clip(features, self.feature_low, self.feature_high) * factor
        unit: np.ndarray = (inside - low) / np.where(span > 0, span, 1.0)
        if self.feature_knots is not None:
            levels = self.levels
            for column in np.flatnonzero(self.bent):
                unit[:, column] = np.interp(unit[:, column], self.feature_knots[:, column], levels)
        return unit

    @property
    def feature_units(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The factor of each feature, and after that its low and the width of its range."""
        factor = _to_one(self.feature_low, self.feature_high)
        low = self.feature_low * factor
        return factor, low, self.feature_high * factor - low

    @property
    def levels(self) -> np.ndarray:
        """What the knots become: equal steps of [0, 1]."""
        return np.linspace(0, 1, 0 if self.feature_knots is None else len(self.feature_knots))

    @property
    def bent(self) -> np.ndarray:
        """Whether each feature's knots are no straight line."""
        if self.feature_knots is None:
            return np.zeros(len(self.feature_low), np.bool_)
        return np.asarray((self.feature_knots != self.levels[:, None]).any(axis=0))

    @property
    def target_units(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The factor of each target, and its centre and reach after that."""
        factor = _to_one(self.target_low, self.target_high)
        low = self.target_low * factor
        reach = (self.target_high * factor - low) / 2
        return factor, low + reach, reach

    def unit_targets(self, targets: np.ndarray) -> np.ndarray:
        """Map targets to [-1, 1] and somewhat beyond, both (n, outputs)."""
        factor, centre, reach = self.target_units
        return (targets * factor - centre) / np.where(reach > 0, reach, 1.0)

    def user_targets(self, unit: np.ndarray) -> np.ndarray:
        """Map unit targets to the user's units, both (n, outputs).

        A target that was constant stays so. Values that no float can hold become the largest that one can.
        """
        factor, centre, reach = self.target_units
        return _unscaled(unit * reach + centre, factor)


def _to_one(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return a power of two for each column that brings its largest value near 1: no difference overflows."""
    _, exponents = np.frexp(np.maximum(np.abs(low), np.abs(high)))
    return np.ldexp(1.0, -np.clip(exponents, -1000, 1000))


def largest_scaled(factor: np.ndarray) -> np.ndarray:
    """Compute the largest values, for each factor of a column, that a float can hold before and after the factor."""
    return np.finfo(float).max * np.minimum(factor, 1.0)


def _unscaled(values: np.ndarray, factor: np.ndarray) -> np.ndarray:
    limit = largest_scaled(factor)
    return np.clip(values, -limit, limit) / factor


def _knots(unit: np.ndarray) -> np.ndarray | None:
    """Choose knots for features in [0, 1]; None if all of them fill their range.

    Those that do not get knots between equal steps and quantiles: quantiles alone would hide the tail.
    """
    levels = np.linspace(0, 1, KNOTS)
    quantiles = np.quantile(unit, levels, axis=0)
    half = KNOTS // 2
    crowded = np.flatnonzero(((quantiles[half:] - quantiles[:-half]).min(axis=0) < CROWDED) & (quantiles[-1] > 0))
    if not len(crowded):
        return None
    knots = np.tile(levels[:, None], unit.shape[1])
    for column in crowded:
        values, place = np.unique(quantiles[:, column], return_inverse=True)
        share = np.bincount(place, levels) / np.bincount(place)  # the mean level of each value
        share = (share - share[0]) / (share[-1] - share[0])
        knots[:, column] = np.interp(levels, values + BY_QUANTILES * (share - values), values)
    return knots


def _half_range(knots: np.ndarray | None, features: int) -> np.ndarray:
    """Change knots so that they map [0, 1] to [0, 1/2]: as many more lie beyond the range."""
    levels = np.linspace(0, 1, KNOTS)
    if knots is None:
        knots = np.tile(levels[:, None], features)
    return np.vstack([knots, np.tile(1 + levels[1:, None], features)])
