"""The paper's data sets, generated: determinants, tetrahedra, Euclidean norms, triangles."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError, check_number
from sw.spec.bounds import RECORDS, SEED

SPLITS = ("train", "holdout")
CHUNK = 1 << 16
GIGABYTE = 1e9

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """How one data set is made, and the paper's counts.

    Attributes
    ----------
    feature_names, target_names : tuple of str
        One name for each column.
    records, holdout : int
        The paper's counts of training records and of the hold-out.
    draw : callable
        Takes a generator and (records, features), gives features of this shape.
    compute : callable
        Takes features, gives targets of shape (records,) or (records, outputs).
    """

    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    records: int
    holdout: int
    draw: Draw
    compute: Callable[[np.ndarray], np.ndarray]


def _uniform(low: float, high: float) -> Draw:
    return lambda generator, shape: generator.uniform(low, high, shape)


def _integers(low: int, high: int) -> Draw:
    return lambda generator, shape: generator.integers(low, high, shape, endpoint=True).astype(np.float64)


def _determinant(features: np.ndarray) -> np.ndarray:
    order = round(features.shape[1] ** 0.5)
    return np.linalg.det(features.reshape(-1, order, order))


def _triple_product(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Compute a . (b x c), row by row: the 3x3 determinant, exact where the entries are small integers."""
    return np.einsum("ij,ij->i", a, np.cross(b, c))


def _determinant3(features: np.ndarray) -> np.ndarray:
    return _triple_product(features[:, 0:3], features[:, 3:6], features[:, 6:9])


def _vertices(features: np.ndarray) -> list[np.ndarray]:
    return [features[:, start : start + 3] for start in range(0, 12, 3)]


def _volume(features: np.ndarray) -> np.ndarray:
    a, b, c, d = _vertices(features)
    return np.abs(_triple_product(b - a, c - a, d - a)) / 6


def _faces(features: np.ndarray) -> np.ndarray:
    faces = combinations(_vertices(features), 3)
    return np.column_stack([np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 for a, b, c in faces])


def _norm(features: np.ndarray) -> np.ndarray:
    return np.linalg.norm(features, axis=1)


def _triangle(features: np.ndarray) -> np.ndarray:
    ax, ay, bx, by, cx, cy = features.T
    return np.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2


def _entries(order: int) -> tuple[str, ...]:
    return tuple(f"a{row}{column}" for row, column in product(range(1, order + 1), repeat=2))


def _points(count: int, axes: str) -> tuple[str, ...]:
    return tuple(f"{axis}{point}" for point, axis in product(range(1, count + 1), axes))


_FACES = tuple("area" + "".join(face) for face in combinations("1234", 3))
_SIDES = _uniform(0, 10)

RECIPES = {
    "det4": Recipe(_entries(4), ("determinant",), 100_000, 20_000, _SIDES, _determinant),
    "det5": Recipe(_entries(5), ("determinant",), 10_000_000, 2_000_000, _SIDES, _determinant),
    "det3": Recipe(_entries(3), ("determinant",), 50_000, 10_000, _integers(0, 255), _determinant3),
    "tetra-volume": Recipe(_points(4, "xyz"), ("volume",), 100_000, 20_000, _SIDES, _volume),
    "tetra-faces": Recipe(_points(4, "xyz"), _FACES, 100_000, 20_000, _SIDES, _faces),
    **{f"norm{n}": Recipe(_points(n, "x"), ("norm",), 8192, 2048, _uniform(-1, 1), _norm) for n in (2, 4, 8)},
    "triangle": Recipe(_points(3, "xy"), ("area",), 8192, 2048, _integers(100, 2000), _triangle),
}


def recipe(name: str) -> Recipe:
    """Find the recipe of a known data set.

    Raises
    ------
    DatasetError
        If the name is not known.
    """
    if name not in RECIPES:
        raise DatasetError(f"unknown data set {name!r}; the known ones are {', '.join(RECIPES)}")
    return RECIPES[name]


def check_split(split: str) -> None:
    """Check the name of a split.

    Raises
    ------
    DatasetError
        If it is not in `SPLITS`.
    """
    if split not in SPLITS:
        raise DatasetError(f"split {split!r} is not one of {', '.join(SPLITS)}")


def check_memory(what: str, size: int) -> None:
    """Check that this computer's memory can hold an array.

    Parameters
    ----------
    what : str
        What the array holds, for the message.
    size : int
        Its bytes.

    Raises
    ------
    DatasetError
        If the memory is smaller. The system may grant an array of any size, and end the process while it is filled.
    """
    if not hasattr(os, "sysconf"):
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        raise DatasetError(
            f"{what} take {size / GIGABYTE:,.1f} GB; this computer has {memory / GIGABYTE:,.1f} GB of memory"
        )


def chunks(name: str, records: int, *, seed: int = 0, split: str = "train", size: int = CHUNK) -> Iterator[Dataset]:
    """Generate records of a known data set, in shards.

    The records depend on `name`, `seed` and `split`, not on `size` or `records`: a shorter run is the beginning of a
    longer one.

    Parameters
    ----------
    name : str
        Name of the data set.
    records : int
        Records in all.
    seed : int
        Seed of the generator.
    split : {"train", "holdout"}
        Which of two independent streams of records.
    size : int
        Records in a shard; the last one may have fewer.

    Returns
    -------
    iterator of Dataset
        The shards.

    Raises
    ------
    DatasetError
        If the name is not known, or a number or the split is not legal.
    """
    made = recipe(name)
    check_split(split)
    check_number("records", records, *RECORDS)
    check_number("size", size, *RECORDS)
    check_number("seed", seed, *SEED)
    generator = np.random.default_rng((seed, SPLITS.index(split)))

    def draw(count: int) -> Dataset:
        features = made.draw(generator, (count, len(made.feature_names)))
        targets = made.compute(features).reshape(count, -1)
        return Dataset(name, features, targets, made.feature_names, made.target_names)

    return (draw(min(size, records - start)) for start in range(0, records, size))


def generate(name: str, records: int, *, seed: int = 0, split: str = "train") -> Dataset:
    """Generate the records that `chunks` gives for the same arguments, in one piece.

    Parameters
    ----------
    name, records, seed, split
        As `chunks` takes them.

    Returns
    -------
    Dataset
        The records.

    Raises
    ------
    DatasetError
        As `chunks` does.
    """
    made = recipe(name)
    shards = chunks(name, records, seed=seed, split=split)
    check_memory(f"{records:,} records of {name}", 8 * records * (len(made.feature_names) + len(made.target_names)))
    features = np.empty((records, len(made.feature_names)))
    targets = np.empty((records, len(made.target_names)))
    for start, shard in zip(range(0, records, CHUNK), shards, strict=True):
        features[start : start + CHUNK] = shard.features
        targets[start : start + CHUNK] = shard.targets
    return Dataset(name, features, targets, made.feature_names, made.target_names)
