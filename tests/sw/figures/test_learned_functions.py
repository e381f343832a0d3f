import numpy as np
import pytest

from sw import datasets
from sw.datasets import MemorySource
from sw.engine.conversion import as_floating
from sw.experiment import first_model
from sw.figures.learned_functions import functions
from sw.model import Model
from sw.presets.catalogue import find


@pytest.fixture(params=["fixed", "floating"])
def model(request) -> Model:
    fresh = first_model(find("norm4"), MemorySource(datasets.load("norm4", records=50, holdout=5)), seed=0)
    return fresh if request.param == "fixed" else as_floating(fresh)


def test_the_functions_of_features_go_through_all_their_nodes(model):
    curves, nodes = functions(model)[0].curves, model.nodes[0]
    for place, node in ((0, 0), (-1, -1)):
        assert np.allclose(curves[place], nodes[:, node])
    assert (functions(model)[0].extent <= np.ptp(nodes, axis=1) + 1e-9).all()


def test_hidden_functions_are_shown_where_their_arguments_are(model):
    model.nodes[1][:, 0] = model.nodes[1][:, -1] = 30000  # which no argument comes near
    assert functions(model)[1].curves.max() < 10000
