import pickle

import numpy as np
import pytest

from sw.online.forgetting import BLOCK_RECORDS, DETECTORS, Forgetting
from sw.online.learner import FIRST_RECORDS, Learner
from sw.presets.by_size import default_preset
from sw.spec.schedule import Rates
from tests.sw.online.test_learner import learner

RECORDS, DRIFT = 4000, 2500
RNG = np.random.default_rng(4)
FEATURES = RNG.uniform(-1, 1, (RECORDS, 4))
LAW = FEATURES[:, :1] * FEATURES[:, 1:2] + RNG.normal(0, 0.05, (RECORDS, 1))
DRIFTING = np.where(np.arange(RECORDS)[:, None] < DRIFT, LAW, FEATURES[:, 2:3] - 2 * LAW)
RATES = default_preset(4, 1, 10_000).phases[0].rates


def forgetful(detector: str) -> Learner:
    return learner(forgetting=Forgetting(RATES, detector))


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_drift_raises_an_alarm_soon_and_is_followed_faster(detector):
    ours, constant = forgetful(detector), learner()
    errors = [
        np.abs(each.predict_then_learn(FEATURES, DRIFTING) - DRIFTING)[DRIFT:].mean() for each in (ours, constant)
    ]
    alarms = [alarm for alarm in ours.alarms if alarm > DRIFT]
    assert len(alarms) == 1 and alarms[0] <= DRIFT + 10 * BLOCK_RECORDS
    assert errors[0] < 0.9 * errors[1] and not constant.alarms


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_stream_that_stays_as_it_is_raises_no_alarm(detector):
    ours = forgetful(detector)
    ours.learn(FEATURES, LAW)
    assert not ours.alarms


def test_neither_chunks_nor_pickling_make_a_difference():
    whole, singly, pickled = (forgetful("page-hinkley") for _ in range(3))
    predictions = whole.predict_then_learn(FEATURES, DRIFTING)
    for features, targets in zip(FEATURES, DRIFTING, strict=True):
        singly.learn_one(features, targets)
    parts = []
    for start in range(0, RECORDS, 700):
        rows = slice(start, start + 700)
        parts.append(pickled.predict_then_learn(FEATURES[rows], DRIFTING[rows]))
        pickled = pickle.loads(pickle.dumps(pickled))
    assert np.array_equal(np.vstack(parts), predictions) and whole.alarms
    for each in (singly, pickled):
        assert each.alarms == whole.alarms
        assert all(map(np.array_equal, each.model.nodes, whole.model.nodes))


def test_an_alarm_among_the_first_records_ends_them():
    early = FIRST_RECORDS // 2
    targets = np.where(np.arange(RECORDS)[:, None] < early, LAW, FEATURES[:, 2:3] - 2 * LAW)[:FIRST_RECORDS]
    ours, constant = forgetful("page-hinkley"), learner()
    for each in (ours, constant):
        each.learn(FEATURES[:FIRST_RECORDS], targets)
    errors = [
        np.abs(each.predict(FEATURES[-500:]) - (FEATURES[:, 2:3] - 2 * LAW)[-500:]).mean() for each in (ours, constant)
    ]
    assert len(ours.alarms) == 1 and errors[0] < errors[1]


def test_rates_rise_with_an_alarm_and_fall_in_calm():
    ours = Forgetting(Rates((3,), (14,)), "page-hinkley")
    calm = [(ours.observe(0.1), ours.rates.update[0]) for _ in range(2000)]
    assert [shift for _, shift in calm] == sorted(shift for _, shift in calm) and calm[-1] == (False, 6)
    assert ours.observe(10.0) and ours.rates.update[0] == 2
    for _ in range(100):
        ours.observe(10.0)
    assert ours.rates == Rates((3,), (14,))


def test_an_unknown_detector_is_refused():
    with pytest.raises(ValueError, match="'ddm'; the detectors are adwin, page-hinkley"):
        Forgetting(RATES, "ddm")
