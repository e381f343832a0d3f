import numpy as np
import pytest

from sw.engine.conversion import ARITHMETICS, as_floating, compiled_trainer
from sw.engine.ensemble import Member, joined, parted
from sw.model import Model
from sw.presets.by_size import default_preset
from sw.presets.preset import Preset, shaped
from sw.scaling import Scaling
from sw.spec.nodes import first_nodes

SEED = 5
RNG = np.random.default_rng(SEED)
FEATURES = RNG.uniform(-1, 1, (300, 10))
TARGETS = FEATURES[:, :1] + FEATURES[:, 1:2] * FEATURES[:, 2:3]


def first_models(preset: Preset, arithmetic: str, count: int) -> list[Model]:
    rng = np.random.default_rng(SEED)
    models = [
        Model(preset.network, Scaling.robust(FEATURES, TARGETS), first_nodes(preset.network, rng, preset.spreads))
        for _ in range(count)
    ]
    return models if arithmetic == "fixed16" else [as_floating(model) for model in models]


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("hidden", [(12,), (12, 5), (12, 5, 3)], ids=str)
def test_joined_members_predict_their_mean_and_part_again(arithmetic, count, hidden):
    preset = shaped(default_preset(10, 1, 300), (10, *hidden, 1), None)
    models = first_models(preset, arithmetic, count)
    records = compiled_trainer(models[0], arithmetic).encode(models[0].encode(FEATURES, TARGETS))
    weights, rng = np.ones(len(FEATURES)), np.random.default_rng(SEED)
    members = [Member(model, arithmetic, records, np.arange(30), weights, rng) for model in models]
    for _ in range(3):
        for member in members:
            member.train(preset.phases[0].rates)
    one = joined(models[0], members)
    means = np.mean([models[0].decode(member.trainer.results(records.arguments)) for member in members], axis=0)
    trainer = compiled_trainer(one, arithmetic)
    together = one.decode(trainer.predict(one.encode_features(FEATURES)))
    assert np.abs(together - means).max() < 0.01 * TARGETS.std()
    for member, part in zip(members, parted(one, count), strict=True):
        assert part.network == member.model.network
        again = compiled_trainer(part, arithmetic)
        assert np.array_equal(again.parameters, member.trainer.parameters)
        assert np.allclose(part.scaling.target_high, member.model.scaling.target_high, rtol=1e-12)


def test_deep_networks_that_learnt_together_are_not_parted():
    preset = shaped(default_preset(10, 1, 300), (10, 12, 5, 1), None)
    models = first_models(preset, "fixed16", 2)
    records = compiled_trainer(models[0], "fixed16").encode(models[0].encode(FEATURES, TARGETS))
    weights, rng = np.ones(len(FEATURES)), np.random.default_rng(SEED)
    one = joined(models[0], [Member(each, "fixed16", records, np.arange(30), weights, rng) for each in models])
    parted(one, 2)
    one.nodes[1][0, 0, -1] = 1  # between units of different members
    with pytest.raises(ValueError, match="2 networks have learnt together"):
        parted(one, 2)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_joined_members_of_one_layer_are_the_mean_of_their_functions(arithmetic):
    """Parts are the joined network, and predict within a rounding of a node for each function what the members do."""
    preset = shaped(default_preset(10, 1, 300), (10, 1), None)
    models = first_models(preset, arithmetic, 3)
    records = compiled_trainer(models[0], arithmetic).encode(models[0].encode(FEATURES, TARGETS))
    weights, rng = np.ones(len(FEATURES)), np.random.default_rng(SEED)
    members = [Member(model, arithmetic, records, np.arange(30), weights, rng) for model in models]
    for member in members:
        member.train(preset.phases[0].rates)
    one = joined(models[0], members)
    assert one.network == preset.network
    means = np.mean([member.trainer.results(records.arguments) for member in members], axis=0)
    trainer = compiled_trainer(one, arithmetic)
    assert np.abs(means).max() > 1000
    assert np.abs(trainer.predict(one.encode_features(FEATURES)) - means).max() <= (
        10 if arithmetic == "fixed16" else 0.1
    )
    for part in parted(one, 3):
        assert all(map(np.array_equal, part.nodes, one.nodes)) and part.network == one.network
