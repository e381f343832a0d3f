"""One suite for everything that trains in fixed point: each machine answers the same calls with the same bits."""

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
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.trainer import Phase, Rates, Trainer
from tests.cases import KINDS

NETWORK = Network.two_layer(3, 4, (4, 8))
DEEP = Network.chain((3, 4, 3, 2), (4, 8, 4))
BOARD = boards.find("icebreaker")
DESIGNS = {
    "exact": Design(board=BOARD, network=NETWORK, taps=3, exact=True),
    "delayed": Design(board=BOARD, network=NETWORK, taps=3, pretraining=2),
    "contexts": Design(board=BOARD, network=NETWORK, taps=3, pretraining=2, contexts=2),
    "deep": Design(board=BOARD, network=DEEP, taps=3, lanes=(1, 3, 1)),
    "a record a clock": Design(board=boards.find("ulx3s"), network=NETWORK, taps=3, lanes=(4, 1)),
}


@pytest.fixture(scope="module", params=DESIGNS)
def design(request: pytest.FixtureRequest) -> Design:
    return DESIGNS[request.param]


@pytest.fixture(scope="module")
def phases(design: Design) -> list[Phase]:
    """Each layer past the first has rates of its own."""
    past = len(design.network.layers) - 1
    return [Phase(2, Rates((2, 1)[:past], (12, 13)[:past])), Phase(1, Rates((3, 2)[:past], (14, 12)[:past]))]


@pytest.fixture(scope="module", params=["oracle", "compiled", "simulator", "virtual board"])
def machine(request: pytest.FixtureRequest, design: Design):
    nodes, _ = KINDS["zeros"](design.network, 0)
    if request.param == "oracle":
        yield ContextReference.of(design.configuration, nodes)
    elif request.param == "compiled":
        configuration = design.configuration
        machines = [
            CompiledFixed(configuration.network, nodes, configuration.staleness, pretraining=configuration.pretraining)
            for _ in range(configuration.contexts)
        ]
        yield Contexts(machines, configuration.block)
    elif request.param == "simulator":
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


@pytest.mark.parametrize("kind", KINDS)
def test_training_leaves_the_oracles_nodes_and_statistics(
    machine: Trainer, design: Design, phases: list[Phase], kind: str
):
    nodes, records = KINDS[kind](machine.network, 61)  # which contexts do not divide
    oracle = ContextReference.of(design.configuration, nodes)
    machine.nodes = nodes
    seen = []
    last = machine.fit(records, phases, lambda done, total, statistics: seen.append((done, total, statistics)))
    expected = []
    oracle.fit(records, phases, lambda done, total, statistics: expected.append((done, total, statistics)))
    assert seen == expected and last == expected[-1][2]
    assert all(map(np.array_equal, machine.nodes, oracle.nodes))


def test_predicting_changes_nothing_and_follows_training(machine: Trainer, design: Design, phases: list[Phase]):
    nodes, records = KINDS["ordinary"](machine.network, 40, seed=5)
    oracle = ContextReference.of(design.configuration, nodes)
    machine.nodes = nodes
    for _ in range(2):
        assert np.array_equal(machine.predict(records.arguments), oracle.predict(records.arguments))
        assert all(map(np.array_equal, machine.nodes, oracle.nodes))
        for trainer in (machine, oracle):
            trainer.train(records, phases[0].rates)


@pytest.mark.parametrize("kind", KINDS)
def test_pretraining_is_that_of_the_oracle_where_there_are_groups(
    machine: Trainer, design: Design, phases: list[Phase], kind: str
):
    nodes, records = KINDS[kind](machine.network, 60, seed=7)
    oracle = ContextReference.of(design.configuration, nodes)
    machine.nodes = nodes
    if not design.pretraining:
        with pytest.raises(ValueError, match="no groups of addends"):
            machine.pretrain(records, phases[0].rates)
        return
    for _ in range(2):
        assert machine.pretrain(records, phases[0].rates) == oracle.pretrain(records, phases[0].rates)
        assert all(map(np.array_equal, machine.nodes, oracle.nodes))
        assert machine.train(records, phases[1].rates) == oracle.train(records, phases[1].rates)
    assert all(map(np.array_equal, machine.nodes, oracle.nodes))


def test_nodes_come_back_as_they_were_set(machine: Trainer):
    for kind in KINDS:
        nodes, _ = KINDS[kind](machine.network, 0, seed=3)
        machine.nodes = nodes
        assert all(map(np.array_equal, machine.nodes, nodes))


def test_no_records_are_no_work(machine: Trainer, phases: list[Phase]):
    nodes, records = KINDS["ordinary"](machine.network, 0)
    machine.nodes = nodes
    assert machine.train(records, phases[0].rates).records == 0
    assert machine.predict(records.arguments).shape == (0, machine.network.outputs)


@pytest.mark.parametrize("rates", [Rates((0,), (12,)), Rates((2,), (99,)), Rates((2, 2, 2), (12, 12, 12))])
def test_illegal_rates_are_refused(machine: Trainer, rates: Rates):
    with pytest.raises(ValueError, match="shifts"):
        machine.train(KINDS["ordinary"](machine.network, 1)[1], rates)


def test_nodes_that_do_not_fit_are_refused(machine: Trainer):
    nodes, _ = KINDS["ordinary"](machine.network, 0)
    with pytest.raises(ValueError, match="shapes"):
        machine.nodes = nodes[:1]
    with pytest.raises(ValueError, match="outside"):
        machine.nodes = [nodes[0] + 99999, *nodes[1:]]


def test_records_of_another_network_are_refused(machine: Trainer, phases: list[Phase]):
    with pytest.raises(ValueError, match="2 features"):
        machine.train(Records(np.zeros((4, 2), dtype=np.int64), np.zeros((4, 1), dtype=np.int64)), phases[0].rates)
