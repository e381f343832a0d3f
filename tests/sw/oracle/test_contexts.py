from dataclasses import replace

import numpy as np
import pytest

from sw.engine.compiled import CompiledFixed
from sw.oracle.contexts import ContextReference, Contexts
from sw.oracle.fixed import FixedReference
from sw.spec.chance import FIRST_CHANCE, chances_after
from sw.spec.network import Network
from sw.spec.numerics import rounding_shift
from tests.cases import KINDS, RATES, ordinary

NETWORK = Network.two_layer(3, 4, (4, 8))
FINE = replace(NETWORK, fine=4)


@pytest.mark.parametrize("contexts", [1, 2, 4, 8])
@pytest.mark.parametrize("network", [NETWORK, FINE])
@pytest.mark.parametrize("kind", KINDS)
def test_each_trains_on_its_own_records_and_all_become_the_rounding_mean(kind, network, contexts):
    """A record has the chance word of its number in the pass, whichever trains on it."""
    nodes, records = KINDS[kind](network, 30)
    trainer = ContextReference(network, nodes, (2, 1), contexts=contexts)
    alone = [FixedReference(network, nodes, (2, 1)) for _ in range(contexts)]
    results, residual, words = np.empty_like(records.targets), 0.0, chances_after(FIRST_CHANCE, len(records))
    for index, model in enumerate(alone):
        rows = np.arange(len(records)) % contexts == index
        own = type(records)(records.arguments[rows], records.targets[rows])
        results[rows], statistics = model.run(own, np.ones(len(own), bool), RATES, words[rows])
        residual += statistics.absolute_residual
    predictions, statistics = trainer.predict_and_train(records, RATES)
    assert np.array_equal(predictions, results) and statistics.absolute_residual == residual
    assert trainer.chance == (words[-1] if network.fine else FIRST_CHANCE)
    for layer, merged in enumerate(trainer.nodes):
        total = sum(model.nodes[layer] for model in alone)
        expected = rounding_shift(total, contexts.bit_length() - 1) if contexts > 1 else total
        assert np.array_equal(merged, expected)
    assert all(map(np.array_equal, trainer.trainers[-1].nodes, trainer.nodes))
    assert np.array_equal(trainer.predict(records.arguments), trainer.trainers[-1].predict(records.arguments))


def test_compiled_ones_equal_the_oracle_in_blocks_that_are_merged_each():
    nodes, records = ordinary(NETWORK, 50)
    compiled = Contexts([CompiledFixed(NETWORK, nodes, (2, 1)) for _ in range(4)], 22)
    blocked, whole = (ContextReference(NETWORK, nodes, (2, 1), block, contexts=4) for block in (22, None))
    for _ in range(2):
        (ours, statistics), (theirs, expected) = (
            each.predict_and_train(records, RATES) for each in (compiled, blocked)
        )
        assert np.array_equal(ours, theirs) and statistics == expected
        whole.train(records, RATES)
    assert all(map(np.array_equal, compiled.nodes, blocked.nodes))
    assert not all(map(np.array_equal, whole.nodes, blocked.nodes))


def test_a_number_of_contexts_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="3 contexts; there can be 1, 2, 4, 8"):
        ContextReference(NETWORK, ordinary(NETWORK, 0)[0], contexts=3)
