"""`kanloom prune` and `kanloom formula`: a smaller model, and a formula."""

import json

import numpy as np

from sw.engine.prediction import Predictor
from sw.model import Model
from sw.oracle.fixed import FixedReference
from sw.scaling import Scaling
from sw.spec.network import Network
from tests.sw.commands.running import SMALL, sw


def test_a_pruned_model_predicts_and_keeps_its_accuracy(folder, tmp_path):
    small, figures = tmp_path / "small.npz", tmp_path / "figures.json"
    printed = sw("prune", folder / "model.npz", "norm2", *SMALL, "--output", small, "--json", figures)
    assert "before" in printed and "after" in printed
    found = json.loads(figures.read_text())
    assert found["change"] <= 0.001 and found["after"]["rmse"] <= 2 * found["before"]["rmse"]
    assert Model.load(small).network.layers[-1].inputs == 8 - len(found["addends"])
    model, rows = Model.load(small), np.random.default_rng(0).uniform(0, 1, (50, 2))
    oracle = FixedReference(model.network, model.nodes).predict(model.encode_features(rows))
    assert np.array_equal(Predictor(model).predict(rows), model.decode(oracle))
    sw("predict", small, folder / "norm.csv", "--output", tmp_path / "predicted.csv")


def test_a_formula_is_printed_with_its_score_beside_the_models(folder, tmp_path):
    figures = tmp_path / "figures.json"
    printed = sw("formula", folder / "model.npz", "norm2", *SMALL, "--json", figures)
    found = json.loads(figures.read_text())
    assert all(line in printed for line in found["formula"])
    assert found["of_formula"]["r2"] <= 1 and f"R2 {found['of_formula']['r2']:.5f}" in printed
    assert f"{sum(term['fit']['r2'] < 0.99 for term in found['terms'])} do not fit" in printed


def test_a_deeper_model_is_refused_in_a_line(folder, tmp_path):
    deep = tmp_path / "deep.npz"
    network = Network.chain((2, 2, 2, 1), (4, 4, 4))
    ones = np.ones(2)
    nodes = [np.zeros(layer.shape, np.int64) for layer in network.layers]
    Model(network, Scaling(-ones, ones, -ones[:1], ones[:1]), nodes).save(deep)
    printed = sw("formula", deep, "norm2", *SMALL, code=1)
    assert printed.startswith("error: ") and printed.count("\n") == 1 and "has 3 layers" in printed
