"""The oracles against the paper, written out longhand, and against each other."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sw.metrics import rmse
from sw.oracle.fixed import FixedReference, update
from sw.oracle.floating import FloatReference, UnquantisedTrainer
from sw.oracle.grid import Places
from sw.spec.chance import FIRST_CHANCE, chance_after, chances, chances_after, next_chance
from sw.spec.network import Layer, Network
from sw.spec.nodes import addend_nodes
from sw.spec.records import Records
from sw.spec.schedule import Phase, Rates
from sw.spec.trainer import Statistics
from tests.cases import KINDS, RATES, faint, ordinary

NETWORK = Network.two_layer(3, 4, (4, 8), outputs=2)
DEEP = Network((Layer(3, 6, 4), Layer(6, 4, 8), Layer(4, 2, 8, gain=0)))
DEEP_RATES = Rates((2, 2), (13, 13))
FINE = replace(NETWORK, fine=4)
ONE = Network((Layer(5, 2, 8, gain=2),))
ONE_RATES = Rates((2,), ())


def test_one_float_update_is_the_papers():
    rng, rate = np.random.default_rng(0), 0.1
    trainer = FloatReference.random(NETWORK, rng, rate)
    inner, outer = trainer.nodes
    x, target = rng.uniform(0, 1, 3), rng.uniform(-1, 1, 2)

    position = x * 4
    i, w = position.astype(int), position % 1
    u = np.array(
        [np.mean([inner[j, i[j], k] * (1 - w[j]) + inner[j, i[j] + 1, k] * w[j] for j in range(3)]) for k in range(4)]
    )
    outer_position = (u + 1) / 2 * 8
    m, v = outer_position.astype(int), outer_position % 1
    y = np.array(
        [np.mean([outer[k, m[k], o] * (1 - v[k]) + outer[k, m[k] + 1, o] * v[k] for k in range(4)]) for o in range(2)]
    )
    d = target - y
    for k in range(4):
        slope = (outer[k, m[k] + 1] - outer[k, m[k]]) * 8 / 2
        delta = d @ slope
        outer[k, m[k]] += rate * d * (1 - v[k])
        outer[k, m[k] + 1] += rate * d * v[k]
        for j in range(3):
            inner[j, i[j], k] += rate * delta * (1 - w[j])
            inner[j, i[j] + 1, k] += rate * delta * w[j]

    assert np.allclose(trainer.predict(x[None]), y)
    trainer.train(Records(x[None], target[None]))
    assert np.allclose(trainer.nodes[0], inner) and np.allclose(trainer.nodes[1], outer)


def test_a_float_domain_grows_to_hold_its_argument():
    trainer = FloatReference(NETWORK, [np.full(layer.shape, 3.0) for layer in NETWORK.layers], (0.1, 0.1))
    trainer.train(Records(np.full((1, 3), 0.5), np.zeros((1, 2))))
    low, high = trainer.domains[1].T
    assert (low == -1).all() and (high > 3).all()


@pytest.mark.parametrize(
    ("network", "rates"), [(NETWORK, RATES), (DEEP, DEEP_RATES), (FINE, Rates((1,), (11,))), (ONE, ONE_RATES)]
)
def test_fixed_point_follows_the_unquantised_network_within_its_rounding(network, rates):
    """Forward: half a unit of each rounding, carried through the steepest segment. One update: a unit for each
    rounding."""
    nodes, records = ordinary(network, 200)
    fixed, unquantised = FixedReference(network, nodes), UnquantisedTrainer(network, nodes)
    scale = unquantised.result_scale
    bound = 0.5
    for layer, form, values in list(zip(network.layers, network.formats, nodes, strict=True))[1:]:
        steepest = np.abs(np.diff(values, axis=1)).max() / 2**form.offset_bits
        bound = 0.5 + bound * layer.inputs * steepest * 2.0 ** (form.offset_bits - form.sum_shift)
    assert np.abs(fixed.predict(records.arguments) - scale * unquantised.predict(records.arguments)).max() <= bound

    first = Records(records.arguments[:1], records.targets[:1])
    error = float(np.abs(fixed.predict(first.arguments) - scale * unquantised.predict(first.arguments)).max())
    fixed.train(first, rates)
    unquantised.train(first, rates)
    for before, ours, theirs in zip(nodes, fixed.nodes, unquantised.nodes, strict=True):
        assert np.abs(ours - before).max() > 20  # so that the bound means something
        assert np.abs(ours - theirs).max() <= (2 + error) * len(network.layers) * network.outputs


@pytest.mark.parametrize("shift", [1, 3, 8])
def test_the_step_of_a_single_layer_is_its_residual_shifted(shift):
    """Written out longhand: result, step, and the share of the step that each node takes."""
    nodes, records = ordinary(ONE, 1)
    trainer, form = FixedReference(ONE, nodes), ONE.formats[0]
    (layer,), code, target = nodes, records.arguments[0], records.targets[0]
    segment, weight = code >> form.offset_bits, code % (1 << form.offset_bits)
    for output in range(2):
        total = sum(
            int(layer[j, i, output] * ((1 << form.offset_bits) - w) + layer[j, i + 1, output] * w)
            for j, (i, w) in enumerate(zip(segment, weight, strict=True))
        )
        result = math.floor(Fraction(total, 1 << form.offset_bits) * 4 / 8 + Fraction(1, 2))  # five inputs count as 8
        step = math.floor(Fraction(int(target[output]) - result, 1 << shift) + Fraction(1, 2))
        for j, (i, w) in enumerate(zip(segment, weight, strict=True)):
            right = math.floor(Fraction(step * int(w), 1 << form.offset_bits) + Fraction(1, 2))
            layer[j, i + 1, output] += right
            layer[j, i, output] += step - right
    trainer.train(records, Rates((shift,), ()))
    assert np.array_equal(trainer.nodes[0], layer)


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("outward", [False, True])
def test_an_argument_at_the_end_of_its_domain_is_not_pushed_further(end, outward):
    """It is drawn back in, by the error that it has without a clip; the layer itself is updated in either case."""
    network = Network.two_layer(2, 1, (2, 4), gain=0)
    limit, top = network.word.maximum, 1 << network.formats[0].argument_bits
    slope = np.array([-8000, -4000, 0, 4000, 8000])[None, :, None]  # a larger argument makes a larger result
    target = limit if end == outward else -limit
    records = Records(np.array([[top // 3, top // 5]]), np.array([[target]]))
    moved = []
    for reach in (limit, 30000):  # clipped or not
        inner = np.full(network.layers[0].shape, reach if end else -reach - 1)
        trainer = FixedReference(network, [inner, slope])
        trainer.train(records, Rates((1,), (16,)))
        assert not np.array_equal(trainer.nodes[1], slope)
        moved.append(trainer.nodes[0] - inner)
    clipped, free = moved
    assert np.any(free) and np.array_equal(np.any(clipped), not outward)
    assert outward or np.array_equal(clipped, free)


@pytest.mark.parametrize(("network", "rates"), [(NETWORK, RATES), (DEEP, DEEP_RATES), (ONE, ONE_RATES)])
def test_a_staleness_longer_than_the_pass_is_a_batch(network, rates):
    """No forward pass sees any update; afterwards each has been made, in order, on the nodes the one before left."""
    nodes, records = ordinary(network, 20)
    stale = FixedReference(network, nodes, (99,) * len(network.layers))
    results, statistics = stale.run(records, np.ones(20, dtype=bool), rates)
    assert np.array_equal(results, FixedReference(network, nodes).predict(records.arguments))
    assert statistics.absolute_residual == np.abs(records.targets - results).sum()
    assert any(not np.array_equal(before, after) for before, after in zip(nodes, stale.nodes, strict=True))


def test_a_staleness_of_d_sees_all_but_the_last_d_updates():
    nodes, records = ordinary(NETWORK, 12)
    stale, _ = FixedReference(NETWORK, nodes, (3, 3)).run(records, np.ones(12, dtype=bool), RATES)
    for r in range(4):
        assert np.array_equal(stale[r], FixedReference(NETWORK, nodes).predict(records.arguments[r : r + 1])[0])
    one = FixedReference(NETWORK, nodes)
    one.train(Records(records.arguments[:1], records.targets[:1]), RATES)
    assert np.array_equal(stale[4], one.predict(records.arguments[4:5])[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("network", "rates"), [(NETWORK, RATES), (DEEP, DEEP_RATES), (FINE, RATES), (ONE, ONE_RATES)])
def test_a_prequential_pass_predicts_each_record_and_then_trains_on_it(network, rates, kind):
    """Without staleness it is `predict` and `train`, record by record."""
    nodes, records = KINDS[kind](network, 20)
    whole, single = FixedReference(network, nodes), FixedReference(network, nodes)
    results, statistics = whole.predict_and_train(records, rates)
    alone = Statistics()
    for row, record in enumerate(records.blocks(1)):
        assert np.array_equal(results[row], single.predict(record.arguments)[0])
        alone += single.train(record, rates)
    assert statistics == alone and all(map(np.array_equal, whole.nodes, single.nodes))
    assert whole.chance == single.chance


@pytest.mark.parametrize("kind", KINDS)
def test_a_float_prediction_is_the_result_whose_residual_trains(kind):
    """Domains have grown to hold its arguments; `predict` would limit them instead."""
    nodes, records = KINDS[kind](NETWORK, 20)
    whole, single = UnquantisedTrainer(NETWORK, nodes), UnquantisedTrainer(NETWORK, nodes)
    results, statistics = whole.predict_and_train(records, RATES)
    residuals = [single.train(record, RATES).absolute_residual for record in records.blocks(1)]
    assert np.allclose(np.abs(records.targets / whole.result_scale - results).sum(axis=1), residuals)
    assert statistics.absolute_residual == pytest.approx(sum(residuals))
    assert all(map(np.array_equal, whole.nodes, single.nodes))


def test_a_block_makes_all_updates_before_the_next_ones_predictions():
    nodes, records = ordinary(NETWORK, 20)
    stale, later = FixedReference(NETWORK, nodes, (99, 99), 12), FixedReference(NETWORK, nodes, (99, 99))
    results, _ = stale.predict_and_train(records, RATES)
    later.train(Records(records.arguments[:12], records.targets[:12]), RATES)
    assert np.array_equal(results[:12], FixedReference(NETWORK, nodes).predict(records.arguments[:12]))
    assert np.array_equal(results[12:], later.predict(records.arguments[12:]))


@pytest.mark.parametrize("network", [NETWORK, FINE])
def test_inference_between_records_changes_nothing(network):
    nodes, records = ordinary(network, 30)
    train = np.arange(30) % 3 != 0
    mixed = FixedReference(network, nodes)
    mixed.run(records, train, RATES)
    alone = FixedReference(network, nodes)
    alone.train(Records(records.arguments[train], records.targets[train]), RATES)
    assert all(map(np.array_equal, mixed.nodes, alone.nodes)) and mixed.chance == alone.chance


def test_one_update_with_fine_bits_is_the_rule():
    """Longhand, in exact fractions of a node: a node moves by its share of the step, up if chance says so."""
    nodes, records = ordinary(FINE, 40)
    trainer, word = FixedReference(FINE, nodes), FIRST_CHANCE
    for code, target in zip(records.arguments, records.targets, strict=True):
        inner, outer = trainer.nodes
        trainer.train(Records(code[None], target[None]), RATES)
        word = next_chance(word)
        ring = [word >> place & 1 for place in range(16)]
        hidden, form = FixedReference(FINE, [inner, outer])._forward(code)[0][1], FINE.formats[1]
        error = target - FixedReference(FINE, [inner, outer]).predict(code[None])[0]
        for j, (i, w) in enumerate(zip(hidden.segment, hidden.offset, strict=True)):
            chance = sum(ring[(j + place) % 16] << place for place in range(4))
            for k in range(FINE.outputs):
                step = math.floor(Fraction(int(error[k]), 4) + Fraction(1, 2))
                change = math.floor(step * Fraction(int(w), 1 << form.offset_bits) + Fraction(1, 2))
                moved = trainer.nodes[1][j, i : i + 2, k] - outer[j, i : i + 2, k]
                assert moved[1] == math.floor(Fraction(change + chance, 16))
                assert moved[0] == math.floor(Fraction(step - change + 15 - chance, 16))
    assert word == trainer.chance


def test_chance_keeps_the_mean_of_steps_that_are_smaller_than_a_node():
    """Where steps of a quarter are rounded to the nearest, no node moves; by chance, one in four does."""
    network = Network.two_layer(16, 1, (2, 2))
    nodes = [np.zeros(layer.shape, np.int64) for layer in network.layers]
    records = Records(np.zeros((4000, 16), np.int64), np.zeros((4000, 1), np.int64))
    steps = np.full(1, 4)
    places = Places(np.zeros(16, np.int64), np.zeros(16, np.int64))
    form = replace(network, fine=4).formats[0]
    for word in chances_after(FIRST_CHANCE, len(records)):
        update(form, nodes[0], places, steps, chances(int(word), np.arange(16), 4))
    assert np.allclose(nodes[0][:, 0], 1000, rtol=0.1) and not nodes[0][:, 1].any()


@pytest.mark.parametrize("kind", KINDS)
def test_pretraining_numbers_the_inputs_of_the_whole_network(kind):
    """Each group's records have the words of the pass, and its addends the bits of their own numbers."""
    nodes, records = KINDS[kind](FINE, 30)
    whole = FixedReference(FINE, nodes, pretraining=3)
    whole.pretrain(records, RATES)
    for start, stop in ((0, 3), (3, 4)):
        group = FINE.addend_slice(start, stop)
        assert group.layers[1].first_input == start
        alone = FixedReference(group, addend_nodes(nodes, start, stop))
        alone.train(records, RATES)
        assert all(map(np.array_equal, alone.nodes, addend_nodes(whole.nodes, start, stop)))
        assert alone.chance == whole.chance == chance_after(FIRST_CHANCE, 30)


