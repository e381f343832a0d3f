"""A model as a formula: each learned function that matters is replaced by a known one."""

from dataclasses import dataclass

import numpy as np

from sw.formulas.evaluation import check_depth, contributions
from sw.formulas.fitting import Fit, fit, rounded
from sw.model import Model
from sw.oracle.floating import Unquantised

MATTERS = 1e-4  # share of an output's variance, summed over its functions; one below counts as a constant
WORDS = {"line": "{}", "square": "({})**2", "cube": "({})**3"}


@dataclass(frozen=True)
class Term:
    """A function of one input, in one sum.

    Attributes
    ----------
    layer, source, output : int
        Numbers of the layer, its input and its output.
    fit : Fit
        What takes the learned function's place.
    """

    layer: int
    source: int
    output: int
    fit: Fit


@dataclass(frozen=True)
class Formula:
    """Sums of known functions.

    Attributes
    ----------
    names : tuple of tuple of str
        Names of the features, of the hidden sums if there are any, and of the targets.
    terms : tuple of Term
        The functions that are not constant.
    constants : tuple of ndarray
        What is added to each sum, one array (outputs,) a layer.
    """

    names: tuple[tuple[str, ...], ...]
    terms: tuple[Term, ...]
    constants: tuple[np.ndarray, ...]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Compute targets (n, outputs) from features (n, features), both in the user's units."""
        values = features
        for index, constants in enumerate(self.constants):
            sums = np.tile(constants, (len(features), 1))
            for term in self.terms:
                if term.layer == index:
                    sums[:, term.output] += term.fit(values[:, term.source])
            values = sums
        return values

    def lines(self) -> list[str]:
        """Write the formula, a line for each sum."""
        found = []
        for index, constants in enumerate(self.constants):
            for output, constant in enumerate(constants):
                terms = [each for each in self.terms if (each.layer, each.output) == (index, output)]
                offset = float(constant + sum(each.fit.d for each in terms))
                text = "".join(_signed(each.fit, self.names[index][each.source]) for each in terms)
                found.append(f"{self.names[index + 1][output]} = {offset:.6g}{text}")
        return found


def formula(model: Model, features: np.ndarray) -> Formula:
    """Fit a known function to each function of a model.

    Parameters
    ----------
    model : Model
        A model of one layer or two.
    features : ndarray of shape (n, features)
        Records that say where the arguments lie, in the user's units.

    Returns
    -------
    Formula
        The targets in the user's units; hidden sums have units of their own.

    Raises
    ------
    ValueError
        For a deeper model.
    """
    check_depth(model)
    network, terms, constants, arguments = model.network, [], [], features
    for index, (layer, values) in enumerate(zip(network.layers, contributions(model, features), strict=True)):
        if index + 1 == len(network.layers):
            scale, base = _target_units(model)
        else:
            low, high = (model.domains or Unquantised(network).domains)[index + 1].T
            scale, base = 2 / (high - low), np.zeros(layer.outputs)
        means = values / layer.divisor * scale
        constant = base.copy()
        variances = means.var(axis=0)
        for output in range(layer.outputs):
            for source in range(layer.inputs):
                own = means[:, source, output]
                if variances[source, output] <= MATTERS * variances[:, output].sum():
                    constant[output] += own.mean()
                    continue
                found = fit(arguments[:, source], own)
                terms.append(Term(index, source, output, found))
        constants.append(np.array([rounded(each) for each in constant]))
        arguments = means.sum(axis=1) + base
    first = model.feature_names or tuple(f"x{index + 1}" for index in range(network.features))
    last = model.target_names or tuple(f"y{index + 1}" for index in range(network.outputs))
    hidden = [tuple(f"h{index + 1}" for index in range(layer.outputs)) for layer in network.layers[:-1]]
    return Formula((first, *hidden, last), tuple(terms), tuple(constants))


def _target_units(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Compute by what a mean of the last layer is multiplied, and what is added, to give targets in their units."""
    unit = model.units.target_scale
    ends = model.decode(np.array([[0.0], [float(unit)]]) * np.ones(model.network.outputs))
    return (ends[1] - ends[0]) * Unquantised(model.network).result_scale / unit, ends[0]


def _signed(found: Fit, name: str) -> str:
    """Write c * f(a * x + b) with its sign; the constants of all terms are written once."""
    name = name if name.isidentifier() else f"[{name}]"
    shift = f" {'-' if found.b < 0 else '+'} {abs(found.b):.6g}" if found.b else ""
    inner = f"{found.a:.6g}*{name}{shift}"
    text = WORDS.get(found.name, f"{found.name}({{}})").format(f"({inner})" if found.name == "line" else inner)
    return f" {'-' if found.c < 0 else '+'} {abs(found.c):.6g}*{text}"
