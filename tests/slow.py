"""Cases of parametrised tests that take longer than their property is worth in every run."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest


def slow(*values: Any, id: str | None = None) -> Any:
    """Return a case that only `scripts/test --all` runs."""
    return pytest.param(*values, marks=pytest.mark.slow, id=id)


def crossed(first: Iterable[Any], *others: Iterable[Any], every: int) -> list[Any]:
    """Return all combinations of values, of which each run takes one in `every`, and `scripts/test --all` the rest.

    Each value of `first` is in every run, with other values of the others each time.
    """
    rest = list(product(*others))
    return [
        (value, *values) if (number + rank) % every == 0 else slow(value, *values)
        for number, value in enumerate(first)
        for rank, values in enumerate(rest)
    ]
