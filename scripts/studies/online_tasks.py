"""The six streams of `scripts/studies/online.py`: records whose law changes while they come."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np

Stream = tuple[np.ndarray, np.ndarray]
"""Features (n, features) and targets (n,)."""

DRIFTS = {"lea": (0.25, 0.5, 0.75), "gra": (0.35, 0.75), "gsg": (0.35, 0.75)}
TRANSITION = 0.1  # of the records, in the slow drift
NOISE = 0.01  # of the sensor's reading


@dataclass(frozen=True)
class Task:
    """A stream to predict.

    Attributes
    ----------
    records : int
        How many it has, unless fewer are asked for.
    ranges : tuple of (float, float)
        The range of each feature, for learners that have to be told.
    make : callable
        Makes the stream of a seed, of so many records.
    classes : bool
        Whether the targets are classes 0 and 1, and errors are counted at 1/2.
    """

    records: int
    ranges: tuple[tuple[float, float], ...]
    make: Callable[[int, int], Stream]
    classes: bool = False


def friedman(kind: str) -> Callable[[int, int], Stream]:
    """Make what makes River's FriedmanDrift, its changes at the same shares of any number of records."""

    def make(seed: int, records: int) -> Stream:
        from river.datasets.synth import FriedmanDrift

        position = tuple(round(share * records) for share in DRIFTS[kind])
        window = round(TRANSITION * records) if kind == "gsg" else 0
        rows = islice(FriedmanDrift(kind, position, window, seed), records)
        features, targets = zip(*((list(x.values()), y) for x, y in rows), strict=True)
        return np.array(features), np.array(targets)

    return make


def eclair(seed: int, records: int) -> Stream:
    """Make the drifting regression of arXiv 2602.02056: three functions of one feature, a third of the records each."""
    x = np.random.default_rng(seed).uniform(-2, 2, records)
    laws = (
        np.sin(x) + 0.3 * x**2,
        -np.cos(2 * x) + 0.1 * x**3 + 1,
        np.exp(-0.5 * (x - 1) ** 2) + 0.05 * x**3,
    )
    return x[:, None], np.choose(3 * np.arange(records) // records, laws)


def sensor(seed: int, records: int) -> Stream:
    """Make a sensor whose gain and offset drift: what is measured, from the reading and the temperature.

    The reading is gain * tanh(1.5 q) * (1 + 0.4 (T - 0.5)) + offset + noise, of a quantity q in -1..1 and a temperature
    T in 0..1. The gain falls from 1 to 0.5, evenly; the offset swings between -0.3 and 0.3, three times, and at half of
    the records it jumps by 0.3.
    """
    rng = np.random.default_rng(seed)
    quantity, temperature, age = rng.uniform(-1, 1, records), rng.uniform(0, 1, records), np.arange(records) / records
    gain, offset = 1 - 0.5 * age, 0.3 * np.sin(6 * np.pi * age) + 0.3 * (age >= 0.5)
    reading = gain * np.tanh(1.5 * quantity) * (1 + 0.4 * (temperature - 0.5)) + offset
    return np.column_stack([reading + rng.normal(0, NOISE, records), temperature]), quantity


def moons(seed: int, records: int) -> Stream:
    """Make scikit-learn's two moons, with a noise of 0.2: two classes that do not drift."""
    from sklearn.datasets import make_moons

    features, classes = make_moons(records, noise=0.2, random_state=seed)
    return features, classes.astype(float)


TASKS = {
    **{f"FriedmanDrift {kind}": Task(100_000, ((0.0, 1.0),) * 10, friedman(kind)) for kind in DRIFTS},
    "ECLAIR's functions": Task(1_500, ((-2.0, 2.0),), eclair),
    "drifting sensor": Task(20_000, ((-1.5, 1.8), (0.0, 1.0)), sensor),
    "two moons": Task(5_000, ((-1.8, 2.8), (-1.2, 1.7)), moons, classes=True),
}
