import numpy as np
import pytest
from sklearn.metrics import log_loss

from sw.estimators.calibration import fitted_sharpness, probabilities

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("sharpness", [0.5, 6.0, 30.0])
def test_the_sharpness_that_made_the_classes_is_found(sharpness):
    estimates = RNG.uniform(0, 1, (20_000, 3))
    truth = probabilities(estimates, sharpness)
    classes = (RNG.random(20_000)[:, None] > np.cumsum(truth, axis=1)).sum(axis=1)
    found = fitted_sharpness(estimates, np.eye(3)[classes], np.ones(20_000))
    assert found == pytest.approx(sharpness, rel=0.1)
    assert log_loss(classes, probabilities(estimates, found)) <= log_loss(classes, truth)


def test_a_weight_of_two_is_a_record_twice():
    estimates, targets = RNG.uniform(0, 1, (30, 2)), np.eye(2)[RNG.integers(0, 2, 30)]
    weights = RNG.integers(1, 3, 30)
    twice = np.repeat(np.arange(30), weights)
    assert fitted_sharpness(estimates, targets, weights) == pytest.approx(
        fitted_sharpness(estimates[twice], targets[twice], np.ones(len(twice))), rel=1e-3
    )
