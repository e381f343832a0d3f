"""Wider ranges for a trained model: its functions stay what they were where they were defined."""

from dataclasses import replace

import numpy as np

from sw.model import Model

LARGEST = np.finfo(float).max
LEAST_STEP, MOST_STEP = 1 / 8, 1.0  # of a range's width, by which it grows at a time
MARGIN = 1.25  # times as far as the value that lies outside
KEPT = 7 / 8  # of the arguments, at least, for the old range of a feature whose values crowd in a part of it


def outside(model: Model, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Find records that a model's ranges do not hold.

    Parameters
    ----------
    model : Model
        The model.
    features : ndarray of shape (n, features)
        In the user's units.
    targets : ndarray of shape (n, outputs)
        In the user's units.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether a feature lies beyond its range, or the word cannot hold a target.
    """
    scaling = model.scaling
    beyond = (features < scaling.feature_low) | (features > scaling.feature_high)
    return np.asarray(beyond.any(axis=1) | _too_large(model, targets).any(axis=1))


def widened(model: Model, features: np.ndarray, targets: np.ndarray) -> Model:
    """Widen the ranges of a model for one record.

    Each feature that lies outside widens its range on that side: somewhat beyond the value, by an eighth of the width
    at least and by the whole width at most. A target that the word cannot hold doubles its range. So a single wild
    value costs little, and a stream that has moved is reached in a few records.

    In the old range, the new nodes of an inner function lie on the old function, to which straight lines between them
    are close; beyond, its first and its last segment go on straight. Nodes are limited to the word.

    Parameters
    ----------
    model : Model
        The model.
    features : ndarray of shape (features,)
        In the user's units.
    targets : ndarray of shape (outputs,)
        In the user's units.

    Returns
    -------
    Model
        The model with wider ranges; the same if they hold the record.
    """
    model = _with_wider_features(model, features)
    large = _too_large(model, targets[None])[0]
    return _with_wider_targets(model, targets, large) if large.any() else model


def widened_for(model: Model, features: np.ndarray, targets: np.ndarray) -> Model:
    """Widen the ranges of a model for records, one after the other, as `widened` does for each.

    Parameters
    ----------
    model : Model
        The model.
    features : ndarray of shape (n, features)
        In the user's units.
    targets : ndarray of shape (n, outputs)
        In the user's units.

    Returns
    -------
    Model
        The model with wider ranges; the same if they hold all records.
    """
    for row in np.flatnonzero(outside(model, features, targets)):
        model = widened(model, features[row], targets[row])
    return model


def _too_large(model: Model, targets: np.ndarray) -> np.ndarray:
    """Find the targets that the word cannot hold, and those that differ from a constant."""
    scaling = model.scaling
    constant = scaling.target_low == scaling.target_high
    large = np.abs(scaling.unit_targets(targets)) >= 1 << model.headroom
    return np.where(constant, targets != scaling.target_low, large)


def _with_wider_features(model: Model, features: np.ndarray) -> Model:
    scaling = model.scaling
    low, high = scaling.feature_low, scaling.feature_high
    with np.errstate(over="ignore"):  # what no float can hold becomes the largest that one can
        width = high - low
        least, most = LEAST_STEP * width, np.where(width > 0, MOST_STEP * width, np.inf)
        below, above = (np.clip(MARGIN * np.abs(features - end), least, most) for end in (low, high))
        new_low = np.where(features < low, np.maximum(low - below, -LARGEST), low)
        new_high = np.where(features > high, np.minimum(high + above, LARGEST), high)
    columns = np.flatnonzero((new_low < low) | (new_high > high))
    if not len(columns):
        return model
    knots = scaling.feature_knots
    if knots is not None:
        knots = knots.copy()
        for column in columns:
            knots[:, column] = _wider_knots(
                knots[:, column], *(ends[column] for ends in (low, high, new_low, new_high))
            )
    wider = replace(scaling, feature_low=new_low, feature_high=new_high, feature_knots=knots)
    was = scaling.unit_features(high[None])[0]
    lows, highs = (wider.unit_features(end[None])[0] for end in (low, high))
    first = np.array(model.nodes[0])
    for column in columns:
        first[column] = _moved(model.nodes[0][column], lows[column], highs[column], was[column])
    if model.domains is None:
        first = model.network.word.limit(np.rint(first)).astype(np.int64)
    return replace(model, scaling=wider, nodes=[first, *model.nodes[1:]])


def _wider_knots(knots: np.ndarray, low: float, high: float, new_low: float, new_high: float) -> np.ndarray:
    """Make the knots of a wider range: the old ones keep the share of it that the old range has, or `KEPT`."""
    share, start = (high - low) / (new_high - new_low), (low - new_low) / (new_high - new_low)
    kept = max(share, KEPT)
    first = start * (1 - kept) / (1 - share)
    inside = np.count_nonzero(knots <= 1)  # the others lie beyond any range
    levels = np.linspace(0, 1, inside)
    moved = np.interp(levels, [0, *(first + kept * levels), 1], [0, *(start + share * knots[:inside]), 1])
    return np.concatenate([moved, knots[inside:]])


def _with_wider_targets(model: Model, targets: np.ndarray, large: np.ndarray) -> Model:
    """Double the ranges of some targets and halve the nodes of their functions; a constant gets the first range."""
    scaling = model.scaling
    low, high = scaling.target_low, scaling.target_high
    constant = low == high
    with np.errstate(over="ignore"):
        reach = np.where(large, np.where(constant, np.abs(targets - low), high / 2 - low / 2), 0.0)
        wider = replace(
            scaling, target_low=np.maximum(low - reach, -LARGEST), target_high=np.minimum(high + reach, LARGEST)
        )
    halved = model.nodes[-1] / 2
    last = np.where(large & ~constant, np.rint(halved) if model.domains is None else halved, model.nodes[-1])
    return replace(model, scaling=wider, nodes=[*model.nodes[:-1], last.astype(model.nodes[-1].dtype)])


def _moved(functions: np.ndarray, low: float, high: float, was: float) -> np.ndarray:
    """Compute the nodes (nodes, functions) of functions whose arguments 0 and `was` become `low` and `high`."""
    if low == high:
        return np.repeat(functions[:1], len(functions), axis=0)
    places = np.linspace(0, 1, len(functions))
    old = was * (places - low) / (high - low)
    inside = np.stack([np.interp(old, places, function) for function in functions.T], axis=1)
    slopes = (len(functions) - 1) * np.diff(functions, axis=0)
    left, right = np.minimum(old, 0)[:, None], np.maximum(old - 1, 0)[:, None]
    moved: np.ndarray = inside + left * slopes[0] + right * slopes[-1]
    return moved
