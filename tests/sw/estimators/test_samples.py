import numpy as np
import pytest

from sw.engine.order import visits
from sw.estimators.samples import MOST_VISITS, Samples

RNG = np.random.default_rng(1)
FEATURES, TARGETS = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 1))


def test_repeated_samples_are_the_same_as_weights():
    counts = RNG.integers(0, 4, 50)
    repeated = Samples.of(
        np.repeat(FEATURES, counts, axis=0), np.repeat(TARGETS, counts, axis=0), np.ones(counts.sum())
    )
    order = RNG.permutation(50)
    weighted = Samples.of(FEATURES[order], TARGETS[order], counts[order].astype(float))
    for name in ("features", "targets", "weights"):
        assert np.array_equal(getattr(repeated, name), getattr(weighted, name))
    assert weighted.epoch_visits == len(weighted.expanded()[0]) == counts.sum()


def test_zero_has_one_sign():
    samples = Samples.of(np.array([[0.0], [-0.0]]), np.ones((2, 1)), np.ones(2))
    assert len(samples) == 1 and samples.weights.tolist() == [2]


@pytest.mark.parametrize("scale", [1e-9, 0.3, MOST_VISITS * 1000])
def test_weights_that_are_no_counts_have_a_mean_of_one(scale):
    samples = Samples.of(FEATURES, TARGETS, scale * np.arange(1, 51))
    assert samples.weights.mean() == pytest.approx(1)
    assert samples.weights.max() / samples.weights.min() == pytest.approx(50)


def test_fractions_are_visited_in_proportion():
    weights = RNG.uniform(0, 2, 50)
    counts = sum(np.bincount(visits(weights, offset), minlength=50) for offset in RNG.random(2000))
    assert np.abs(counts / 2000 - weights).max() < 0.05
