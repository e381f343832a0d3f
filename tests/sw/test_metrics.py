import numpy as np
import pytest
from sklearn.metrics import r2_score

from sw.metrics import Score, pearson, rmse


def cases():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(500, 3)) * [1, 100, 1e-3]
    yield "ordinary", true + rng.normal(size=true.shape) * [0.1, 1, 1e-4], true
    yield "a large mean", true + 1e6 + rng.normal(size=true.shape), true + 1e6
    yield "one record", true[:1], true[1:2]
    yield "a constant prediction", np.full_like(true, 0.1), true
    yield "a constant target", true, np.full_like(true, 0.1)
    yield "perfect", true, true


@pytest.mark.parametrize(("predicted", "true"), [pytest.param(*case[1:], id=case[0]) for case in cases()])
@pytest.mark.parametrize("size", [1, 7, 500])
def test_shard_by_shard_is_all_at_once(predicted, true, size):
    score = Score()
    for start in range(0, len(true), size):
        score.add(predicted[start : start + size], true[start : start + size])
    assert score.records == len(true)
    assert score.pearson == pytest.approx(pearson(predicted, true), abs=1e-9)
    assert score.rmse == pytest.approx(rmse(predicted, true), rel=1e-9, abs=1e-9)
    if len(true) > 1 and (np.ptp(true, axis=0) > 0).all():
        assert score.r2 == pytest.approx(r2_score(true, predicted), rel=1e-9, abs=1e-9)


def test_pearson_is_the_correlation_of_the_worst_output():
    _, predicted, true = next(cases())
    correlations = [np.corrcoef(p, t)[0, 1] for p, t in zip(predicted.T, true.T, strict=True)]
    assert pearson(predicted, true) == pytest.approx(min(correlations))


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1])
def test_a_constant_correlates_with_nothing(value):
    constant, varying = np.full((1000, 1), value), np.random.default_rng(0).normal(size=(1000, 1))
    for predicted, true in ((constant, varying), (varying, constant)):
        score = Score()
        score.add(predicted, true)
        assert score.pearson == pearson(predicted, true) == 0
    assert score.r2 == 0
