"""A learner gives the same bits on every follower: by compiled kernels, and by any trainer in fixed point."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sw.engine.compiled import CompiledFixed
from sw.engine.conversion import as_floating
from sw.online.compiled_follower import CompiledFollower
from sw.online.follower import MakeFollower
from sw.online.learner import Learner
from sw.online.trainer_follower import TrainerFollower
from sw.oracle.fixed import FixedReference
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.schedule import Rates
from sw.spec.trainer import Trainer
from tests.sw.online.streams import DRIFTS, FEATURES, NETWORK, RECORDS, TARGETS, fresh, trained

COMPILED = partial(CompiledFollower, arithmetic="fixed16")


def on(make: Callable[..., Trainer], network: Network = NETWORK, **options: object) -> MakeFollower:
    nodes = random_nodes(network, np.random.default_rng(9))  # a follower sets those of its model
    return partial(TrainerFollower, trainer=make(network, nodes, **options))


def in_pieces(learner: Learner, records: int = RECORDS) -> np.ndarray:
    pieces = np.split(np.arange(records), [1, 2, 9, 140])
    return np.vstack([learner.predict_then_learn(FEATURES[rows], TARGETS[rows]) for rows in pieces])


def check_same(learners: list[Learner], records: int = RECORDS) -> None:
    """Check that learners give the same predictions, see the same drifts, and have the same model in the end."""
    expected, *others = (in_pieces(learner, records) for learner in learners)
    first = learners[0].model
    for learner, found in zip(learners[1:], others, strict=True):
        assert np.array_equal(found, expected)
        assert learner.alarms == learners[0].alarms and learner.learnt == learners[0].learnt
        assert all(map(np.array_equal, learner.model.nodes, first.nodes))
        assert np.array_equal(learner.model.scaling.feature_high, first.scaling.feature_high)


def test_oracle_and_kernels_follow_a_stream_with_the_same_bits():
    learners = [trained(COMPILED), trained(on(FixedReference)), trained(on(CompiledFixed))]
    check_same(learners)
    assert learners[0].alarms and DRIFTS < learners[0].alarms[-1] < DRIFTS + 60


def test_oracle_and_kernels_learn_the_first_records_with_the_same_bits():
    check_same([fresh(COMPILED), fresh(on(FixedReference)), fresh(on(CompiledFixed))], records=70)


def test_a_trainer_with_staleness_and_blocks_is_followed_as_its_oracle():
    learners = [trained(on(each, staleness=(4, 2), block=50)) for each in (FixedReference, CompiledFixed)]
    check_same(learners)
    exact = trained(COMPILED)
    in_pieces(exact)
    assert not all(map(np.array_equal, exact.model.nodes, learners[0].model.nodes))


def test_single_records_on_a_trainer_with_staleness_are_those_of_one_without():
    stale, exact = trained(on(CompiledFixed, staleness=(4, 2))), trained(COMPILED)
    for features, targets in zip(FEATURES[:40], TARGETS[:40], strict=True):
        assert np.array_equal(stale.predict_one(features), exact.predict_one(features))
        if not np.isnan(targets).any():
            assert np.array_equal(stale.learn_one(features, targets), exact.learn_one(features, targets))
    assert np.array_equal(stale.predict(FEATURES), exact.predict(FEATURES))
    assert all(map(np.array_equal, stale.model.nodes, exact.model.nodes))


@pytest.mark.slow
def test_fine_bits_on_a_trainer_follow_the_records_that_are_learnt():
    fine = replace(NETWORK, fine=4)
    learners = [trained(make, fine) for make in (COMPILED, on(FixedReference, fine))]
    check_same(learners)


def test_a_learner_on_the_oracle_can_be_pickled():
    ours = trained(on(FixedReference))
    ours.learn(FEATURES[:30], np.nan_to_num(TARGETS[:30]))
    check_same([ours, pickle.loads(pickle.dumps(ours))], records=70)


@pytest.mark.parametrize(
    "features, targets, error",
    [([0.0, np.nan], [0.0], "finite"), ([0.0, 0.0], [np.inf], "finite"), ([0.0], [0.0], "1 numbers")],
)
def test_what_is_no_record_is_refused_and_changes_nothing(features, targets, error):
    ours = trained(on(FixedReference))
    before = ours.model
    with pytest.raises(ValueError, match=error):
        ours.learn_one(features, targets)
    assert all(map(np.array_equal, ours.model.nodes, before.nodes))


def test_what_a_trainer_cannot_train_is_refused():
    model, rates = trained(COMPILED).model, Rates((2,), (13,))
    other = Network.two_layer(2, 4, (4, 8))
    with pytest.raises(ValueError, match="floating-point model"):
        on(FixedReference)(as_floating(model), rates)
    with pytest.raises(ValueError, match=r"the network 2-8-1 .*; the trainer has 2-4-1"):
        on(FixedReference, other)(model, rates)
    with pytest.raises(ValueError, match="back shift"):
        on(FixedReference)(model, Rates((2,), (99,)))
