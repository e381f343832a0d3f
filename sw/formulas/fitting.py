"""The fit of a known function to a learned one: c * f(a * x + b) + d by least squares where the data lie."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

POINTS = 256  # of a function, at quantiles of its arguments
STEPS = 41  # of a parameter in the first grid
REFINED = 7  # steps in each later grid
ROUNDS = 14  # of later grids, each half as wide
DIGITS = 6
SIMPLER = 2.0  # a simpler function is taken if it leaves at most so many times the variance unexplained
NEGLIGIBLE = 5e-4  # share of variance that is never worth a function that is less simple
CONSTANT = 1e-12  # variance relative to the squared size, below which values are constant

Shape = Callable[[np.ndarray], np.ndarray]
SHAPES: dict[str, Shape] = {
    "line": lambda z: z,
    "square": np.square,
    "abs": np.abs,
    "cube": lambda z: z**3,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "log": np.log,
    "sin": np.sin,
    "tanh": np.tanh,
}
"""The functions by name, the simplest first."""

_SCALES = np.geomspace(0.2, 20, STEPS)
_GRIDS: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "line": (np.ones(1), np.zeros(1)),
    "square": (np.ones(1), np.linspace(-3, 3, STEPS)),
    "abs": (np.ones(1), np.linspace(-1, 1, STEPS)),
    "cube": (np.ones(1), np.linspace(-3, 3, STEPS)),
    "exp": (np.concatenate([-_SCALES[:25], _SCALES[:25]]), np.zeros(1)),
    "sqrt": (np.array([-1.0, 1.0]), 1 + np.geomspace(1e-6, 4, STEPS)),
    "log": (np.array([-1.0, 1.0]), 1 + np.geomspace(1e-3, 4, STEPS)),
    "sin": (_SCALES, np.linspace(-np.pi / 2, np.pi / 2, STEPS)),
    "tanh": (_SCALES, np.linspace(-6, 6, STEPS)),
}
"""Values of a and b that are tried first, for arguments between -1 and 1."""


@dataclass(frozen=True)
class Fit:
    """A known function in place of a learned one: c * f(a * x + b) + d.

    Attributes
    ----------
    name : str
        A key of `SHAPES`, or "constant", whose value is d.
    a, b, c, d : float
        The parameters, rounded to the digits that are printed.
    r2 : float
        The share of the learned function's variance that the fit explains, on the records given.
    """

    name: str
    a: float
    b: float
    c: float
    d: float
    r2: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Compute the function, limited to where root and logarithm are defined."""
        if self.name == "constant":
            return np.full(np.shape(x), self.d)
        argument = self.a * x + self.b
        if self.name in ("sqrt", "log"):
            argument = np.maximum(argument, 0.0 if self.name == "sqrt" else 1e-9)
        return self.c * SHAPES[self.name](argument) + self.d


def rounded(value: float) -> float:
    """Round a number to the digits that are printed."""
    return float(f"{value:.{DIGITS}g}")


def fit(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit the simplest function of the library that explains the values about as well as the best.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Arguments on the records, and the learned function's values there.

    Returns
    -------
    Fit
        The function; it may fit badly, as its `r2` says.
    """
    if y.var() <= CONSTANT * float(np.square(y).mean()) or np.ptp(x) == 0:
        return Fit("constant", 0.0, 0.0, 0.0, rounded(float(y.mean())), 1.0)
    order = np.argsort(x, kind="stable")
    some = order[np.linspace(0, len(x) - 1, min(POINTS, len(x))).round().astype(int)]
    centre, half = (x.max() + x.min()) / 2, np.ptp(x) / 2
    found = {name: _best(name, (x[some] - centre) / half, y[some]) for name in SHAPES}
    least = min(unexplained for unexplained, *_ in found.values())
    name = next(name for name in SHAPES if found[name][0] <= max(SIMPLER * least, NEGLIGIBLE))
    _, scale, shift = found[name]
    a, b = rounded(scale / half), rounded(shift - scale * centre / half)
    candidate = Fit(name, a, b, 1.0, 0.0, 0.0)
    values = candidate(x)
    c = float(np.cov(values, y, bias=True)[0, 1] / values.var())
    c, d = rounded(c), rounded(float(y.mean() - c * values.mean()))
    r2 = 1 - np.mean((c * values + d - y) ** 2) / y.var()
    return Fit(name, a, b, c, d, float(r2))


def _best(name: str, x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Search a and b: the share of variance that is left, and both of them."""
    scales, shifts = _GRIDS[name]
    best = _search(name, x, y, scales, shifts)
    if len(scales) == len(shifts) == 1:
        return best
    width_a = 0.15 * abs(best[1]) if len(scales) > 2 else 0.0
    width_b = float(np.diff(shifts).max()) if len(shifts) > 1 else 0.0
    for _ in range(ROUNDS):
        _, a, b = best
        near_a = a + width_a * np.linspace(-1, 1, REFINED) if width_a else np.array([a])
        near_b = b + width_b * np.linspace(-1, 1, REFINED) if width_b else np.array([b])
        if name in ("sqrt", "log"):
            near_b = np.maximum(near_b, shifts[0])
        best = min(best, _search(name, x, y, near_a, near_b))
        width_a, width_b = width_a / 2, width_b / 2
    return best


def _search(
    name: str, x: np.ndarray, y: np.ndarray, scales: np.ndarray, shifts: np.ndarray
) -> tuple[float, float, float]:
    """Try all pairs of a and b; c and d are the best for each."""
    a, b = (each.ravel() for each in np.meshgrid(scales, shifts))
    values = SHAPES[name](a[:, None] * x + b[:, None])
    values = values - values.mean(axis=1, keepdims=True)
    centred = y - y.mean()
    norm = np.square(values).sum(axis=1) * (centred @ centred)
    r2 = np.divide((values @ centred) ** 2, norm, out=np.zeros(len(a)), where=norm > 1e-300)
    index = int(r2.argmax())
    return float(1 - r2[index]), float(a[index]), float(b[index])
