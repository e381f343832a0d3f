"""Contexts in one trainer, and their merging, against the oracle: bit for bit."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.datapath.context_average import ContextAverage
from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sim.simulated_trainer import SimulatedTrainer
from sw.oracle.contexts import ContextReference
from sw.spec.network import Network
from sw.spec.numerics import WordFormat, rounding_shift
from tests.cases import KINDS
from tests.hw.datapath.test_trainer import SHAPES, TECHNOLOGIES, rates_of
from tests.slow import crossed


@pytest.mark.parametrize(
    ("case", "technology", "exact"),
    crossed(
        [
            ("lanes", 2),
            ("one slot", 4),
            ("one slot", 8),
            ("outputs in turn", 4),
            ("three layers", 2),
            ("three layers, each input for itself", 4),
        ],
        TECHNOLOGIES,
        (True, False),
        every=4,
    ),
)
def test_they_equal_as_many_oracles_on_records_of_their_own(case, technology, exact):
    """Results, statistics, cycles and every node after the merge.

    Training and inference are mixed, in a pass in which not all contexts have the same number of records.
    """
    shape, contexts = case
    network, taps, lanes = SHAPES[shape]
    nodes, records = KINDS["extreme"](network, 13)
    gateware = SimulatedTrainer(
        network, nodes, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=exact, contexts=contexts
    )
    trainer, schedule = gateware.trainer, gateware.trainer.plan.schedule
    oracle = ContextReference(network, nodes, schedule.staleness, contexts=contexts)
    train = np.random.default_rng(1).random(len(records)) < 0.8
    rates = rates_of(network, 1, network.width - 3)
    results, statistics = gateware.run(records, train, rates)
    expected, expected_statistics = oracle.run(records, train, rates)
    assert np.array_equal(results, expected)
    assert statistics == expected_statistics
    assert all(map(np.array_equal, gateware.nodes, oracle.nodes))
    assert not all(map(np.array_equal, gateware.nodes, nodes))
    cycles = (len(records) - 1) * schedule.initiation_interval + schedule.latency
    assert gateware.cycles == cycles + trainer.merge_cycles


def test_a_pass_of_fewer_records_than_contexts_is_merged_with_those_that_had_none():
    network, taps, lanes = SHAPES["one slot"]
    nodes, records = KINDS["ordinary"](network, 3)
    gateware = SimulatedTrainer(network, nodes, chain(taps, lanes), technology=ECP5, exact=False, contexts=4)
    oracle = ContextReference(network, nodes, gateware.trainer.plan.schedule.staleness, contexts=4)
    rates = rates_of(network, 1, 13)
    assert gateware.train(records, rates) == oracle.train(records, rates)
    assert all(map(np.array_equal, gateware.nodes, oracle.nodes))


@pytest.mark.parametrize("technology", [ICE40UP5K, ECP5], ids=lambda technology: technology.name)
def test_the_interval_shrinks_with_the_contexts_down_to_the_slots(technology):
    network = Network.two_layer(2, 4, (4, 8))
    for exact in (True, False):
        schedules = [
            plan_trainer(network, chain(2, (4, 1)), technology=technology, exact=exact, contexts=contexts).schedule
            for contexts in (1, 2, 4, 8)
        ]
        one = schedules[0]
        for contexts, schedule in zip((1, 2, 4, 8), schedules, strict=True):
            assert (
                one.initiation_interval / contexts
                <= schedule.initiation_interval
                < one.initiation_interval / contexts + 1
            )
        assert exact == (not any(records for schedule in schedules for records in schedule.staleness))


@pytest.mark.parametrize("contexts", [0, 3, 16])
def test_a_number_of_contexts_that_cannot_be_is_named(contexts):
    network = Network.two_layer(2, 4, (4, 8))
    with pytest.raises(ValueError, match=f"{contexts} contexts; there can be 1, 2, 4, 8"):
        TrainerCore(plan_trainer(network, chain(2, (4, 1)), technology=ECP5, exact=False, contexts=contexts))


@pytest.mark.parametrize("width", [12, 16, 20])
@pytest.mark.parametrize("contexts", [2, 4, 8])
@pytest.mark.parametrize("latency", [4, 5])
def test_every_node_becomes_the_rounding_mean_of_its_copies(contexts, width, latency):
    """The ends of the word in all contexts, in some, and anything; in banks that answer after their latency."""
    lanes, taps, even, odd = 3, 2, 4, 3
    form = SimpleNamespace(word=WordFormat(width))
    memory_shape: Any = SimpleNamespace(even_rows=contexts * even, odd_rows=contexts * odd, lanes=lanes, form=form)
    merger = ContextAverage(memory_shape, contexts=contexts, taps=taps, latency=latency)
    rng, word = np.random.default_rng(contexts), form.word
    memories = [  # of each bank: context, row, lane, tap
        np.where(
            rng.random((contexts, rows, lanes, taps)) < 0.5,
            rng.choice([word.minimum, word.maximum], (1, rows, lanes, taps)),
            rng.integers(word.minimum, word.maximum + 1, (contexts, rows, lanes, taps)),
        )
        for rows in (even, odd)
    ]
    for memory in memories:
        memory[:, 0, 0] = word.minimum
        memory[:, 0, 1] = word.maximum
    expected = [rounding_shift(memory.sum(axis=0), contexts.bit_length() - 1) for memory in memories]
    cycles = 0

    async def banks(ctx):
        underway: list[np.ndarray] = [np.zeros(taps, dtype=int)] * (latency + 1)
        position = merger.position
        ports = *(getattr(position, name) for name in ("select", "write", "odd", "row", "lane")), merger.means
        async for _, _, select, write, is_odd, row, lane, means in ctx.tick().sample(*ports):
            memory = memories[is_odd]
            node = memory.reshape(-1, lanes, taps)[row, lane]
            underway.append(node.copy() if select else np.zeros(taps, dtype=int))
            if write:
                node[:] = [means[tap] for tap in range(taps)]
            ctx.set(merger.nodes, underway[-latency].tolist())

    async def drive(ctx):
        nonlocal cycles
        ctx.set(merger.start, 1)
        await ctx.tick()
        ctx.set(merger.start, 0)
        while ctx.get(merger.busy):
            await ctx.tick()
            cycles += 1
        await ctx.tick()

    simulator = Simulator(merger)
    simulator.add_clock(1e-6)
    simulator.add_process(banks)
    simulator.add_testbench(drive)
    simulator.run()
    assert cycles == merger.cycles
    for memory, mean in zip(memories, expected, strict=True):
        assert (memory == mean).all()
