"""Cases of parametrised tests that take longer than their property is worth in every run."""

from typing import Any

import pytest


def slow(*values: Any, id: str | None = None) -> Any:
    """Return a case that only `scripts/test --all` runs."""
    return pytest.param(*values, marks=pytest.mark.slow, id=id)
