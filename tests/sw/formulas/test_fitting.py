import numpy as np
import pytest

from sw.formulas.fitting import SHAPES, fit

X = np.random.default_rng(0).uniform(-2, 5, 400)


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("line", 1, 0),
        ("square", 1, -1),
        ("abs", 1, -2),
        ("cube", 1, -1),
        ("exp", 0.7, 0),
        ("sqrt", 1, 2.1),
        ("log", 1, 2.2),
        ("sin", 2.5, 0.4),
        ("tanh", 1.5, -2),
    ],
)
def test_a_function_of_the_library_is_found(name, a, b):
    y = -3 * SHAPES[name](a * X + b) + 7
    found = fit(X, y)
    assert found.name == name and found.r2 > 0.999
    assert np.sqrt(np.mean((found(X) - y) ** 2)) < 0.04 * y.std()


def test_what_is_no_function_of_the_library_has_a_low_r2():
    assert fit(X, np.random.default_rng(1).normal(size=len(X))).r2 < 0.5


def test_a_constant_is_found():
    found = fit(X, np.full(len(X), 3.0))
    assert (found.name, found.d) == ("constant", 3.0)
