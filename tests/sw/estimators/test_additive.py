"""Estimators of one layer: additive models."""

import numpy as np
import pytest

from kanloom import NKClassifier, NKRegressor

SEED = 1
FEATURES = np.random.default_rng(SEED).uniform(0, 1, (400, 10))
ADDED = np.sin(6 * FEATURES[:, 0]) + 4 * (FEATURES[:, 1] - 0.5) ** 2 + FEATURES[:, 2]
PRODUCT = (FEATURES[:, 0] - 0.5) * (FEATURES[:, 1] - 0.5)


@pytest.mark.parametrize("arithmetic", ["fixed16", "float32"])
def test_sums_of_functions_are_learnt_and_go_on_and_products_are_not(arithmetic):
    """A joined model is as large as each of its networks."""
    ours = NKRegressor(
        n_models=2, hidden_layer_sizes=(), arithmetic=arithmetic, max_iter=20, warm_start=True, random_state=SEED
    )
    for _ in range(2):
        ours.fit(FEATURES[:300], ADDED[:300])
        (layer,) = ours.model_.network.layers
        assert (layer.inputs, layer.outputs) == (10, 1) and ours.score(FEATURES[300:], ADDED[300:]) > 0.95
    ours.partial_fit(FEATURES[:20], ADDED[:20])
    assert ours.fit(FEATURES[:300], ADDED[:300]).score(FEATURES[300:], ADDED[300:]) > 0.95
    assert ours.set_params(warm_start=False).fit(FEATURES, PRODUCT).score(FEATURES, PRODUCT) < 0.5


def test_a_classifier_adds_up_functions_too():
    labels = np.where(ADDED > np.median(ADDED), "high", "low")
    ours = NKClassifier(n_models=2, hidden_layer_sizes=(), max_iter=20, random_state=SEED)
    assert ours.fit(FEATURES[:300], labels[:300]).score(FEATURES[300:], labels[300:]) > 0.85
