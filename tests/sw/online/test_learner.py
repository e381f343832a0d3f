import pickle
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sw.engine.conversion import ARITHMETICS, as_floating
from sw.model import Model
from sw.online.compiled_follower import CompiledFollower
from sw.online.forgetting import Forgetting
from sw.online.learner import FIRST_RECORDS, Learner
from sw.presets.by_size import default_preset
from sw.presets.preset import shaped
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import first_nodes
from sw.spec.schedule import Rates

RECORDS = FIRST_RECORDS + 200
RNG = np.random.default_rng(3)
FEATURES = RNG.uniform(-1, 1, (RECORDS, 4))
TARGETS = FEATURES[:, :1] * FEATURES[:, 1:2]
FEATURES[[300, FIRST_RECORDS + 50, FIRST_RECORDS + 51], 2] = 1.7, -2.2, 40.0
TARGETS[FIRST_RECORDS + 90] = 1e3


def learner(arithmetic: str = "fixed16", forgetting: Forgetting | None = None) -> Learner:
    preset = shaped(default_preset(4, 1, 10_000), (4, 16, 1), (2, 32))
    nodes = first_nodes(preset.network, np.random.default_rng(3), preset.spreads)
    model = Model(preset.network, Scaling.robust(FEATURES[:1], TARGETS[:1]), nodes, preset.headroom)
    model = model if arithmetic == "fixed16" else as_floating(model)
    make_follower = partial(CompiledFollower, arithmetic=arithmetic)
    return Learner(model, make_follower, preset.phases[0].rates, forgetting=forgetting)


def in_chunks(learner: Learner, targets: np.ndarray, size: int) -> np.ndarray:
    rows = [slice(start, start + size) for start in range(0, RECORDS, size)]
    return np.vstack([learner.predict_then_learn(FEATURES[each], targets[each]) for each in rows])


def same_nodes(a: Learner, b: Learner) -> bool:
    return all(map(np.array_equal, a.model.nodes, b.model.nodes))


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_each_record_is_predicted_before_it_is_trained_on(arithmetic):
    whole, singly, in_passes = (learner(arithmetic) for _ in range(3))
    predictions = whole.predict_then_learn(FEATURES, TARGETS)
    for row, (features, targets) in enumerate(zip(FEATURES, TARGETS, strict=True)):
        assert np.array_equal(in_passes.predict(features[None])[0], predictions[row])
        assert np.array_equal(singly.predict_one(features.tolist()), predictions[row])
        assert np.array_equal(singly.learn_one(features.tolist(), targets.tolist()), predictions[row])
        in_passes.learn(features[None], targets[None])
    assert same_nodes(whole, singly) and same_nodes(whole, in_passes)
    late = np.abs(predictions - TARGETS)[FIRST_RECORDS - 200 : FIRST_RECORDS]
    assert late.mean() < 0.2 * np.abs(TARGETS[:FIRST_RECORDS]).mean()


def test_records_without_a_target_are_predicted_and_teach_nothing():
    targets = np.where(np.arange(RECORDS)[:, None] % 3 == 1, np.nan, TARGETS)
    known = ~np.isnan(targets[:, 0])
    with_gaps, without = learner(), learner()
    predictions = in_chunks(with_gaps, targets, 70)
    assert np.array_equal(predictions[known], without.predict_then_learn(FEATURES[known], targets[known]))
    assert same_nodes(with_gaps, without) and np.isfinite(predictions).all()


def test_a_learner_that_was_pickled_goes_on_as_the_other():
    ours = learner()
    ours.learn(FEATURES[:700], TARGETS[:700])
    again = pickle.loads(pickle.dumps(ours))
    for each in (ours, again):
        each.learn(FEATURES[700:], TARGETS[700:])
    assert same_nodes(ours, again)


@pytest.mark.parametrize("warm", [0, FIRST_RECORDS])
@pytest.mark.parametrize(
    "features, targets, error",
    [
        ([0.0, np.nan, 0.0, 0.0], [0.0], "finite"),
        ([0.0, np.inf, 0.0, 0.0], [0.0], "finite"),
        ([0.0, 0.0, 0.0, 0.0], [-np.inf], "finite"),
        ([0.0, 0.0, 0.0], [0.0], "3 numbers"),
        ([0.0], [0.0], "1 numbers"),
    ],
)
def test_what_is_no_record_is_refused_and_changes_nothing(features, targets, error, warm):
    ours = learner()
    ours.learn(FEATURES[:warm], TARGETS[:warm])
    before = ours.model
    with pytest.raises(ValueError, match=error):
        ours.learn_one(features, targets)
    if np.isfinite(targets).all():
        with pytest.raises(ValueError, match=error):
            ours.predict_one(features)
    assert all(map(np.array_equal, ours.model.nodes, before.nodes))


def test_features_and_targets_must_be_as_many():
    with pytest.raises(ValueError, match="3 records of features, and 2 of targets"):
        learner().predict_then_learn(FEATURES[:3], TARGETS[:2])


@pytest.mark.slow
def test_fine_bits_follow_the_records_that_are_learnt():
    """Rounding by chance depends on how many records were trained on, not on how they came."""
    network = replace(Network.two_layer(4, 16, (2, 32)), fine=4)
    nodes, scaling = first_nodes(network, np.random.default_rng(3), (0.25, 0.0625)), Scaling.robust(FEATURES, TARGETS)
    model, fixed = Model(network, scaling, nodes, 4), partial(CompiledFollower, arithmetic="fixed16")
    whole, singly = (Learner(model, fixed, Rates((6,), (14,)), trained=True) for _ in range(2))
    targets = np.where(np.arange(300)[:, None] % 3 == 1, np.nan, TARGETS[:300])
    predictions = whole.predict_then_learn(FEATURES[:300], targets)
    for features, target, prediction in zip(FEATURES, targets, predictions, strict=False):
        assert np.array_equal(singly.predict_one(features), prediction)
        if not np.isnan(target).any():
            singly.learn_one(features, target)
    assert same_nodes(whole, singly)


def test_a_record_is_predicted_and_learnt_in_microseconds():
    ours = learner()
    ours.learn(FEATURES[:FIRST_RECORDS], TARGETS[:FIRST_RECORDS])
    features, targets = FEATURES[0].tolist(), TARGETS[0].tolist()
    times = []
    for _ in range(20):
        began = time.thread_time()
        for _ in range(100):
            ours.predict_one(features)
            ours.learn_one(features, targets)
        times.append((time.thread_time() - began) / 100)
    assert min(times) < 100e-6  # about 20 us
