"""A known function as a one-layer model: y = sin(3 a) + b**2, and a feature c that it does not need."""

from dataclasses import replace

import numpy as np
import pytest

from sw.engine.conversion import as_floating
from sw.formulas.evaluation import predictions
from sw.formulas.formula import formula
from sw.formulas.pruning import prune
from sw.model import Model
from sw.oracle.fixed import FixedReference
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes

ROWS = np.random.default_rng(0).uniform(-1, 1, (400, 3))
TRUE = np.sin(3 * ROWS[:, 0]) + ROWS[:, 1] ** 2


@pytest.fixture(params=["fixed", "floating"])
def model(request) -> Model:
    network = Network.chain((3, 1), (32,))
    scaling = Scaling(-np.ones(3), np.ones(3), np.array([-4.0]), np.array([4.0]))
    grid = np.linspace(-1, 1, 33)
    # The mean is over the next power of two, 4, and the word of a unit target is 2**13: so a unit is worth 4 * 2**11.
    nodes = np.stack([np.sin(3 * grid), grid**2, np.full(33, 0.4)])[:, :, None] * 4 * 2**11
    made = Model(network, scaling, [np.rint(nodes).astype(np.int64)], 2, ("a", "b", "c"), ("y",))
    return made if request.param == "fixed" else as_floating(made)


def test_a_function_that_is_known_is_found(model):
    found = formula(model, ROWS)
    assert [(term.source, term.fit.name) for term in found.terms] == [(0, "sin"), (1, "square")]
    assert abs(found.terms[0].fit.a) == pytest.approx(3, rel=0.02)
    assert np.abs(found.predict(ROWS)[:, 0] - TRUE - 0.4).max() < 0.03
    (line,) = found.lines()
    assert line.startswith("y = ") and "sin(" in line and "**2" in line and "*c" not in line


def test_a_column_of_no_use_is_pruned_and_its_mean_kept(model):
    found = prune(model, ROWS, 1e-3)
    assert found.columns == ("c",) and found.model.feature_names == ("a", "b") and found.change < 1e-6
    assert np.abs(predictions(found.model, ROWS[:, :2]) - predictions(model, ROWS)).max() < 1e-3


def test_the_share_says_how_much_may_change(model):
    assert prune(model, ROWS, 0.05).columns == ("c",)
    found = prune(model, ROWS, 0.5)
    assert found.columns == ("b", "c") and 0.05 < found.change <= 0.5
    assert prune(model, ROWS, 1e9).model.network.features == 1


def test_constants_that_are_pruned_leave_the_same_bits(tmp_path):
    """A column and an addend that are constant, in a network of two layers."""
    network = Network.two_layer(3, 5, (4, 8))
    nodes = random_nodes(network, np.random.default_rng(2))
    nodes[0][2], nodes[1][3] = 900, -700
    scaling = Scaling(-np.ones(3), np.ones(3), np.array([-4.0]), np.array([4.0]))
    model = Model(network, scaling, nodes, 2, ("a", "b", "c"), ("y",))
    found = prune(model, ROWS, 1e-9)
    assert (found.columns, found.addends) == (("c",), (3,))
    found.model.save(tmp_path / "pruned.npz")
    smaller = Model.load(tmp_path / "pruned.npz")
    before = FixedReference(network, nodes).predict(model.encode_features(ROWS))
    after = FixedReference(smaller.network, smaller.nodes).predict(smaller.encode_features(ROWS[:, :2]))
    assert np.array_equal(before, after)


def test_a_deeper_model_is_refused(model):
    network = Network.chain((3, 2, 2, 1), (4, 4, 4))
    deep = replace(model, network=network, nodes=random_nodes(network, np.random.default_rng(0)), domains=None)
    for refused in (lambda: formula(deep, ROWS), lambda: prune(deep, ROWS, 0.01)):
        with pytest.raises(ValueError, match="3 layers; only models of 1 or 2"):
            refused()
