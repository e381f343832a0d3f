"""The trainer in Amaranth's simulator against the fixed-point oracle, bit for bit, for many foldings and schedules."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.datapath import node_bank
from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5, ECP5_LOW_LATENCY
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain, pretraining_groups
from sim.simulated_trainer import SimulatedTrainer
from sw.oracle.fixed import FixedReference
from sw.spec.addresses import Folding
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Rates
from tests.cases import KINDS, faint, rates_of
from tests.hw.datapath.memories import UnkindMemory
from tests.slow import crossed, slow

THROUGHPUT = {technology.name: technology for technology in (ICE40UP5K, ECP5)}
TECHNOLOGIES = {**THROUGHPUT, "low latency": ECP5_LOW_LATENCY}

SHAPES = {
    "one tap": (Network.two_layer(2, 8, (16, 16)), 1, (1, 1)),
    "all taps": (Network.two_layer(2, 8, (16, 16)), 2, (1, 1)),
    "lanes": (Network.two_layer(2, 8, (16, 16)), 2, (2, 1)),
    "one slot": (Network.two_layer(2, 4, (4, 8)), 2, (4, 1)),
    "outputs": (Network.two_layer(3, 6, (2, 4), outputs=2), 3, (2, 2)),
    "outputs in turn": (Network.two_layer(2, 3, (2, 4), outputs=4), 1, (1, 2)),
    "narrow": (Network.two_layer(6, 4, (4, 8), width=12), 2, (1, 1)),
    "wide": (Network.two_layer(6, 4, (4, 8), width=20), 3, (2, 1)),
    "three layers": (Network.chain((3, 6, 4, 2), (4, 4, 8)), 3, (2, 4, 1)),
    "three layers, each input for itself": (Network.chain((2, 3, 4, 2), (4, 8, 2)), 1, (1, 1, 1)),
    "four layers": (Network.chain((2, 6, 3, 2, 3), (4, 2, 8, 4)), 1, (1, 3, 1, 3)),
    "many taps": (Network.two_layer(5, 10, (2, 4), outputs=2), 5, (5, 1)),
    "two slots": (Network.two_layer(2, 4, (2, 4)), 2, (2, 1)),
    "three layers, one slot": (Network.chain((2, 3, 2, 1), (4, 2, 4)), 2, (3, 2, 1)),
    "three layers, two slots": (Network.chain((2, 4, 2, 2), (2, 2, 4)), 2, (2, 2, 1)),
    "one layer": (Network.chain((6, 4), (8,)), 2, (2,)),
    "one layer, one slot": (replace(Network.chain((3, 2), (4,), width=12), fine=4), 3, (2,)),
    "four layers, one slot": (Network.chain((2, 2, 1, 2, 1), (4, 8, 4, 2), width=12), 2, (2, 1, 2, 1)),
}

INTERVALS = {
    "one slot": 1,
    "three layers, one slot": 1,
    "four layers, one slot": 1,
    "one layer, one slot": 1,
    "two slots": 2,
    "three layers, two slots": 2,
    "outputs": 3,
    "three layers": 3,
    "one layer": 6,
}


@pytest.fixture(autouse=True)
def unkind_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the node banks memories that promise no more than a board's."""
    monkeypatch.setattr(node_bank, "Memory", UnkindMemory)


GROUPS = {
    "a slot": ("one tap", 1),
    "slots": ("all taps", 2),
    "lanes": ("lanes", 4),
    "outputs": ("outputs", 2),
    "wide": ("wide", 2),
}


def simulated(
    network: Network,
    taps: int,
    lanes: tuple[int, ...],
    technology: str,
    *,
    exact: bool,
    nodes: list,
    pretraining: int = 0,
) -> SimulatedTrainer:
    return SimulatedTrainer(
        network,
        nodes,
        chain(taps, lanes),
        technology=TECHNOLOGIES[technology],
        exact=exact,
        pretraining=pretraining,
    )


