"""The compiled machines do what the oracles do: the same bits in fixed point, within rounding in floating point."""

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

from sw.engine.compiled import CompiledFixed, CompiledFloat, CompiledUnquantised
from sw.engine.kernels.layout import MemoryLayout
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import FloatReference, Unquantised, UnquantisedTrainer
from sw.spec.network import Layer, Network
from sw.spec.records import Records
from sw.spec.trainer import Rates, Trainer
from tests.cases import KINDS, ordinary

TWO, FEW, MANY = (Network.two_layer(3, 12, (4, 8), outputs=outputs) for outputs in (1, 2, 6))
DEEP = Network((Layer(3, 12, 4), Layer(12, 5, 8), Layer(5, 2, 8, gain=0)))
DEEPER = Network((Layer(6, 11, 2), Layer(11, 3, 4), Layer(3, 6, 16), Layer(6, 1, 8, gain=0)))
WIDE = Network.two_layer(5, 90, (2, 32), outputs=9)
NETWORKS = {"two": TWO, "few outputs": FEW, "many outputs": MANY, "deep": DEEP, "deeper": DEEPER}


def rates(network: Network, update: int = 2, back: int | None = None) -> Rates:
    layers = len(network.layers) - 1
    return Rates((update,) * layers, (network.width - 3 if back is None else back,) * layers)


def assert_equal(machine: Trainer, oracle: Trainer, records: Records, at: Rates) -> None:
    for _ in range(2):
        assert machine.train(records, at) == oracle.train(records, at)
        assert all(map(np.array_equal, machine.nodes, oracle.nodes))
    assert np.array_equal(machine.predict(records.arguments), oracle.predict(records.arguments))
    assert all(map(np.array_equal, machine.nodes, oracle.nodes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*NETWORKS, "wide"])
@pytest.mark.parametrize("staleness", [0, 1, 3])
def test_fixed_point_is_the_oracles_bit_for_bit(name: str, kind: str, staleness: int) -> None:
    network = NETWORKS.get(name, WIDE)
    nodes, records = KINDS[kind](network, 70)
    late = tuple(max(0, staleness - index // 2) for index in range(len(network.layers)))
    machines = CompiledFixed(network, nodes, late), FixedReference(network, nodes, late)
    assert_equal(*machines, records, rates(network))


@pytest.mark.parametrize("width", [10, 13, 17, 24])
@pytest.mark.parametrize("kind", KINDS)
def test_any_word_length_is_the_oracles(width: int, kind: str) -> None:
    network = replace(DEEP, width=width)
    nodes, records = KINDS[kind](network, 50)
    assert_equal(CompiledFixed(network, nodes), FixedReference(network, nodes), records, rates(network))


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 16), min_size=3, max_size=5),
    segments=st.lists(st.sampled_from([2, 4, 8, 16]), min_size=4, max_size=4),
    gains=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    update=st.integers(1, 8),
    back=st.integers(9, 16),
    kind=st.sampled_from(sorted(KINDS)),
    records=st.integers(1, 12),
)
def test_any_network_is_the_oracles(
    shape: list[int], segments: list[int], gains: list[int], update: int, back: int, kind: str, records: int
) -> None:
    sizes = list(pairwise(shape))
    layers = [Layer(*size, *rest) for size, rest in zip(sizes, zip(segments, gains, strict=True), strict=False)]
    try:
        network = Network((*layers[:-1], replace(layers[-1], gain=0)))
    except ValueError:  # a gain that leaves no rounding shift
        return
    nodes, some = KINDS[kind](network, records)
    assert_equal(CompiledFixed(network, nodes), FixedReference(network, nodes), some, rates(network, update, back))


def test_blocks_end_with_all_updates_made() -> None:
    nodes, records = ordinary(TWO, 50)
    machines = CompiledFixed(TWO, nodes, (4, 2), 20), FixedReference(TWO, nodes, (4, 2), 20)
    assert_equal(*machines, records, rates(TWO))


