from dataclasses import replace

import numpy as np
import pytest

from sw import datasets
from sw.experiment import Experiment
from sw.metrics import pearson, rmse
from sw.oracle.fixed import FixedReference
from sw.presets import catalogue as presets
from sw.presets.catalogue import BY_NAME
from sw.presets.preset import stretched
from sw.spec.network import Network
from sw.spec.schedule import Phase, Rates


def test_the_hold_out_has_no_part_in_the_scales():
    split = datasets.load("norm2", records=50, holdout=500)
    experiment = Experiment.begin(presets.find("norm2"), split, seed=0)
    assert np.array_equal(experiment.model.scaling.feature_low, split.train.features.min(axis=0))
    assert np.array_equal(experiment.model.scaling.target_high, split.train.targets.max(axis=0))


def test_training_in_the_users_units_beats_a_constant_and_both_floats_agree():
    split = datasets.load("norm2", records=2000, holdout=300)
    experiment = Experiment.begin(presets.find("norm2"), split, seed=0)
    phases = stretched(presets.find("norm2").phases, 8)
    outcome = experiment.run(FixedReference(experiment.model.network, experiment.model.nodes), phases)
    assert outcome.pearson == pytest.approx(pearson(outcome.predicted, split.holdout.targets))
    assert outcome.rmse < 0.2 * split.holdout.targets.std()
    for _, error in (experiment.run_unquantised(phases), experiment.run_float(8, seed=0)):
        assert error < 0.3 * split.holdout.targets.std()
    again = experiment.model.decode(FixedReference(outcome.model.network, outcome.model.nodes).predict(
        outcome.model.encode_features(split.holdout.features)))  # fmt: skip
    assert np.array_equal(again, outcome.predicted)


def test_a_data_set_that_does_not_fit_is_named():
    split = datasets.load("norm4", records=10, holdout=10)
    with pytest.raises(ValueError, match="norm4 has 4 features and 1 target"):
        Experiment.begin(presets.find("norm2"), split, seed=0)


def test_another_network_of_the_same_shape_is_taken():
    split = datasets.load("norm2", records=10, holdout=10)
    network = Network.two_layer(2, 4, (2, 8))
    assert Experiment.begin(presets.find("norm2"), split, seed=0, network=network).model.network == network


@pytest.mark.parametrize("name", BY_NAME)
def test_every_preset_fits_its_data_set(name):
    split = datasets.load(name.removesuffix("-quick"), records=20, holdout=10)
    experiment = Experiment.begin(BY_NAME[name], split, seed=1)
    for phase in BY_NAME[name].phases:
        phase.rates.check(experiment.model.network)
    assert len(BY_NAME[name].spreads) == len(experiment.model.network.layers)


def test_an_unknown_preset_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'norm3'.*norm2, norm4"):
        presets.find("norm3")


@pytest.mark.parametrize(("epochs", "expected"), [(1, [1]), (24, [24]), (25, [24, 1]), (40, [24, 16])])
def test_stretching_keeps_the_order_of_phases(epochs, expected):
    assert [phase.epochs for phase in stretched(presets.find("norm4").phases, epochs)] == expected


def test_a_schedule_begins_with_pretraining_where_there_are_groups():
    preset, network = replace(presets.find("norm2"), pretraining=(2, 3)), presets.find("norm2").network
    assert preset.all_phases(pretraining=False) == preset.phases
    experiment = Experiment.begin(preset, datasets.load("norm2", records=30, holdout=10), seed=0)
    phases = preset.all_phases(pretraining=True)[:2]
    ours = FixedReference(network, experiment.model.nodes, pretraining=2)
    theirs = FixedReference(network, experiment.model.nodes, pretraining=2)
    outcome = experiment.run(ours, phases)
    for _ in range(3):
        theirs.pretrain(experiment.records, preset.phases[0].rates)
    theirs.fit(experiment.records, preset.phases[:1])
    assert all(map(np.array_equal, outcome.model.nodes, theirs.nodes))


def test_no_epochs_are_refused():
    with pytest.raises(ValueError, match="epochs 0 must be a whole number from 1"):
        stretched((Phase(1, Rates((1,), (13,))),), 0)


def test_metrics():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(100, 2))
    assert pearson(3 * true + 1, true) == pytest.approx(1) and rmse(true + 2, true) == pytest.approx(2)
    assert pearson(true * [1, -1], true) == pytest.approx(-1)
    assert pearson(np.zeros((100, 2)), true) == 0
