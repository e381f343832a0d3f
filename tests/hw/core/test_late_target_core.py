"""A core whose targets come late, in Amaranth's simulator: the oracle's bits over its starts, whatever waits."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.core.late_target_core import LateTargetCore
from hw.core.training_core import TrainingCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sw.oracle.fixed import FixedReference
from sw.spec.network import Network
from sw.spec.records import Records
from tests.cases import RATES, extreme, ordinary
from tests.hw.core.bus_access import read_nodes

NETWORK = Network.two_layer(2, 4, (4, 8))
TAG_BITS = 3


def core_of(nodes: list[np.ndarray], technology: Any = ICE40UP5K) -> LateTargetCore:
    plan = plan_trainer(NETWORK, chain(1, (1, 1)), technology=technology, exact=True)
    return LateTargetCore(TrainingCore(plan, rates=RATES, nodes=nodes), tag_bits=TAG_BITS)


class Bench:
    """A core in the simulator, whose starts and predictions are written down.

    Attributes
    ----------
    starts : list of (list of int, int)
        Argument codes of each start, and whether it trains.
    predictions : list of (int, list of int)
        Tag and results of each prediction.
    nodes : list of ndarray
        The nodes of each layer at the end.
    """

    def __init__(self, core: LateTargetCore, pauses: float):
        self.core, self.pauses, self.rng = core, pauses, np.random.default_rng(3)
        self.starts: list[tuple[list[int], int]] = []
        self.predictions: list[tuple[int, list[int]]] = []
        self.nodes: list[np.ndarray] = []

    def __call__(self, drive: Any) -> None:
        async def enabled(ctx: Any) -> None:
            ctx.set(self.core.enable, 1)
            await drive(ctx)
            ctx.set(self.core.enable, 0)
            await ctx.tick().until(self.core.idle)
            await ctx.tick().repeat(40)  # the last predictions may wait
            self.nodes = await read_nodes(ctx, self.core.core, self.core.bus)

        simulator = Simulator(self.core)
        simulator.add_clock(1e-6)
        simulator.add_testbench(enabled)
        simulator.add_testbench(self._take, background=True)
        simulator.add_process(self._watch)
        simulator.run()

    async def send(self, ctx: Any, port: Any, payload: Any) -> None:
        """Offer a payload until it is taken."""
        while self.rng.random() < self.pauses:
            await ctx.tick()
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)

    async def _take(self, ctx: Any) -> None:
        port, ready = self.core.predictions, 1
        while True:
            ctx.set(port.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(port.valid, port.payload)
            if valid and ready:
                self.predictions.append((payload.tag, [payload.results[index] for index in range(NETWORK.outputs)]))
            ready = int(self.rng.random() >= self.pauses)

    async def _watch(self, ctx: Any) -> None:
        port = self.core.core.records
        async for _, _, valid, ready, payload in ctx.tick().sample(port.valid, port.ready, port.payload):
            if valid and ready:
                self.starts.append((list(payload.arguments), payload.train))


@pytest.mark.parametrize(("technology", "pauses"), [(ICE40UP5K, 0.0), (ECP5, 0.4)], ids=["ice40", "ecp5"])
def test_targets_that_come_late_in_any_order_train_to_the_oracles_bits(technology: Any, pauses: float) -> None:
    """Some never come. A record's second forward pass sees what has been learnt since its prediction."""
    nodes, records = extreme(NETWORK, 24)
    bench = Bench(core_of(nodes, technology), pauses)
    rng = np.random.default_rng(5)
    order: list[tuple[int, bool]] = []  # of records, and of targets among them

    async def drive(ctx: Any) -> None:
        waiting: list[int] = []
        for number, codes in enumerate(records.arguments.tolist()):
            record = {"arguments": codes, "tag": number % (1 << TAG_BITS)}
            await bench.send(ctx, bench.core.records, record)
            order.append((number, False))
            waiting = [each for each in [*waiting, number] if number - each < (1 << TAG_BITS) - 1]
            for _ in range(int(rng.integers(0, 3))):
                if waiting:
                    late = waiting.pop(int(rng.integers(len(waiting))))
                    target = {"values": records.targets[late].tolist(), "tag": late % (1 << TAG_BITS)}
                    await bench.send(ctx, bench.core.targets, target)
                    order.append((late, True))

    bench(drive)
    rows, trained = (np.array(column) for column in zip(*order, strict=True))
    starts = Records(records.arguments[rows], records.targets[rows])
    assert bench.starts == [
        (codes, int(train)) for codes, train in zip(starts.arguments.tolist(), trained, strict=True)
    ]
    oracle = FixedReference(NETWORK, nodes)
    results, _ = oracle.run(starts, trained, RATES)
    assert 0 < trained.sum() < len(records) and any(np.diff(rows[trained]) < 0)
    assert bench.predictions == [
        (row % (1 << TAG_BITS), result) for row, result in zip(rows[~trained], results[~trained].tolist(), strict=True)
    ]
    assert all(map(np.array_equal, bench.nodes, oracle.nodes))


def test_a_target_without_a_record_that_waits_for_it_is_dropped() -> None:
    """Before the first record, after the record's own target, and of a record whose place another one has taken."""
    nodes, records = ordinary(NETWORK, 3)
    bench = Bench(core_of(nodes), 0.0)
    codes, words = records.arguments.tolist(), records.targets.tolist()

    async def drive(ctx: Any) -> None:
        for step in ("target", 0, "target", "target", 1, 2, "target", "target"):
            if step == "target":
                await bench.send(ctx, bench.core.targets, {"values": words[0], "tag": 5})
            else:
                await bench.send(ctx, bench.core.records, {"arguments": codes[step], "tag": 5})

    bench(drive)
    assert bench.starts == [(codes[0], 0), (codes[0], 1), (codes[1], 0), (codes[2], 0), (codes[2], 1)]
    assert [tag for tag, _ in bench.predictions] == [5] * 3


def test_a_core_without_tags_is_refused() -> None:
    plan = plan_trainer(NETWORK, chain(1, (1, 1)), technology=ICE40UP5K, exact=True)
    with pytest.raises(ValueError, match="tag_bits is 0"):
        LateTargetCore(TrainingCore(plan, rates=RATES), tag_bits=0)