def test_without_counting_only_the_counts_are_missing() -> None:
    nodes, records = KINDS["extreme"](TWO, 60)
    counting, silent = CompiledFixed(TWO, nodes), CompiledFixed(TWO, nodes, counting=False)
    full, bare = counting.train(records, rates(TWO)), silent.train(records, rates(TWO))
    assert full.saturations and full.clips and not bare.saturations and not bare.clips
    assert (full.records, full.absolute_residual) == (bare.records, bare.absolute_residual)
    assert all(map(np.array_equal, counting.nodes, silent.nodes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [TWO, MANY], ids=["one output", "many"])
def test_groups_train_as_if_each_were_alone(network: Network, kind: str) -> None:
    nodes, records = KINDS[kind](network, 60)
    together = CompiledFixed(network, nodes, groups=(0, 5, 6))
    twin = CompiledUnquantised(network, nodes, groups=(0, 5, 6), word=np.float64)
    for machine in (together, twin):
        machine.train(records, rates(network))
    for start, stop in ((0, 5), (5, 6), (6, 12)):
        part, own = network.part(stop - start), [nodes[0][:, :, start:stop], nodes[1][start:stop]]
        alone, twin_alone = FixedReference(part, own), UnquantisedTrainer(part, own)
        for oracle in (alone, twin_alone):
            oracle.train(records, rates(network))
        for machine, oracle in ((together, alone), (twin, twin_alone)):
            inner, outer = machine.nodes
            tolerance = 0 if oracle is alone else 1e-6
            np.testing.assert_allclose(inner[:, :, start:stop], oracle.nodes[0], rtol=0, atol=tolerance)
            np.testing.assert_allclose(outer[start:stop], oracle.nodes[1], rtol=0, atol=tolerance)


@pytest.mark.parametrize("addends", [5, 6])
@pytest.mark.parametrize("network", [TWO, MANY], ids=["one output", "many"])
def test_pretraining_is_the_oracles(network: Network, addends: int) -> None:
    """Delays and blocks, too; then training."""
    nodes, records = KINDS["extreme"](network, 60)
    machine = CompiledFixed(network, nodes, (4, 2), 25, pretraining=addends)
    oracle = FixedReference(network, nodes, (4, 2), 25, pretraining=addends)
    twin = UnquantisedTrainer(network, nodes, pretraining=addends)
    groups = tuple(range(0, network.layers[-1].inputs, addends))
    compiled_twin = CompiledUnquantised(network, nodes, groups=groups, word=np.float64)
    assert machine.pretrain(records, rates(network)) == oracle.pretrain(records, rates(network))
    assert machine.train(records, rates(network)) == oracle.train(records, rates(network))
    ours, theirs = twin.pretrain(records, rates(network)), compiled_twin.train(records, rates(network))
    assert ours.records == theirs.records and ours.absolute_residual == pytest.approx(theirs.absolute_residual)
    for pair, tolerance in (((machine, oracle), 0), ((twin, compiled_twin), 1e-6)):
        for one, other in zip(*(each.nodes for each in pair), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    np.testing.assert_allclose(twin.domains[1], compiled_twin.domains[1])


def test_a_deep_network_has_no_groups() -> None:
    with pytest.raises(ValueError, match="3 layers"):
        CompiledFixed(DEEP, ordinary(DEEP, 0)[0], groups=(0, 4))


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
        machine = CompiledFloat(network, oracle.nodes, oracle.domains, oracle.learning_rates, word=word)
        records = unit_records(network, count)
        ours, theirs = machine.train(records, rates(network)), oracle.train(records)
        assert ours.records == theirs.records
        np.testing.assert_allclose(ours.absolute_residual, theirs.absolute_residual, rtol=tolerance)
        assert any(domain.max() > 1 for domain in oracle.domains[1:])
        for mine, law in zip(machine.nodes + machine.domains, oracle.nodes + oracle.domains, strict=True):
            np.testing.assert_allclose(mine, law, rtol=tolerance, atol=tolerance)
        predicted = machine.predict(records.arguments), oracle.predict(records.arguments)
        np.testing.assert_allclose(*predicted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_twin_is_the_oracles(name: str) -> None:
    network = NETWORKS[name]
    nodes, records = ordinary(network, 40)
    machine, oracle = CompiledUnquantised(network, nodes, word=np.float64), UnquantisedTrainer(network, nodes)
    for at in (rates(network), rates(network, 3)):
        machine.train(records, at)
        oracle.train(records, at)
    for mine, law in zip(machine.nodes + machine.domains, oracle.nodes + oracle.domains, strict=True):
        np.testing.assert_allclose(mine, law, rtol=1e-9, atol=1e-6)
    scaled = Unquantised(network).result_scale * oracle.predict(records.arguments)
    np.testing.assert_allclose(machine.predict(records.arguments), scaled, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_nodes_lie_apart_from_each_other(network: Network) -> None:
    for lanes_of, row in ((np.int16, (0,)), (np.float64, (0, 0))):
        layout = MemoryLayout(network, lanes_of, row)
        rows, pairs = np.zeros(layout.rows, int), np.zeros(layout.pairs, int)
        for view in layout.views(rows, pairs):
            view += 1
        assert rows.max(initial=1) == pairs.max(initial=1) == 1
        assert rows.sum() + pairs.sum() == network.parameters


PROCESSORS = {"no vectors but SSE2": ("generic", ""), "AVX2": ("x86-64-v3", "+avx,+avx2,+fma,+bmi,+bmi2")}
PROGRAM = """
import numpy as np
from sw.engine.compiled import CompiledFixed, CompiledUnquantised
from sw.spec.trainer import Rates
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import UnquantisedTrainer
from tests.cases import KINDS
from tests.sw.engine.test_compiled import DEEP, MANY, rates
for network in (DEEP, MANY):
    for kind in KINDS:
        nodes, records = KINDS[kind](network, 40)
        machine, oracle = CompiledFixed(network, nodes), FixedReference(network, nodes)
        assert machine.train(records, rates(network)) == oracle.train(records, rates(network))
        assert all(map(np.array_equal, machine.nodes, oracle.nodes))
    twin, law = CompiledUnquantised(network, nodes, word=np.float64), UnquantisedTrainer(network, nodes)
    twin.train(records, rates(network))
    law.train(records, rates(network))
    assert all(np.allclose(mine, theirs) for mine, theirs in zip(twin.nodes, law.nodes))
print("equal")
"""


@pytest.mark.parametrize("processor", PROCESSORS)
def test_processors_without_our_instructions_get_the_same_bits(processor: str) -> None:
    name, features = PROCESSORS[processor]
    environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "equal", done.stderr[-2000:]
