"""Pruning: addends and columns that hardly change the predictions are removed, and their means kept.

The divisor of a layer's mean stays, so that the functions that stay keep their arithmetic. The mean of what is removed
is added to all nodes of functions that stay, which adds exactly that to the sum.
"""

from dataclasses import dataclass, replace

import numpy as np

from sw.formulas.evaluation import check_depth, contributions, predictions
from sw.model import Model


@dataclass(frozen=True)
class Pruned:
    """A pruned model.

    Attributes
    ----------
    model : Model
        What is left.
    columns : tuple of str
        Names of the columns that were removed.
    addends : tuple of int
        Numbers of the addends that were removed, of the model before.
    change : float
        Mean squared change of the predictions on the records given, as a share of their variance; the largest of all
        targets.
    """

    model: Model
    columns: tuple[str, ...]
    addends: tuple[int, ...]
    change: float


def prune(model: Model, features: np.ndarray, share: float) -> Pruned:
    """Remove what changes the predictions least, one addend or column after the other.

    Parameters
    ----------
    model : Model
        A model of one layer or two.
    features : ndarray of shape (n, features)
        Records by which the change is measured, in the user's units.
    share : float
        Largest mean squared change of the predictions in all, as a share of their variance.

    Returns
    -------
    Pruned
        The smaller model. Its history and counts are left out, since they are those of the model before.

    Raises
    ------
    ValueError
        For a deeper model.
    """
    check_depth(model)
    before = predictions(model, features)

    def attempt(columns: frozenset[int], addends: frozenset[int]) -> tuple[Model, float] | None:
        smaller = _without(model, features, columns, addends)
        if smaller is None:
            return None
        after = predictions(smaller, features[:, _kept_features(model, columns)])
        variance = before.var(axis=0)
        change = np.mean((after - before) ** 2, axis=0)
        shares = np.where(change > 0, np.inf, 0.0)
        np.divide(change, variance, out=shares, where=variance > 0)
        return smaller, float(shares.max())

    none: frozenset[int] = frozenset()
    several = model.network.layers[-1].inputs if len(model.network.layers) > 1 else 0
    sets = [(frozenset((index,)), none) for index in range(len(model.encoding.features))]
    sets += [(none, frozenset((index,))) for index in range(several)]
    alone = [(found[1], index) for index, part in enumerate(sets) if (found := attempt(*part))]
    columns, addends = none, none
    kept, total = replace(model, history=None, target_scores=None, statistics=None), 0.0
    for change, index in sorted(alone):
        if change > share:
            break
        more = columns | sets[index][0], addends | sets[index][1]
        found = attempt(*more)
        if found and found[1] <= share:
            (kept, total), (columns, addends) = found, more
    names = model.encoding.feature_columns
    return Pruned(kept, tuple(names[index] for index in sorted(columns)), tuple(sorted(addends)), total)


def _kept_features(model: Model, columns: frozenset[int]) -> np.ndarray:
    """List the network's features that are not of some columns; a column of text is several features."""
    if not model.encoding.features:
        return np.arange(model.network.features)
    owner = np.repeat(np.arange(len(model.encoding.features)), [len(rule.names) for rule in model.encoding.features])
    return np.flatnonzero(~np.isin(owner, list(columns)))


def _without(model: Model, features: np.ndarray, columns: frozenset[int], addends: frozenset[int]) -> Model | None:
    """Remove columns and addends; None if nothing would be left, or if the means do not fit the words."""
    values = contributions(model, features)
    kept = [_kept_features(model, columns)]
    if len(values) > 1:
        kept.append(np.setdiff1d(np.arange(values[1].shape[1]), list(addends)))
    nodes, layers = [], []
    for index, (layer, own, value) in enumerate(zip(model.network.layers, kept, values, strict=True)):
        outputs = kept[index + 1] if index + 1 < len(kept) else np.arange(layer.outputs)
        if not len(own):
            return None
        gone = np.setdiff1d(np.arange(layer.inputs), own)
        constants = value[:, gone].mean(axis=0).sum(axis=0)[outputs]
        folded = _folded(model, model.nodes[index][own][:, :, outputs], constants)
        if folded is None:
            return None
        nodes.append(folded)
        smaller = replace(layer, inputs=len(own), outputs=len(outputs))
        layers.append(replace(smaller, mean_of=layer.divisor) if len(gone) else smaller)
    scaling, rules = model.scaling, model.encoding.features
    dropped = tuple((rules[each].column, "it was pruned") for each in sorted(columns))
    encoding = replace(
        model.encoding,
        features=tuple(rule for each, rule in enumerate(rules) if each not in columns),
        left_out=model.encoding.left_out + dropped,
    )
    return replace(
        model,
        network=replace(model.network, layers=tuple(layers)),
        nodes=nodes,
        scaling=replace(
            scaling,
            feature_low=scaling.feature_low[kept[0]],
            feature_high=scaling.feature_high[kept[0]],
            feature_knots=None if scaling.feature_knots is None else scaling.feature_knots[:, kept[0]],
        ),
        feature_names=encoding.feature_names,
        domains=model.domains and [domain[own] for domain, own in zip(model.domains, kept, strict=True)],
        encoding=encoding,
        history=None,
        target_scores=None,
        statistics=None,
    )


def _folded(model: Model, nodes: np.ndarray, constants: np.ndarray) -> np.ndarray | None:
    """Add a constant to the sum of each output, split so that nodes stay words; None if it cannot be."""
    if model.domains is not None:
        return np.asarray(nodes + (constants / len(nodes)))
    word, rest = model.network.word, np.rint(constants).astype(np.int64)
    folded = nodes.copy()
    for own in folded:
        step = np.clip(rest, word.minimum - own.min(axis=0), word.maximum - own.max(axis=0))
        own += step
        rest = rest - step
    return None if rest.any() else folded
