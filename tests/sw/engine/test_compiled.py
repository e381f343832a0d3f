"""The compiled trainers do what the oracles do: the same bits in fixed point, within rounding in floating point."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import binding

from sw.engine.compiled import CompiledFixed, CompiledFloat, CompiledUnquantised
from sw.engine.kernels.layout import MemoryLayout
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import FloatReference, Unquantised, UnquantisedTrainer
from sw.spec.chance import FINE, PERIOD
from sw.spec.network import Layer, Network
from sw.spec.records import Records
from sw.spec.schedule import Rates
from sw.spec.trainer import Trainer
from tests.cases import KINDS, faint, ordinary, rates_of
from tests.slow import slow

TWO, FEW, MANY = (Network.two_layer(3, 12, (4, 8), outputs=outputs) for outputs in (1, 2, 6))
ONE = Network((Layer(5, 3, 8, gain=2),))
DEEP = Network((Layer(3, 12, 4), Layer(12, 5, 8), Layer(5, 2, 8, gain=0)))
DEEPER = Network((Layer(6, 11, 2), Layer(11, 3, 4), Layer(3, 6, 16), Layer(6, 1, 8, gain=0)))
WIDE = Network.two_layer(5, 90, (2, 32), outputs=9)
NETWORKS = {"one layer": ONE, "two": TWO, "few outputs": FEW, "many outputs": MANY, "deep": DEEP, "deeper": DEEPER}


def assert_equal(trainer: Trainer, oracle: Trainer, records: Records, at: Rates) -> None:
    for _ in range(2):
        assert trainer.train(records, at) == oracle.train(records, at)
        assert all(map(np.array_equal, trainer.nodes, oracle.nodes)) and trainer.chance == oracle.chance
    assert np.array_equal(trainer.predict(records.arguments), oracle.predict(records.arguments))
    assert all(map(np.array_equal, trainer.nodes, oracle.nodes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*NETWORKS, "wide"])
@pytest.mark.parametrize("staleness", [0, 1, 3])
@pytest.mark.parametrize("fine", FINE)
def test_fixed_point_is_the_oracles_bit_for_bit(name: str, kind: str, staleness: int, fine: int) -> None:
    network = replace(NETWORKS.get(name, WIDE), fine=fine)
    nodes, records = KINDS[kind](network, 70)
    late = tuple(max(0, staleness - index // 2) for index in range(len(network.layers)))
    trainers = CompiledFixed(network, nodes, late), FixedReference(network, nodes, late)
    assert_equal(*trainers, records, rates_of(network, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("staleness", [0, 3])
@pytest.mark.parametrize("fine", FINE)
def test_predictions_before_updates_are_the_oracles(name: str, kind: str, staleness: int, fine: int) -> None:
    """In blocks, too; and the pass trains as one that keeps no predictions."""
    network = replace(NETWORKS[name], fine=fine)
    nodes, records = KINDS[kind](network, 50)
    late = (staleness,) * len(network.layers)
    trainer, oracle, silent = (
        make(network, nodes, late, 20) for make in (CompiledFixed, FixedReference, CompiledFixed)
    )
    for _ in range(2):
        ours, statistics = trainer.predict_and_train(records, rates_of(network, 2))
        theirs, expected = oracle.predict_and_train(records, rates_of(network, 2))
        assert np.array_equal(ours, theirs)
        assert statistics == expected == silent.train(records, rates_of(network, 2))
        for one, law, other in zip(trainer.nodes, oracle.nodes, silent.nodes, strict=True):
            assert np.array_equal(one, law) and np.array_equal(one, other)
        assert trainer.chance == oracle.chance == silent.chance


@pytest.mark.parametrize(("width", "fine"), [(10, 0), (13, 4), (17, 0), (24, 4)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [ONE, DEEP], ids=["one layer", "deep"])
def test_any_word_length_is_the_oracles(shape: Network, width: int, fine: int, kind: str) -> None:
    network = replace(shape, width=width, fine=fine)
    nodes, records = KINDS[kind](network, 50)
    for back in (width - 3, *network.word.back_shifts[:: width - 1]):
        at = rates_of(network, 2, back)
        assert_equal(CompiledFixed(network, nodes), FixedReference(network, nodes), records, at)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 16), min_size=2, max_size=5),
    segments=st.lists(st.sampled_from([2, 4, 8, 16]), min_size=4, max_size=4),
    gains=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    update=st.integers(1, 8),
    back=st.integers(9, 24),
    kind=st.sampled_from(sorted(KINDS)),
    records=st.integers(1, 12),
    fine=st.sampled_from(FINE),
    first=st.integers(1, PERIOD),
)
def test_any_network_is_the_oracles(
    shape: list[int],
    segments: list[int],
    gains: list[int],
    update: int,
    back: int,
    kind: str,
    records: int,
    fine: int,
    first: int,
) -> None:
    sizes = list(pairwise(shape))
    layers = [Layer(*size, *rest) for size, rest in zip(sizes, zip(segments, gains, strict=True), strict=False)]
    try:
        network = Network((*layers[:-1], replace(layers[-1], gain=0)), fine=fine)
    except ValueError:  # a gain that leaves no rounding shift
        return
    nodes, some = KINDS[kind](network, records)
    trainer, oracle = CompiledFixed(network, nodes), FixedReference(network, nodes)
    trainer.chance = oracle.chance = first
    assert_equal(trainer, oracle, some, rates_of(network, update, back))


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if len(network.layers) > 1])
@pytest.mark.parametrize("staleness", [0, 3])
def test_clipped_arguments_are_the_oracles(name: str, staleness: int) -> None:
    """Sums with a large gain reach both ends of the domain, while errors and slopes are of both signs."""
    network = NETWORKS[name]
    layers = (*(replace(layer, gain=4) for layer in network.layers[:-1]), network.layers[-1])
    nodes, records = ordinary(network := replace(network, layers=layers), 70)
    late = (staleness,) * len(layers)
    trainer, oracle = CompiledFixed(network, nodes, late), FixedReference(network, nodes, late)
    assert_equal(trainer, oracle, records, rates_of(network, 2))
    assert oracle.train(records, rates_of(network, 2)).clips > len(records)


@pytest.mark.parametrize("network", [TWO, MANY], ids=["pairs", "rows"])
@pytest.mark.parametrize("back", range(16, 25))
def test_the_largest_product_of_error_and_slope_is_shifted_exactly(network: Network, back: int) -> None:
    word, (inner, outer) = network.word, network.layers
    odd = np.arange(outer.nodes)[None, :, None] % 2
    record = np.zeros((1, network.features), np.int64)
    for even in (word.minimum, word.maximum):  # at which the arguments are
        values = np.broadcast_to(np.where(odd, -1 - even, even), outer.shape)
        nodes, records = (
            [np.zeros(inner.shape, np.int64), values],
            Records(record, np.full((1, network.outputs), ~even)),
        )
        trainer, oracle = CompiledFixed(network, nodes), FixedReference(network, nodes)
        assert trainer.train(records, rates_of(network, 2, back)) == oracle.train(records, rates_of(network, 2, back))
        assert np.any(oracle.nodes[0]) and all(map(np.array_equal, trainer.nodes, oracle.nodes))


def test_blocks_end_with_all_updates_made() -> None:
    nodes, records = ordinary(TWO, 50)
    trainers = CompiledFixed(TWO, nodes, (4, 2), 20), FixedReference(TWO, nodes, (4, 2), 20)
    assert_equal(*trainers, records, rates_of(TWO, 2))


@pytest.mark.parametrize("name", ["two", "many outputs", "deeper"])
def test_zero_steps_are_the_oracles(name: str) -> None:
    network = NETWORKS[name]
    nodes, records = faint(network, 70)
    for update in (1, 2, 5, 8):
        trainer, oracle = CompiledFixed(network, nodes), FixedReference(network, nodes)
        assert_equal(trainer, oracle, records, rates_of(network, update))
        assert oracle.train(records, rates_of(network, update)).zero_steps > 20


@pytest.mark.parametrize("update", [1, 2, 5, 8])
def test_zero_steps_of_a_single_layer_are_the_oracles(update: int) -> None:
    nodes, records = faint(ONE, 600)
    trainer, oracle = CompiledFixed(ONE, nodes), FixedReference(ONE, nodes)
    statistics = trainer.train(records, rates_of(ONE, update))
    assert statistics == oracle.train(records, rates_of(ONE, update)) and statistics.zero_steps > 20


def test_without_counting_only_the_counts_are_missing() -> None:
    nodes, records = KINDS["extreme"](TWO, 60)
    counting, silent = CompiledFixed(TWO, nodes), CompiledFixed(TWO, nodes, counting=False)
    full, bare = counting.train(records, rates_of(TWO, 2)), silent.train(records, rates_of(TWO, 2))
    assert full.saturations and full.clips and not (bare.saturations or bare.clips or bare.zero_steps)
    assert (full.records, full.absolute_residual) == (bare.records, bare.absolute_residual)
    assert all(map(np.array_equal, counting.nodes, silent.nodes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [TWO, MANY, replace(TWO, fine=4)], ids=["one output", "many", "fine"])
def test_groups_train_as_if_each_were_alone(network: Network, kind: str) -> None:
    nodes, records = KINDS[kind](network, 60)
    together = CompiledFixed(network, nodes, groups=(0, 5, 6))
    unquantised = CompiledUnquantised(network, nodes, groups=(0, 5, 6), word=np.float64)
    for trainer in (together, unquantised):
        trainer.train(records, rates_of(network, 2))
    for start, stop in ((0, 5), (5, 6), (6, 12)):
        group, own = network.addend_slice(start, stop), [nodes[0][:, :, start:stop], nodes[1][start:stop]]
        alone, alone_unquantised = FixedReference(group, own), UnquantisedTrainer(group, own)
        for oracle in (alone, alone_unquantised):
            oracle.train(records, rates_of(network, 2))
        for trainer, oracle in ((together, alone), (unquantised, alone_unquantised)):
            inner, outer = trainer.nodes
            tolerance = 0 if oracle is alone else 1e-6
            np.testing.assert_allclose(inner[:, :, start:stop], oracle.nodes[0], rtol=0, atol=tolerance)
            np.testing.assert_allclose(outer[start:stop], oracle.nodes[1], rtol=0, atol=tolerance)


@pytest.mark.parametrize("addends", [5, 6])
@pytest.mark.parametrize("network", [TWO, MANY, replace(TWO, fine=4)], ids=["one output", "many", "fine"])
def test_pretraining_is_the_oracles(network: Network, addends: int) -> None:
    """With staleness and blocks, too; then training."""
    nodes, records = KINDS["extreme"](network, 60)
    trainer = CompiledFixed(network, nodes, (4, 2), 25, pretraining=addends)
    oracle = FixedReference(network, nodes, (4, 2), 25, pretraining=addends)
    unquantised = UnquantisedTrainer(network, nodes, pretraining=addends)
    groups = tuple(range(0, network.layers[-1].inputs, addends))
    compiled_unquantised = CompiledUnquantised(network, nodes, groups=groups, word=np.float64)
    assert trainer.pretrain(records, rates_of(network, 2)) == oracle.pretrain(records, rates_of(network, 2))
    assert trainer.train(records, rates_of(network, 2)) == oracle.train(records, rates_of(network, 2))
    assert trainer.chance == oracle.chance
    ours, theirs = (
        unquantised.pretrain(records, rates_of(network, 2)),
        compiled_unquantised.train(records, rates_of(network, 2)),
    )
    assert ours.records == theirs.records and ours.absolute_residual == pytest.approx(theirs.absolute_residual)
    for pair, tolerance in (((trainer, oracle), 0), ((unquantised, compiled_unquantised), 1e-6)):
        for one, other in zip(*(each.nodes for each in pair), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    np.testing.assert_allclose(unquantised.domains[1], compiled_unquantised.domains[1])


@pytest.mark.parametrize("staleness", [0, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_preparing_changes_nothing(name: str, staleness: int) -> None:
    """Before training and between passes."""
    network = NETWORKS[name]
    nodes, records = KINDS["extreme"](network, 40)
    late = (staleness,) * len(network.layers)
    pairs = [
        [make() for _ in range(2)]
        for make in (
            lambda: CompiledFixed(network, nodes, late),
            lambda: CompiledUnquantised(network, nodes, word=np.float64),
        )
    ]
    for prepared, other in pairs:
        for _ in range(2):
            prepared.prepare()
            assert np.array_equal(prepared.parameters, other.parameters)
            assert prepared.train(records, rates_of(network, 2)) == other.train(records, rates_of(network, 2))
        assert np.array_equal(prepared.parameters, other.parameters)


@pytest.mark.parametrize("kind", [CompiledFixed, CompiledUnquantised])
def test_an_array_that_cannot_hold_the_results_is_refused(kind: type) -> None:
    nodes, records = ordinary(FEW, 5)
    trainer = kind(FEW, nodes)
    for shape in ((4, 2), (5, 1), (6, 2), (5,)):
        with pytest.raises(ValueError, match=r"the records have \(5, 2\)"):
            trainer.run(trainer.encode(records), rates_of(FEW, 2), np.zeros(shape))


@pytest.mark.parametrize(("network", "has"), [(ONE, "1 layer"), (DEEP, "3 layers")])
def test_only_a_network_of_two_layers_has_groups(network: Network, has: str) -> None:
    with pytest.raises(ValueError, match=f"has {has}; only a network of 2 has addends"):
        CompiledFixed(network, ordinary(network, 0)[0], groups=(0, 4))


def unit_records(network: Network, count: int) -> Records:
    rng = np.random.default_rng(1)
    return Records(rng.uniform(0, 1, (count, network.features)), rng.uniform(-1, 1, (count, network.outputs)))


@pytest.mark.parametrize("name", NETWORKS)
def test_floating_point_is_the_oracle_within_rounding(name: str) -> None:
    """Domains grow, too. Differences multiply from record to record: a few of them in single, more in double."""
    network = NETWORKS[name]
    for word, count, tolerance in ((np.float64, 4, 1e-7), (np.float32, 2, 1e-3)):
        oracle = FloatReference.random(network, np.random.default_rng(0), 0.02)
        oracle.nodes = [2 * nodes for nodes in oracle.nodes]
        trainer = CompiledFloat(network, oracle.nodes, oracle.domains, oracle.learning_rates, word=word)
        records = unit_records(network, count)
        (mine, ours), (law, theirs) = (
            each.predict_and_train(records, rates_of(network, 2)) for each in (trainer, oracle)
        )
        assert ours.records == theirs.records
        np.testing.assert_allclose(ours.absolute_residual, theirs.absolute_residual, rtol=tolerance)
        np.testing.assert_allclose(mine, law, rtol=tolerance, atol=tolerance)
        assert any(domain.max() > 1 for domain in oracle.domains[1:]) == (len(network.layers) > 1)
        for mine, law in zip(trainer.nodes + trainer.domains, oracle.nodes + oracle.domains, strict=True):
            np.testing.assert_allclose(mine, law, rtol=tolerance, atol=tolerance)
        predicted = trainer.predict(records.arguments), oracle.predict(records.arguments)
        np.testing.assert_allclose(*predicted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_unquantised_trainer_is_the_oracles(name: str) -> None:
    network = NETWORKS[name]
    nodes, records = ordinary(network, 40)
    trainer, oracle = CompiledUnquantised(network, nodes, word=np.float64), UnquantisedTrainer(network, nodes)
    for at in (rates_of(network, 2), rates_of(network, 3)):
        (ours, _), (theirs, _) = (each.predict_and_train(records, at) for each in (trainer, oracle))
        np.testing.assert_allclose(ours, oracle.result_scale * theirs, rtol=1e-9, atol=1e-6)
    for mine, law in zip(trainer.nodes + trainer.domains, oracle.nodes + oracle.domains, strict=True):
        np.testing.assert_allclose(mine, law, rtol=1e-9, atol=1e-6)
    scaled = Unquantised(network).result_scale * oracle.predict(records.arguments)
    np.testing.assert_allclose(trainer.predict(records.arguments), scaled, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_nodes_do_not_overlap(network: Network) -> None:
    for lanes_of, row in ((np.int16, (0,)), (np.float64, (0, 0))):
        layout = MemoryLayout(network, lanes_of, row)
        rows, pairs = np.zeros(layout.rows, int), np.zeros(layout.pairs, int)
        for view in layout.views(rows, pairs):
            view += 1
        assert rows.max(initial=1) == pairs.max(initial=1) == 1
        assert rows.sum() + pairs.sum() == network.parameters


HOST = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
PROCESSORS = {
    "no vectors but SSE2": ("generic", ""),
    "AVX2": ("x86-64-v3", "+avx,+avx2,+fma,+bmi,+bmi2"),
    "a fast gather": (HOST[0], f"{HOST[1]},+avx512fp16"),
}
PROGRAM = """
import numpy as np
from sw.engine.compiled import CompiledFixed, CompiledUnquantised
from sw.spec.schedule import Rates
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import UnquantisedTrainer
from tests.cases import KINDS
from tests.slow import slow
from tests.cases import rates_of
from tests.sw.engine.test_compiled import DEEP, MANY, ONE
for network in (ONE, DEEP, MANY):
    for kind in KINDS:
        nodes, records = KINDS[kind](network, 40)
        machine, oracle = CompiledFixed(network, nodes), FixedReference(network, nodes)
        assert machine.train(records, rates_of(network, 2)) == oracle.train(records, rates_of(network, 2))
        assert all(map(np.array_equal, machine.nodes, oracle.nodes))
    twin, law = CompiledUnquantised(network, nodes, word=np.float64), UnquantisedTrainer(network, nodes)
    twin.train(records, rates_of(network, 2))
    law.train(records, rates_of(network, 2))
    assert all(np.allclose(mine, theirs) for mine, theirs in zip(twin.nodes, law.nodes))
print("equal")
"""


@pytest.mark.parametrize("processor", ["no vectors but SSE2", slow("AVX2"), slow("a fast gather")])
def test_other_processors_get_the_same_bits(processor: str) -> None:
    if processor == "a fast gather" and "+avx512bw" not in HOST[1]:
        pytest.skip("the instruction is of AVX-512")
    name, features = PROCESSORS[processor]
    environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "equal", done.stderr[-2000:]