@pytest.mark.parametrize(("shape", "technology", "exact"), crossed(SHAPES, TECHNOLOGIES, (True, False), every=4))
def test_it_equals_the_oracle_on_extreme_records(shape, technology, exact):
    """Train and infer mixed; results, statistics and every node.

    In an exact schedule, whose records take longest, few of them meet all that many do.
    """
    network, taps, lanes = SHAPES[shape]
    nodes, records = KINDS["extreme"](network, 12 if exact else 32)
    check_against_the_oracle(simulated(network, taps, lanes, technology, exact=exact, nodes=nodes), records)


@pytest.mark.parametrize(
    ("shape", "updates"),
    [
        ("one layer", (3, 4, 5)),
        slow("three layers", (1, 2, 5)),
        ("three layers, one slot", (1, 2, 5)),
        ("outputs in turn", (1, 2, 5)),
    ],
)
def test_it_counts_the_zero_steps_of_the_oracle(shape, updates):
    """At update shifts that the width allows; the oracle's are some in every pass."""
    network, taps, lanes = SHAPES[shape]
    nodes, records = faint(network, 30)
    gateware = simulated(network, taps, lanes, "iCE40UP5K", exact=False, nodes=nodes)
    oracle = FixedReference(network, nodes, gateware.trainer.plan.schedule.staleness)
    for update in updates:
        rates = rates_of(network, update, network.width - 3)
        expected = oracle.train(records, rates)
        assert gateware.train(records, rates) == expected and expected.zero_steps > 10


@pytest.mark.parametrize(
    ("network", "taps", "lanes"),
    [
        slow(Network.chain((12, 60, 10, 4), (2, 2, 2)), 3, (1, 5, 1), id="tetra-faces"),
        slow(Network.chain((6, 53, 11, 4, 1), (2, 2, 2, 2)), 1, (1, 1, 1, 1), id="triangle"),
    ],
)
def test_the_authors_networks_equal_the_oracle(network, taps, lanes):
    """Each run checks small networks of as many layers, on extreme records."""
    nodes, records = KINDS["ordinary"](network, 5)
    check_against_the_oracle(simulated(network, taps, lanes, "iCE40UP5K", exact=False, nodes=nodes), records)


@pytest.mark.parametrize(
    ("network", "taps", "lanes"),
    [
        (Network.chain((12, 60, 10, 4), (4, 8, 16)), 12, (2, 10, 1)),
        (Network.chain((6, 53, 11, 4, 1), (4, 8, 8, 16)), 6, (1, 11, 1, 1)),
    ],
    ids=["tetra-faces", "triangle"],
)
def test_a_deep_network_takes_a_record_as_often_as_its_first_layer(network, taps, lanes):
    schedule = plan_trainer(network, chain(taps, lanes), technology=ECP5, exact=False).schedule
    assert schedule.initiation_interval == network.layers[0].outputs // lanes[0]
    assert max(schedule.staleness) <= 3


def check_against_the_oracle(gateware: SimulatedTrainer, records: Records) -> None:
    """Over one pass, in which some records are only inferred: results, statistics, cycles and every node."""
    network, schedule = gateware.network, gateware.trainer.plan.schedule
    oracle = FixedReference(network, gateware.nodes, schedule.staleness)
    train = np.random.default_rng(1).random(len(records)) < 0.8
    rates = rates_of(network, 1, network.width - 3)
    results, statistics = gateware.run(records, train, rates)
    expected, expected_statistics = oracle.run(records, train, rates)
    assert np.array_equal(results, expected)
    assert statistics == expected_statistics
    assert all(map(np.array_equal, gateware.nodes, oracle.nodes))
    assert gateware.cycles == (len(records) - 1) * schedule.initiation_interval + schedule.latency


