import numpy as np
import pytest

from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer
from sw.model import Model
from sw.online.widening import LEAST_STEP, outside, widened, widened_for
from sw.presets.by_size import default_preset
from sw.presets.preset import shaped
from sw.scaling import Scaling
from sw.spec.nodes import first_nodes

RNG = np.random.default_rng(3)
FEATURES = RNG.uniform(-1, 1, (200, 4))
TARGETS = FEATURES[:, :1] * FEATURES[:, 1:2]


def model(arithmetic: str, features: np.ndarray = FEATURES, *, half_range: bool = False) -> Model:
    preset = shaped(default_preset(4, 1, 10_000), (4, 16, 1), (2, 32))
    nodes = first_nodes(preset.network, np.random.default_rng(3), preset.spreads)
    scaling = Scaling.robust(features, TARGETS, half_range=half_range)
    made = Model(preset.network, scaling, nodes, preset.headroom)
    return made if arithmetic == "fixed16" else as_floating(made)


def predicted(model: Model, arithmetic: str, features: np.ndarray) -> np.ndarray:
    return model.decode(compiled_trainer(model, arithmetic).predict(model.encode_features(features)))


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("kind", ["uniform", "crowded", "half range"])
@pytest.mark.parametrize("value", [1.3, -1.3, 50.0, -1e12])
def test_a_wider_model_is_what_it_was_inside(arithmetic, kind, value):
    features = FEATURES**5 if kind == "crowded" else FEATURES
    before = model(arithmetic, features, half_range=kind == "half range")
    record = features[0].copy()
    record[2] = value
    after = widened(before, record, TARGETS[0])
    # The first functions are straight lines, which any nodes can say, where the scaling has no knots.
    moved = np.abs(predicted(after, arithmetic, features) - predicted(before, arithmetic, features))
    assert moved.max() < (0.25 if kind == "crowded" else 0.02) * TARGETS.std()


def test_a_range_grows_beyond_the_value_but_to_twice_its_width_at_most():
    before = model("fixed16")
    low, high = before.scaling.feature_low[0], before.scaling.feature_high[0]
    record = FEATURES[0].copy()
    grown = []
    for value in (high + 1e-6, high + 0.5, 1e300):
        record[0] = value
        after = widened(before, record, TARGETS[0]).scaling
        assert after.feature_low[0] == low and np.array_equal(after.feature_high[1:], before.scaling.feature_high[1:])
        grown.append((after.feature_high[0] - high) / (high - low))
    assert grown[0] == pytest.approx(LEAST_STEP) and grown[2] == pytest.approx(1)
    assert high + 0.5 < high + grown[1] * (high - low) < high + 1


def test_a_constant_feature_gets_the_range_of_its_second_value():
    features = FEATURES.copy()
    features[:, 3] = 7.0
    record = features[0].copy()
    record[3] = -1e9
    before = model("fixed16", features)
    after = widened(before, record, TARGETS[0])
    assert after.scaling.feature_low[3] <= -1e9 and after.scaling.feature_high[3] == 7.0
    assert np.array_equal(predicted(after, "fixed16", features), predicted(before, "fixed16", features))


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_target_that_the_word_cannot_hold_doubles_its_range(arithmetic):
    before = model(arithmetic)
    reach = (before.scaling.target_high - before.scaling.target_low)[0] / 2
    held, too_large = (before.scaling.target_low + factor * reach * 2**before.headroom for factor in (0.9, 1.3))
    assert not outside(before, FEATURES[:1], held[None]).any() and outside(before, FEATURES[:1], too_large[None]).all()
    after = widened(before, FEATURES[0], too_large)
    assert (after.scaling.target_high - after.scaling.target_low)[0] == pytest.approx(4 * reach)
    moved = np.abs(predicted(after, arithmetic, FEATURES) - predicted(before, arithmetic, FEATURES))
    assert moved.max() < 0.01 * TARGETS.std()


def test_the_largest_numbers_are_no_trouble():
    wild = np.array([1e308, -1e308, 1.7e308, 0.0])
    after = widened_for(model("fixed16"), np.tile([wild, -wild], (1100, 1)), np.full((2200, 1), 1e308))
    assert np.isfinite(predicted(after, "fixed16", FEATURES)).all()
    assert not outside(after, FEATURES, TARGETS).any()


def test_a_model_that_holds_the_records_stays_as_it_is():
    before = model("fixed16")
    assert widened_for(before, FEATURES, TARGETS) is before
