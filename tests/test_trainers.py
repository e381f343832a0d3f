"""One suite for everything that trains in fixed point: each trainer answers the same calls with the same bits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import boards
from hw.design.design import Design
from hw.soc.soc import Soc
from sim.simulated_trainer import SimulatedTrainer
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.engine.compiled import CompiledFixed
from sw.oracle.contexts import ContextReference, Contexts
from sw.spec.chance import FIRST_CHANCE
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Phase, Rates, shifted_layers
from sw.spec.trainer import Trainer
from tests.cases import KINDS, rates_of

NETWORK = Network.two_layer(3, 4, (4, 8))
FINE = replace(NETWORK, fine=4)
DEEP = Network.chain((3, 4, 3, 2), (4, 8, 4))
ONE = Network.chain((4, 2), (8,))
BOARD = boards.find("icebreaker")


def small(**options: Any) -> Design:
    """Return a design with a store of 4,096 words, enough for these tests: a larger one takes longer to compile."""
    return Design(**options, store_words=1 << 12)


DESIGNS = {
    "exact": small(board=BOARD, network=NETWORK, taps=3, exact=True),
    "delayed": small(board=BOARD, network=NETWORK, taps=3, pretraining=2),
    "contexts": small(board=BOARD, network=NETWORK, taps=3, pretraining=2, contexts=2),
    "one layer": small(board=BOARD, network=ONE, taps=2, lanes=(1,)),
    "deep": small(board=BOARD, network=DEEP, taps=3, lanes=(1, 3, 1), back_windows=(11, 9)),
    "fine": small(board=BOARD, network=FINE, taps=3, pretraining=2, contexts=2),
    "a record a clock": small(board=boards.find("ulx3s"), network=NETWORK, taps=3, lanes=(4, 1)),
}

# The design "fine" has the contexts and the groups of "contexts" and of "delayed", too.
LONG = {
    "virtual board": ("exact", "delayed", "contexts", "a record a clock"),
    "simulator": ("delayed", "contexts", "deep", "a record a clock"),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, kind), id=f"{kind}-{name}", marks=[pytest.mark.slow] * (name in LONG.get(kind, ())))
        for name in DESIGNS
        for kind in ("oracle", "compiled", "simulator", "virtual board")
    ],
)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name a design and what trains it."""
    return request.param


@pytest.fixture(scope="module")
def design(case: tuple[str, str]) -> Design:
    return DESIGNS[case[0]]


@pytest.fixture(scope="module")
def phases(design: Design) -> list[Phase]:
    """Each layer has rates of its own."""
    layers = len(design.network.layers)
    steps, past = len(shifted_layers(layers)), layers - 1
    return [Phase(2, Rates((2, 1)[:steps], (12, 13)[:past])), Phase(1, Rates((3, 2)[:steps], (14, 12)[:past]))]


@pytest.fixture(scope="module")
def trainer(case: tuple[str, str], design: Design):
    kind = case[1]
    nodes, _ = KINDS["zeros"](design.network, 0)
    if kind == "oracle":
        yield ContextReference.of(design.configuration, nodes)
    elif kind == "compiled":
        configuration = design.configuration
        trainers = [
            CompiledFixed(configuration.network, nodes, configuration.staleness, pretraining=configuration.pretraining)
            for _ in range(configuration.contexts)
        ]
        yield Contexts(trainers, configuration.block)
    elif kind == "simulator":
        yield SimulatedTrainer(
            design.network,
            nodes,
            design.foldings,
            technology=design.board.technology,
            exact=design.exact,
            pretraining=design.pretraining,
            contexts=design.contexts,
        )
    else:
        with (
            VirtualBoard(Soc(design), clocks_per_bit=design.board.clocks_per_bit) as virtual,
            BoardClient.open(virtual.port) as board,
        ):
            assert board.configuration == design.configuration
            yield board


@pytest.fixture(scope="module")
def share(case: tuple[str, str]) -> int:
    """What the numbers of records are divided by: Amaranth's simulator takes milliseconds for a clock."""
    return 4 if case[1] == "simulator" else 1