@pytest.mark.parametrize("technology", THROUGHPUT)
@pytest.mark.parametrize("shape", INTERVALS)
def test_a_record_takes_as_many_clocks_as_its_slots_however_few(shape, technology):
    network, taps, lanes = SHAPES[shape]
    trainer = TrainerCore(plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=False))
    assert trainer.plan.schedule.initiation_interval == INTERVALS[shape] == max(unit.slots for unit in trainer.units)


@pytest.mark.slow
def test_four_features_and_eight_addends_take_a_record_a_clock():
    """Each run has smaller networks that take a record a clock: those of `INTERVALS`."""
    network = Network.two_layer(4, 8, (4, 32))
    nodes, records = KINDS["extreme"](network, 30)
    gateware = simulated(network, 4, (8, 1), "ECP5", exact=False, nodes=nodes)
    assert gateware.trainer.plan.schedule.initiation_interval == 1
    check_against_the_oracle(gateware, records)


@pytest.mark.parametrize(("shape", "technology"), crossed(INTERVALS, TECHNOLOGIES, every=2))
def test_ordinary_records_that_meet_in_few_segments_equal_the_oracle(shape, technology):
    """Runs of records in one segment, and in segments that share a node: each update adds to what the last one left."""
    network, taps, lanes = SHAPES[shape]
    nodes, records = KINDS["ordinary"](network, 40)
    form = network.formats[0]
    segments = np.repeat([0, 1, 0, form.segments - 1, form.segments - 2], 8)[:, None]
    arguments = form.offset(records.arguments) | segments << form.offset_bits
    gateware = simulated(network, taps, lanes, technology, exact=False, nodes=nodes)
    check_against_the_oracle(gateware, Records(arguments, records.targets))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [slow("three layers", "ordinary"), slow("three layers", "zeros"), ("three layers, one slot", "ordinary")],
)
def test_it_equals_the_oracle_over_several_passes(shape, kind):
    network, taps, lanes = SHAPES[shape]
    nodes, records = KINDS[kind](network, 24)
    gateware = simulated(network, taps, lanes, "ECP5", exact=False, nodes=nodes)
    oracle = FixedReference(network, nodes, gateware.trainer.plan.schedule.staleness)
    for shift in (12, 14):
        rates = Rates((3, 2), (shift, 13))
        assert gateware.train(records, rates) == oracle.train(records, rates)
    assert np.array_equal(gateware.predict(records.arguments), oracle.predict(records.arguments))
    assert all(map(np.array_equal, gateware.nodes, oracle.nodes))


@pytest.mark.parametrize(("groups", "technology", "exact"), crossed(GROUPS, TECHNOLOGIES, (True, False), every=4))
def test_pretraining_trains_each_group_alone_in_the_time_of_training(groups, technology, exact):
    """Of extreme records, and training after it: statistics, cycles and every node."""
    shape, pretraining = GROUPS[groups]
    network, taps, lanes = SHAPES[shape]
    nodes, records = KINDS["extreme"](network, 10)
    gateware = simulated(network, taps, lanes, technology, exact=exact, nodes=nodes, pretraining=pretraining)
    schedule = gateware.trainer.plan.schedule
    oracle = FixedReference(network, nodes, schedule.staleness, pretraining=pretraining)
    rates = rates_of(network, 1, network.width - 3)
    for train, expect in ((gateware.pretrain, oracle.pretrain), (gateware.train, oracle.train)):
        assert train(records, rates) == expect(records, rates)
        assert all(map(np.array_equal, gateware.nodes, oracle.nodes))
        assert gateware.cycles == (len(records) - 1) * schedule.initiation_interval + schedule.latency
    assert (
        schedule == plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=exact).schedule
    )


