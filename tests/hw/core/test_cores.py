"""Cores with streams in Amaranth's simulator: the oracle's bits, with and without stalls, and their latencies."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.core.inference_core import InferenceCore
from hw.core.training_core import TrainingCore, core_registers
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5, ECP5_LOW_LATENCY
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sw.oracle.fixed import FixedReference
from sw.spec.back_windows import lowest_windows
from sw.spec.network import Network
from sw.spec.protocol import Space
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from tests.cases import extreme, ordinary
from tests.hw.core.bus_access import read_nodes, transfer
from tests.slow import slow

TECHNOLOGIES = {"ice40": ICE40UP5K, "ecp5": ECP5, "low latency": ECP5_LOW_LATENCY}
SHAPES = {
    "one layer": (Network.chain((4, 4), (8,)), 2, (2,)),
    "two layers": (Network.two_layer(2, 4, (4, 8)), 1, (1, 1)),
    "one slot": (Network.two_layer(2, 4, (4, 8)), 2, (4, 1)),
    "three layers": (Network.chain((3, 6, 4, 2), (4, 4, 8)), 3, (2, 4, 1)),
    "walks": (Network.chain((2, 3, 4, 2), (4, 8, 2)), 1, (1, 1, 1)),
    "narrow": (Network.two_layer(4, 4, (2, 4), outputs=2, width=12), 2, (2, 1)),
}


def rates_of(network: Network) -> Rates:
    updates = (2,) * len(shifted_layers(len(network.layers)))
    return Rates(updates, tuple(first + 3 for first in lowest_windows(network)))


class Streams:
    """Feeds streams of a core and takes its predictions, each with pauses in a share of the cycles."""

    def __init__(self, core: Any, pauses: float, seed: int = 0):
        self.core, self.pauses, self.rng = core, pauses, np.random.default_rng(seed)
        self.cycle = 0
        self.starts: list[int] = []
        self.predictions: list[tuple[int, list[int], int]] = []

    async def feed(self, ctx: Any, port: Any, payloads: list[Any], starts: list[int] | None = None) -> None:
        for payload in payloads:
            while self.rng.random() < self.pauses:
                await ctx.tick()
            ctx.set(port.payload, payload)
            ctx.set(port.valid, 1)
            await ctx.tick().until(port.ready)
            if starts is not None:
                starts.append(self.cycle)
            ctx.set(port.valid, 0)

    async def count(self, ctx: Any) -> None:
        async for _ in ctx.tick():
            self.cycle += 1

    async def take(self, ctx: Any) -> None:
        port, outputs = self.core.predictions, self.core.network.outputs
        ready = self.pauses == 0
        while True:
            ctx.set(port.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(port.valid, port.payload)
            if valid and ready:
                values = [payload.results[output] for output in range(outputs)]
                self.predictions.append((self.cycle, values, payload.last))
            ready = bool(self.rng.random() >= self.pauses)


def last_of(index: int) -> int:
    """Whether a record is marked as the last of a packet."""
    return int(index % 3 == 2)


def train(core: TrainingCore, records: Records, trained: np.ndarray, pauses: float) -> tuple[Streams, list[np.ndarray]]:
    """Run records through a core; returns its streams, and the nodes that it has afterwards."""
    streams = Streams(core, pauses)
    rows = zip(records.arguments.tolist(), trained.tolist(), strict=True)
    payloads = [
        {"arguments": codes, "train": int(train), "last": last_of(index)} for index, (codes, train) in enumerate(rows)
    ]
    targets = records.targets[trained].tolist()
    nodes: list[np.ndarray] = []

    async def drive(ctx: Any) -> None:
        ctx.set(core.enable, 1)
        await ctx.tick()
        assert (await transfer(ctx, core.bus, Space.PARAMETERS, 0))[1], "nodes are refused while records may start"
        await streams.feed(ctx, core.records, payloads, streams.starts)
        ctx.set(core.enable, 0)
        await ctx.tick().until(core.idle)
        nodes.extend(await read_nodes(ctx, core, core.bus))

    async def feed_targets(ctx: Any) -> None:
        await streams.feed(ctx, core.targets, targets)

    simulate(core, streams, drive, feed_targets)
    return streams, nodes


def simulate(core: Any, streams: Streams, *testbenches: Any) -> None:
    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_process(streams.count)
    for each in testbenches:
        simulator.add_testbench(each)
    simulator.add_testbench(streams.take, background=True)
    simulator.run()


def check_predictions(streams: Streams, expected: np.ndarray) -> None:
    assert [values for _, values, _ in streams.predictions] == expected.tolist()
    assert [last for *_, last in streams.predictions] == [last_of(index) for index in range(len(expected))]


@pytest.mark.parametrize("technology", TECHNOLOGIES)
@pytest.mark.parametrize(
    ("shape", "exact", "pauses"),
    [
        ("one layer", False, 0.0),
        ("two layers", True, 0.4),
        ("two layers", False, 0.0),
        slow("one slot", False, 0.0),
        slow("one slot", True, 0.4),
        slow("three layers", True, 0.2),
        slow("three layers", False, 0.0),
        slow("walks", True, 0.6),
        slow("narrow", False, 0.0),
    ],
)
def test_a_training_core_has_the_oracles_bits(technology, shape, exact, pauses):
    network, taps, lanes = SHAPES[shape]
    plan = plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=exact)
    nodes, records = extreme(network, 20)
    trained = np.random.default_rng(1).random(20) < 0.8
    rates = rates_of(network)
    oracle = FixedReference(network, nodes, plan.schedule.staleness)
    expected, statistics = oracle.run(records, trained, rates)
    core = TrainingCore(plan, rates=rates, nodes=nodes)
    streams, after = train(core, records, trained, pauses)
    check_predictions(streams, expected)
    assert all(map(np.array_equal, after, oracle.nodes))
    assert statistics.saturations and any((a != b).any() for a, b in zip(after, nodes, strict=True))
    if not pauses:
        gaps = np.diff(streams.starts)
        assert set(gaps.tolist()) == {plan.schedule.initiation_interval}
        waits = [taken - start for (taken, *_), start in zip(streams.predictions, streams.starts, strict=True)]
        assert set(waits) == {core.latency}


@pytest.mark.parametrize("technology", TECHNOLOGIES)
@pytest.mark.parametrize(
    "shape", ["one layer", "three layers", slow("two layers"), slow("one slot"), slow("walks"), slow("narrow")]
)
@pytest.mark.parametrize("pauses", [0.0, 0.4])
def test_an_inference_core_has_the_oracles_bits(technology, shape, pauses):
    network, taps, lanes = SHAPES[shape]
    plan = plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology])
    nodes, records = extreme(network, 60)
    core = InferenceCore(plan, nodes)
    streams = Streams(core, pauses)
    payloads = [{"arguments": codes, "last": last_of(index)} for index, codes in enumerate(records.arguments.tolist())]

    async def drive(ctx: Any) -> None:
        await streams.feed(ctx, core.records, payloads, streams.starts)
        for _ in range(40 * core.latency):
            if len(streams.predictions) == len(payloads):
                break
            await ctx.tick()

    simulate(core, streams, drive)
    check_predictions(streams, FixedReference(network, nodes).predict(records.arguments))
    if not pauses:
        assert set(np.diff(streams.starts).tolist()) == {core.initiation_interval}
        waits = [taken - start for (taken, *_), start in zip(streams.predictions, streams.starts, strict=True)]
        assert set(waits) == {core.latency}


def test_a_record_waits_for_its_target_and_for_a_place_of_its_prediction():
    network, taps, lanes = SHAPES["two layers"]
    plan = plan_trainer(network, chain(taps, lanes), technology=ICE40UP5K, exact=True)
    nodes, records = ordinary(network, 1)
    core = TrainingCore(plan, rates=rates_of(network), nodes=nodes)
    codes = records.arguments[0].tolist()
    started: list[int] = []

    async def drive(ctx: Any) -> None:
        ctx.set(core.enable, 1)
        ctx.set(core.records.payload, {"arguments": codes, "train": 1, "last": 0})
        ctx.set(core.records.valid, 1)
        await ctx.tick().repeat(3 * plan.schedule.latency)
        assert not started and not ctx.get(core.records.ready)
        ctx.set(core.targets.payload, records.targets[0].tolist())
        ctx.set(core.targets.valid, 1)
        await ctx.tick().repeat((core.queue.depth + 4) * plan.schedule.latency)
        assert len(started) == core.queue.depth and not ctx.get(core.records.ready)
        ctx.set(core.predictions.ready, 1)
        await ctx.tick().repeat(plan.schedule.latency)
        assert len(started) > core.queue.depth

    async def count(ctx: Any) -> None:
        async for _, _, valid, ready in ctx.tick().sample(core.records.valid, core.records.ready):
            if valid and ready:
                started.append(1)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_process(count)
    simulator.run()


def test_the_port_for_registers_has_rates_statistics_and_faults():
    network, taps, lanes = SHAPES["two layers"]
    plan = plan_trainer(network, chain(taps, lanes), technology=ECP5, exact=True)
    core = TrainingCore(plan, rates=rates_of(network), nodes=ordinary(network, 1)[0])
    table = core_registers(2)

    async def drive(ctx: Any) -> None:
        rate = table.address("update_shift_1")
        await ctx.tick().repeat(2)
        assert ctx.get(core.trainer.update_shifts[0]) == network.word.update_shifts.index(2)
        assert await transfer(ctx, core.bus, Space.REGISTERS, rate, 4) == (0, 0, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(core.trainer.update_shifts[0]) == network.word.update_shifts.index(4)
        assert (await transfer(ctx, core.bus, Space.REGISTERS, table.words))[2]
        assert (await transfer(ctx, core.bus, Space.RECORDS, 0))[2]
        ctx.set(core.records.payload, {"arguments": [1, 2], "train": 0, "last": 0})
        ctx.set(core.records.valid, 1)
        ctx.set(core.enable, 1)
        await ctx.tick().until(core.records.ready)
        ctx.set(core.records.valid, 0)
        assert (await transfer(ctx, core.bus, Space.REGISTERS, rate, 1))[1], "writes are refused now"
        ctx.set(core.enable, 0)
        await ctx.tick().until(core.idle)
        assert await transfer(ctx, core.bus, Space.REGISTERS, table.address("records")) == (1, 0, 0)
        await transfer(ctx, core.bus, Space.REGISTERS, table.address("clear"), 0)
        assert await transfer(ctx, core.bus, Space.REGISTERS, table.address("records")) == (0, 0, 0)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def test_a_core_has_no_contexts():
    network, taps, lanes = SHAPES["two layers"]
    plan = plan_trainer(network, chain(taps, lanes), technology=ECP5, contexts=2)
    with pytest.raises(ValueError, match="a core has neither contexts nor pre-training"):
        TrainingCore(plan, rates=rates_of(network))
