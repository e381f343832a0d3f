import numpy as np
import pytest

from sw.model import Model
from sw.presets.by_size import default_preset
from sw.scaling import Scaling
from sw.spec.nodes import first_nodes


@pytest.mark.parametrize("records", [1, 300, 2_000, 10**7])
@pytest.mark.parametrize(("features", "outputs"), [(1, 1), (10, 3), (1_000, 1)])
def test_there_is_a_network_and_a_legal_schedule_for_any_table(features, outputs, records):
    preset = default_preset(features, outputs, records)
    assert (preset.network.features, preset.network.outputs) == (features, outputs)
    for phase in preset.phases:
        phase.rates.check(preset.network)
    first_nodes(preset.network, np.random.default_rng(0), preset.spreads)


def test_more_records_never_get_a_smaller_network():
    sizes = [default_preset(5, 1, records).network.parameters for records in (10, 1_000, 5_000, 100_000)]
    assert sizes == sorted(sizes)


@pytest.fixture
def crowded():
    rng = np.random.default_rng(1)
    return np.column_stack([rng.uniform(size=500), rng.lognormal(0, 2, 500), np.full(500, 3.0), rng.random(500) < 0.02])


def test_robust_scaling_spreads_crowded_features_and_keeps_the_others(crowded):
    unit = Scaling.robust(crowded, crowded[:, :1]).unit_features(crowded)
    plain = Scaling.of(crowded, crowded[:, :1]).unit_features(crowded)
    assert unit.min() == 0 and unit.max() == 1
    assert np.array_equal(unit[:, [0, 2, 3]], plain[:, [0, 2, 3]])
    assert np.array_equal(np.argsort(unit[:, 1]), np.argsort(crowded[:, 1]))
    assert np.ptp(np.quantile(plain[:, 1], [0.25, 0.75])) < 0.05 < 0.3 < np.ptp(np.quantile(unit[:, 1], [0.25, 0.75]))


def test_robust_scaling_is_the_same_out_of_a_file(crowded, tmp_path):
    preset = default_preset(4, 1, len(crowded))
    scaling = Scaling.robust(crowded, crowded[:, 1:2])
    Model(preset.network, scaling, first_nodes(preset.network, np.random.default_rng(0), preset.spreads)).save(
        tmp_path / "model.npz"
    )
    loaded = Model.load(tmp_path / "model.npz").scaling
    assert np.array_equal(loaded.unit_features(crowded), scaling.unit_features(crowded))
    assert np.array_equal(loaded.unit_targets(crowded[:, 1:2]), scaling.unit_targets(crowded[:, 1:2]))


def test_half_a_range_makes_functions_of_two_segments_linear(crowded):
    targets = crowded[:, :1]
    unit = Scaling.robust(crowded, targets, half_range=True).unit_features(crowded)
    assert np.allclose(unit, Scaling.robust(crowded, targets).unit_features(crowded) / 2)
    assert unit.min() == 0 and unit.max() == 0.5
    beyond = crowded.max(axis=0, keepdims=True) + 1e6
    assert np.allclose(Scaling.robust(crowded, targets, half_range=True).unit_features(beyond)[0, [0, 1, 3]], 0.5)