@pytest.mark.parametrize(
    ("shape", "pretraining", "message"),
    [
        ("all taps", 3, "groups of 3 addends: 1 of 8 addends a clock can be in groups of 1, 2, 4"),
        ("all taps", 8, "groups of 8 addends: .* 1, 2, 4"),
        ("all taps", -1, "groups of -1 addends"),
        ("lanes", 1, "groups of 1 addends: 2 of 8 addends a clock can be in groups of 2, 4"),
        ("one slot", 2, "groups of 2 addends: 4 of 4 addends a clock can be in groups of no size"),
        ("outputs in turn", 1, "all 4 outputs in lanes, not 2"),
        ("one layer", 2, "has 1 layer;"),
        ("three layers", 2, "has 3 layers"),
    ],
)
def test_groups_that_cannot_be_trained_alone_are_named(shape, pretraining, message):
    network, taps, lanes = SHAPES[shape]
    with pytest.raises(ValueError, match=message):
        TrainerCore(plan_trainer(network, chain(taps, lanes), technology=ECP5, exact=False, pretraining=pretraining))


@pytest.mark.parametrize(("taps", "sizes"), [(1, [4]), (2, [])], ids=["two clocks a slot", "one"])
def test_two_groups_need_two_clocks_each(taps, sizes):
    """The residual of the first must be kept when its update begins, as soon as the second's is there."""
    network = Network.two_layer(2, 8, (4, 8))
    assert pretraining_groups(network, chain(taps, (4, 1))) == sizes


def test_every_shift_is_what_the_oracle_makes_of_it():
    """Of each layer: they differ."""
    network = Network.chain((2, 4, 2, 1), (4, 8, 4))
    nodes, records = KINDS["ordinary"](network, 3)
    updates, oracle = network.word.update_shifts, FixedReference(network, nodes)
    windows = network.word.back_shifts.start, network.word.back_shifts.stop - network.word.back_window_length
    gateware = SimulatedTrainer(
        network, nodes, chain(2, (1, 2, 1)), technology=ICE40UP5K, exact=True, back_windows=windows
    )
    for update, *backs in zip(updates, *gateware.trainer.plan.back_shifts, strict=True):
        rates = Rates((update, updates[-update]), tuple(backs))
        assert gateware.train(records, rates) == oracle.train(records, rates)
        assert all(map(np.array_equal, gateware.nodes, oracle.nodes))


@pytest.mark.parametrize("back", [8, 25])
def test_rates_outside_the_windows_are_refused(back):
    network = Network.two_layer(2, 4, (4, 8))
    nodes, records = KINDS["ordinary"](network, 1)
    gateware = simulated(network, 2, (1, 1), "iCE40UP5K", exact=True, nodes=nodes)
    with pytest.raises(ValueError, match=r"back shifts \(17,\): the trainer was built for 9\.\.16, by layer"):
        gateware.train(records, rates_of(network, 1, 17))
    with pytest.raises(ValueError, match=r"each in 9\.\.24"):
        gateware.train(records, rates_of(network, 1, back))
    with pytest.raises(ValueError, match=rf"begin with \({back},\): .* each in 9\.\.17"):
        plan_trainer(network, chain(2, (1, 1)), technology=ICE40UP5K, back_windows=(back,))


@pytest.mark.parametrize(("shape", "technology"), crossed(("lanes", "outputs", "three layers"), TECHNOLOGIES, every=2))
def test_clipped_arguments_equal_the_oracles(shape, technology):
    """Sums with a large gain reach both ends of the domain, with errors of both signs."""
    network, taps, lanes = SHAPES[shape]
    hidden, last = network.layers[:-1], network.layers[-1]
    network = replace(network, layers=(*(replace(layer, gain=4) for layer in hidden), last))
    nodes, records = KINDS["ordinary"](network, 20)
    gateware = simulated(network, taps, lanes, technology, exact=False, nodes=nodes)
    check_against_the_oracle(gateware, records)
    assert gateware.train(records, rates_of(network, 1, network.width - 3)).clips > len(records)


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
def test_the_exact_schedule_has_no_staleness_and_the_streaming_one_is_as_short_as_its_slots(technology):
    network = Network.two_layer(4, 16, (8, 16))
    exact, streaming = (
        plan_trainer(network, chain(4, (1, 1)), technology=technology, exact=exact).schedule for exact in (True, False)
    )
    assert exact.staleness == (0, 0) and streaming.staleness > (0, 0)
    assert streaming.initiation_interval == 16 < exact.initiation_interval < exact.latency


