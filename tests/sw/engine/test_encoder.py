from dataclasses import replace

import numpy as np
import pytest

from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer
from sw.engine.encoder import Encoder
from sw.model import Model
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes

RNG = np.random.default_rng(7)
FEATURES = np.column_stack(
    [
        RNG.uniform(-1, 1, 500),
        RNG.lognormal(0, 2, 500),
        np.round(RNG.normal(size=500)),
        np.full(500, 3.0),
        1e300 * RNG.uniform(-1, 1, 500),
        np.where(RNG.random(500) < 0.9, 0.0, RNG.normal(size=500)),
    ]
)
TARGETS = np.column_stack([RNG.normal(size=500), np.full(500, -2.0), 1e-30 * RNG.standard_cauchy(500)])
FEW = Scaling.of(FEATURES[:50], TARGETS[:50])
SCALINGS = {
    "ranges": Scaling.of(FEATURES, TARGETS),
    "of few records": FEW,
    "robust": Scaling.robust(FEATURES, TARGETS),
    "half range": Scaling.robust(FEATURES, TARGETS, half_range=True),
}


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("segments", [2, 64])  # of which 64 leave codes that fill an unsigned word
@pytest.mark.parametrize("fine", [0, 4])  # which leave targets less of the word
def test_words_are_those_of_the_model(scaling, arithmetic, segments, fine):
    network = replace(Network.two_layer(6, 8, (segments, 8), outputs=3), fine=fine)
    model = Model(network, SCALINGS[scaling], random_nodes(network, RNG), 3)
    model = model if arithmetic == "fixed16" else as_floating(model)
    trainer = compiled_trainer(model, arithmetic)
    right = trainer.encode(model.encode(FEATURES, TARGETS))
    ours = Encoder(model, trainer).records(FEATURES, TARGETS)
    assert ours.arguments.flat.dtype == right.arguments.flat.dtype and ours.targets.dtype == right.targets.dtype
    assert np.array_equal(ours.arguments.flat, right.arguments.flat)
    assert np.array_equal(ours.targets, right.targets)


def test_any_layout_of_the_features_will_do():
    network = Network.two_layer(6, 8, (2, 8), outputs=3)
    model = Model(network, FEW, random_nodes(network, RNG), 3)
    encoder = Encoder(model, compiled_trainer(model, "fixed16"))
    right = encoder.arguments(FEATURES).rows
    assert np.array_equal(encoder.arguments(np.asfortranarray(FEATURES)).rows, right)
    assert np.array_equal(encoder.arguments(FEATURES[::2]).rows, right[::2])
    assert np.array_equal(encoder.arguments(FEATURES[:, :].astype(object)).rows, right)
