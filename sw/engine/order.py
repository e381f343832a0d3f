"""The orders in which records are trained on, by their names.

Records are trained on in the source's order in every epoch, unless one of these names is asked for. `Trainer.fit` keeps
the source's order, hence `sw.experiment` and boards do; so do `sw.bench.time_to_accuracy`, predictions and hold-outs.

- "shuffled": shuffled once, the same in every epoch, since each epoch's records then stay encoded. `Training` shuffles
  each shard so, by the seed of its strategy.
- "reshuffled": shuffled anew for every epoch. Each `Member` of an ensemble trains so, from a generator of its own.

The records of a source that is longer than a shard must not be sorted, whatever the order inside the shards: what a
shard teaches, the next one would unteach.
"""

from collections.abc import Callable, Iterator

import numpy as np


def _shuffled(rows: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(rows)
    while True:
        yield order


def _reshuffled(rows: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield rng.permutation(rows)


ORDERS: dict[str, Callable[[np.ndarray, np.random.Generator], Iterator[np.ndarray]]] = {
    "shuffled": _shuffled,
    "reshuffled": _reshuffled,
}


def orders(name: str, rows: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Order rows for one epoch after the other.

    Parameters
    ----------
    name : {"shuffled", "reshuffled"}
        The policy.
    rows : ndarray of int
        Numbers of the records to train on.
    rng : Generator
        Source of the permutations.

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
    return ORDERS[name](rows, rng)
