import numpy as np
import pytest

from sw import datasets
from sw.datasets import MemorySource
from sw.engine.conversion import as_floating
from sw.engine.prediction import Predictor
from sw.experiment import first_model
from sw.figures.learned_functions import functions
from sw.figures.network_diagram import share_of
from sw.model import Model
from sw.presets.catalogue import find
from sw.scaling import Scaling
from sw.spec.network import Layer, Network


@pytest.fixture(params=["fixed", "floating"])
def model(request) -> Model:
    fresh = first_model(find("norm4"), MemorySource(datasets.load("norm4", records=50, holdout=5)), seed=0)
    return fresh if request.param == "fixed" else as_floating(fresh)


def test_the_functions_of_features_go_through_all_their_nodes(model):
    curves, nodes = functions(model)[0].curves, model.nodes[0]
    for place, node in ((0, 0), (-1, -1)):
        assert np.allclose(curves[place], nodes[:, node])
    assert (functions(model)[0].extent <= np.ptp(nodes, axis=1) + 1e-9).all()


@pytest.mark.parametrize("floating", [False, True])
def test_the_scale_of_the_last_layer_is_what_a_function_can_change(floating):
    """Of features that are no power of two, with a gain."""
    network = Network((Layer(5, 1, 8, gain=2),))
    scaling = Scaling.of(np.array([[0.0] * 5, [1.0] * 5]), np.array([[-3.0], [3.0]]))
    nodes = np.zeros(network.layers[0].shape, np.int64)
    nodes[3, :, 0] = np.linspace(-4000, 4000, 9)
    model = Model(network, scaling, nodes=[nodes], headroom=1, target_names=("y",))
    model = as_floating(model) if floating else model
    low, high = Predictor(model).predict(np.array([[0.5] * 5, [0.5, 0.5, 0.5, 1.0, 0.5]]))[:, 0]
    value, name = share_of(model, 0, functions(model)[0]).split()
    assert name == "y" and float(value) == pytest.approx(2 * (high - low), rel=0.01) and high - low > 0.1


def test_hidden_functions_are_shown_where_their_arguments_are(model):
    model.nodes[1][:, 0] = model.nodes[1][:, -1] = 30000  # which no argument comes near
    assert functions(model)[1].curves.max() < 10000