@pytest.mark.parametrize("kind", KINDS)
def test_training_leaves_the_oracles_nodes_and_statistics(
    trainer: Trainer, design: Design, phases: list[Phase], kind: str, share: int
):
    nodes, records = KINDS[kind](trainer.network, 61 // share)  # which contexts do not divide
    oracle = ContextReference.of(design.configuration, nodes)
    trainer.nodes, trainer.chance = nodes, oracle.chance
    seen = []
    last = trainer.fit(records, phases, lambda done, total, statistics: seen.append((done, total, statistics)))
    expected = []
    oracle.fit(records, phases, lambda done, total, statistics: expected.append((done, total, statistics)))
    assert seen == expected and last == expected[-1][2]
    assert all(map(np.array_equal, trainer.nodes, oracle.nodes)) and trainer.chance == oracle.chance
    assert (oracle.chance == FIRST_CHANCE) == (not design.network.fine)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prequential_pass_gives_the_oracles_predictions_and_trains_as_training_does(
    trainer: Trainer, design: Design, phases: list[Phase], kind: str, share: int
):
    nodes, records = KINDS[kind](trainer.network, 61 // share)
    oracle, silent = (ContextReference.of(design.configuration, nodes) for _ in range(2))
    trainer.nodes, trainer.chance = nodes, oracle.chance
    for phase in phases:
        results, statistics = trainer.predict_and_train(records, phase.rates)
        expected, counts = oracle.predict_and_train(records, phase.rates)
        assert np.array_equal(results, expected) and statistics == counts == silent.train(records, phase.rates)
    assert all(map(np.array_equal, trainer.nodes, oracle.nodes)) and trainer.chance == oracle.chance
    assert all(map(np.array_equal, trainer.nodes, silent.nodes))


def test_a_training_goes_on_where_another_one_ended(trainer: Trainer, design: Design, phases: list[Phase], share: int):
    """Nodes and chance word are the whole state."""
    nodes, records = KINDS["ordinary"](trainer.network, 30 // share, seed=2)
    oracle = ContextReference.of(design.configuration, nodes)
    oracle.train(records, phases[0].rates)
    trainer.nodes, trainer.chance = list(map(np.asfortranarray, oracle.nodes)), oracle.chance  # in any order of memory
    assert trainer.chance == oracle.chance
    assert trainer.train(records, phases[1].rates) == oracle.train(records, phases[1].rates)
    assert all(map(np.array_equal, trainer.nodes, oracle.nodes)) and trainer.chance == oracle.chance


def test_predicting_changes_nothing_and_follows_training(
    trainer: Trainer, design: Design, phases: list[Phase], share: int
):
    nodes, records = KINDS["ordinary"](trainer.network, 40 // share, seed=5)
    oracle = ContextReference.of(design.configuration, nodes)
    trainer.nodes, trainer.chance = nodes, oracle.chance
    for _ in range(2):
        assert np.array_equal(trainer.predict(records.arguments), oracle.predict(records.arguments))
        assert all(map(np.array_equal, trainer.nodes, oracle.nodes))
        # The same records again, which predicting has overwritten where they were kept.
        assert trainer.train(records, phases[0].rates) == oracle.train(records, phases[0].rates)
        assert all(map(np.array_equal, trainer.nodes, oracle.nodes))


@pytest.mark.parametrize("kind", KINDS)
def test_pretraining_is_that_of_the_oracle_where_there_are_groups(
    trainer: Trainer, design: Design, phases: list[Phase], kind: str, share: int
):
    nodes, records = KINDS[kind](trainer.network, 60 // share, seed=7)
    oracle = ContextReference.of(design.configuration, nodes)
    trainer.nodes, trainer.chance = nodes, oracle.chance
    if not design.pretraining:
        with pytest.raises(ValueError, match="no groups of addends"):
            trainer.pretrain(records, phases[0].rates)
        return
    for _ in range(2):
        assert trainer.pretrain(records, phases[0].rates) == oracle.pretrain(records, phases[0].rates)
        assert all(map(np.array_equal, trainer.nodes, oracle.nodes))
        assert trainer.train(records, phases[1].rates) == oracle.train(records, phases[1].rates)
    assert all(map(np.array_equal, trainer.nodes, oracle.nodes))


def test_nodes_come_back_as_they_were_set(trainer: Trainer):
    for kind in KINDS:
        nodes, _ = KINDS[kind](trainer.network, 0, seed=3)
        trainer.nodes = nodes
        assert all(map(np.array_equal, trainer.nodes, nodes))


def test_no_records_are_no_work(trainer: Trainer, phases: list[Phase]):
    nodes, records = KINDS["ordinary"](trainer.network, 0)
    trainer.nodes = nodes
    assert trainer.train(records, phases[0].rates).records == 0
    assert trainer.predict(records.arguments).shape == (0, trainer.network.outputs)


@pytest.mark.parametrize("rates", [Rates((0,), (12,)), Rates((2,), (99,)), Rates((2, 2, 2), (12, 12, 12))])
def test_illegal_rates_are_refused(trainer: Trainer, rates: Rates):
    with pytest.raises(ValueError, match="shifts"):
        trainer.train(KINDS["ordinary"](trainer.network, 1)[1], rates)


def test_a_board_refuses_rates_that_it_was_not_built_for(trainer: Trainer, design: Design, phases: list[Phase]):
    """Before it trains by those before them. A single layer has no back shifts: all its legal rates are built."""
    nodes, records = KINDS["ordinary"](trainer.network, 20)
    trainer.nodes = nodes
    schedule = [phases[0], Phase(1, rates_of(design.network, 2, 24))]
    if not design.configuration.back_windows:
        trainer.fit(records, schedule)
    elif isinstance(trainer, BoardClient):
        with pytest.raises(ValueError, match=r"back shifts \(24,.*\): the trainer was built for \d+\.\.\d+"):
            trainer.fit(records, schedule)
        assert all(map(np.array_equal, trainer.nodes, nodes))
    elif isinstance(trainer, SimulatedTrainer):
        with pytest.raises(ValueError, match="was built for"):
            trainer.train(records, schedule[1].rates)
    else:
        trainer.fit(records, schedule)


def test_nodes_that_do_not_fit_are_refused(trainer: Trainer):
    nodes, _ = KINDS["ordinary"](trainer.network, 0)
    with pytest.raises(ValueError, match="shapes"):
        trainer.nodes = nodes[:-1]
    with pytest.raises(ValueError, match="outside"):
        trainer.nodes = [nodes[0] + 99999, *nodes[1:]]


def test_records_of_another_network_are_refused(trainer: Trainer, phases: list[Phase]):
    with pytest.raises(ValueError, match="2 features"):
        trainer.train(Records(np.zeros((4, 2), dtype=np.int64), np.zeros((4, 1), dtype=np.int64)), phases[0].rates)
