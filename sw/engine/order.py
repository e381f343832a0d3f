"""The orders in which records are trained on, by their names.

Records are trained on in the source's order in every epoch, unless one of these names is asked for. `Trainer.fit` keeps
the source's order, hence `sw.experiment` and boards do; so do `sw.bench.time_to_accuracy`, predictions and hold-outs.

- "shuffled": shuffled once, the same in every epoch, since each epoch's records then stay encoded. `Training` shuffles
  each shard so, by the seed of its strategy.
- "reshuffled": shuffled anew for every epoch. Each `Member` of an ensemble trains so, from a generator of its own.

A record of weight w comes w times in an epoch; where w is a fraction, "reshuffled" draws the visits anew each time.

The records of a source that is longer than a shard must not be sorted, whatever the order inside the shards: what a
shard teaches, the next one would unteach.
"""

from collections.abc import Callable, Iterator

import numpy as np


def visits(weights: np.ndarray, offset: float) -> np.ndarray:
    """Choose the visits of an epoch by systematic sampling: whole weights are kept exactly, fractions on average.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Visits of each record in an epoch, on average.
    offset : float
        Where the sampling begins, at least 0 and below 1; it makes no difference to whole weights.

    Returns
    -------
    ndarray of int
        Numbers from 0 to n - 1, rising, each as often as its record is visited.
    """
    counts = np.diff(np.floor(np.cumsum(weights) + offset), prepend=0.0)
    return np.repeat(np.arange(len(weights)), counts.astype(np.int64))


Draw = Callable[[], np.ndarray]
"""Gives the rows of the next epoch, in the order that they were given in."""


def _draw(rows: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> Draw:
    if (weights % 1).any():
        return lambda: rows[visits(weights, rng.random())]
    visited = rows[visits(weights, 0.0)]
    return lambda: visited


def _shuffled(draw: Draw, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(draw())
    while True:
        yield order


def _reshuffled(draw: Draw, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield rng.permutation(draw())


ORDERS: dict[str, Callable[[Draw, np.random.Generator], Iterator[np.ndarray]]] = {
    "shuffled": _shuffled,
    "reshuffled": _reshuffled,
}


def orders(
    name: str, rows: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Order rows for one epoch after the other.

    Parameters
    ----------
    name : {"shuffled", "reshuffled"}
        The policy.
    rows : ndarray of int
        Numbers of the records to train on.
    rng : Generator
        Source of the permutations.
    weights : ndarray, optional
        Visits of each row in an epoch; one each by default.

    Yields
    ------
    ndarray of int
        The rows in the order of the next epoch, without end.

    Raises
    ------
    ValueError
        For a name that is no policy.
    """
    if name not in ORDERS:
        raise ValueError(f"order {name!r} is not one of {', '.join(ORDERS)}")
    return ORDERS[name]((lambda: rows) if weights is None else _draw(rows, weights, rng), rng)