def test_a_block_ends_with_all_updates_made():
    nodes, records = ordinary(NETWORK, 10)
    blocked, in_turn = FixedReference(NETWORK, nodes, (4, 2), block=5), FixedReference(NETWORK, nodes, (4, 2))
    blocked.train(records, RATES)
    for block in records.blocks(5):
        in_turn.train(block, RATES)
    assert all(map(np.array_equal, blocked.nodes, in_turn.nodes))


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_stay_in_the_word(kind):
    nodes, records = KINDS[kind](NETWORK, 60)
    trainer = FixedReference(NETWORK, nodes)
    statistics = trainer.train(records, RATES)
    assert all(np.abs(layer + 0.5).max() <= 2**15 for layer in trainer.nodes)
    assert kind != "extreme" or statistics.saturations > 0


def test_the_step_of_an_output_is_zero_where_none_of_its_nodes_moves():
    network = Network((Layer(3, 6, 4), Layer(6, 4, 8), Layer(4, 2, 8)))
    nodes, records = faint(network, 60)
    trainer, still = FixedReference(network, nodes), np.zeros(3, int)
    counted = Statistics()
    for record in records.blocks(1):
        before = trainer.nodes
        counted += trainer.train(record, Rates((3, 2), (14, 13)))
        moved = [np.any(a != b, axis=(0, 1)) for a, b in zip(before, trainer.nodes, strict=True)]
        still += [np.count_nonzero(~each) for each in moved]
    assert counted.zero_steps == still.sum() and np.all(still > 5) and not counted.saturations


def test_it_learns():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (1500, 2))
    network = Network.two_layer(2, 8, (8, 8))
    codes = np.rint(x * ((1 << network.formats[0].argument_bits) - 1)).astype(np.int64)
    targets = np.rint(8000 * np.hypot(*x.T)[:, None] - 6000).astype(np.int64)
    nodes, _ = ordinary(network, 0)
    trainer = FixedReference(network, nodes, (4, 2))
    trainer.fit(Records(codes[:1000], targets[:1000]), [Phase(4, RATES)])
    assert rmse(trainer.predict(codes[1000:]), targets[1000:]) < 0.1 * targets.std()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FixedReference(NETWORK, ordinary(NETWORK, 0)[0], (1, 2)), "none larger"),
        (lambda: FixedReference(NETWORK, ordinary(NETWORK, 0)[0], (1,)), "need 2 values"),
        (lambda: Rates((0,), (13,)).check(NETWORK), "update shifts"),
        (lambda: Rates((2,), (13, 13)).check(NETWORK), "back shifts"),
        (lambda: Rates((2,), (25,)).check(NETWORK), "in 9..24"),
    ],
)
def test_bad_parameters_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