@pytest.mark.parametrize(
    ("foldings", "message"),
    [
        ((Folding(2, 1), Folding(1, 1)), "layer 0: 2 taps do not divide its 3 inputs"),
        ((Folding(3, 3), Folding(3, 1)), "layer 0: 3 lanes do not divide its 4 outputs"),
        ((Folding(3, 2), Folding(1, 1)), "layer 1: 1 taps cannot take 2 lanes of layer 0"),
        (chain(3, (2, 1, 1)), "3 foldings for a network of 2 layers"),
    ],
)
def test_a_folding_that_cannot_be_is_named(foldings, message):
    network = Network.two_layer(3, 4, (4, 8))
    with pytest.raises(ValueError, match=message):
        TrainerCore(plan_trainer(network, foldings, technology=ECP5, exact=False))


@pytest.mark.parametrize(
    ("case", "technology"),
    crossed(
        [
            *((shape, True) for shape in ("one layer", "all taps", "one slot", "outputs in turn")),
            *((shape, False) for shape in ("one layer", "all taps", "lanes", "outputs in turn")),
            ("three layers, each input for itself", False),
        ],
        TECHNOLOGIES,
        every=2,
    ),
)
def test_without_forwarding_no_node_is_read_and_written_in_one_clock(case, technology):
    """The memories promise nothing then: so the clocks are compared; an update may write what it reads at once."""
    shape, exact = case
    network, taps, lanes = SHAPES[shape]
    trainer = TrainerCore(plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=exact))
    assert not any(unit.forwarding for unit in trainer.units)
    reads: list[tuple] = []
    writes: list[tuple] = []

    async def drive(ctx):
        ctx.set(trainer.records.payload.train, 1)
        ctx.set(trainer.records.valid, 1)
        for clock in range(6 * trainer.plan.schedule.latency):
            for number, unit in enumerate(trainer.units):
                if ctx.get(unit.forward.valid):
                    reads.append((number, ctx.get(unit.forward.slot), clock + unit.timing.forward_read))
                if ctx.get(unit.update.valid):
                    slot = ctx.get(unit.update.slot)
                    if not unit.memories[0].read.at_once:
                        reads.append((number, slot, clock + unit.timing.update_read))
                    writes.append((number, slot, clock + unit.timing.write))
            await ctx.tick()

    simulator = Simulator(trainer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert len(writes) > 3 * sum(unit.slots for unit in trainer.units)
    assert not set(reads) & set(writes)


@pytest.mark.parametrize("contexts", [1, 2])
def test_nodes_that_are_preloaded_are_those_of_every_context(contexts):
    network, taps, lanes = SHAPES["two slots"]
    trainer = TrainerCore(plan_trainer(network, chain(taps, lanes), technology=ICE40UP5K, contexts=contexts))
    nodes, records = KINDS["ordinary"](network, 6)
    trainer.preload(nodes)
    results = []

    async def drive(ctx):
        for codes in records.arguments.tolist():
            ctx.set(trainer.records.payload, {"arguments": codes, "train": 0})
            ctx.set(trainer.records.valid, 1)
            await ctx.tick().until(trainer.records.ready)
        ctx.set(trainer.records.valid, 0)
        await ctx.tick().until(trainer.idle)

    async def listen(ctx):
        async for _, _, valid, values in ctx.tick().sample(trainer.results_valid, trainer.results):
            if valid:
                results.append([values[0]])

    simulator = Simulator(trainer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_process(listen)
    simulator.run()
    assert results == FixedReference(network, nodes).predict(records.arguments).tolist()
