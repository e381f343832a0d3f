"""The record store, used by the pass engine and the host, with a trainer that only takes records at its pace."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.technology import Technology
from hw.link.bus import BusSignature
from hw.soc.bus_targets import RecordTarget
from hw.soc.pass_engine import PassEngine
from hw.soc.record_store import RecordStore, arbitrate
from sw.spec.network import Network
from sw.spec.protocol import Mode
from tests.hw.bus import transfer

TECHNOLOGIES = {
    "single port": ICE40UP5K,
    "two ports": replace(ICE40UP5K, single_port_ram=None),
    "two ports, two cycles": ECP5,
}
WORDS = 64
FLIGHT = 7  # cycles that a record spends in the trainer, a prediction in fewer


class Harness(wiring.Component):
    """A store that a pass engine and a host use."""

    def __init__(self, network: Network, *, row_words: int, initiation_interval: int, technology: Technology):
        rows = WORDS // row_words
        self.store = RecordStore(width=network.width, rows=rows, row_words=row_words, technology=technology)
        self.runner = PassEngine(network, self.store, initiation_interval=initiation_interval)
        self.target = RecordTarget(self.store, word_bits=16)
        super().__init__({"bus": In(BusSignature(16))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store, m.submodules.runner, m.submodules.target = self.store, self.runner, self.target
        wiring.connect(m, wiring.flipped(self.bus), self.target.bus)
        arbitrate(m, self.store, self.runner.store, self.target.store)
        m.d.comb += self.target.busy.eq(self.runner.busy)
        return m


@dataclass
class Run:
    """A harness in the simulator, with a trainer that takes a record every `pace` cycles and gives back its arguments.

    Attributes
    ----------
    taken : list
        (cycle, arguments, targets, train) of each record.
    underruns : int
        Cycles in which the pass engine reports an underrun.
    """

    harness: Harness
    pace: int
    taken: list[tuple[int, list[int], list[int], int]] = field(default_factory=list)
    underruns: int = 0

    def __call__(self, host: Any) -> None:
        simulator = Simulator(self.harness)
        simulator.add_clock(1e-6)
        simulator.add_testbench(host)
        simulator.add_testbench(self._train, background=True)
        simulator.run()

    async def _train(self, ctx: Any) -> None:
        runner = self.harness.runner
        outputs = runner.network.outputs
        ready_at, cycle, flying = 0, 0, list[tuple[int, list[int]]]()
        while True:
            ready = cycle >= ready_at
            ctx.set(runner.records.ready, ready)
            ctx.set(runner.trainer_idle, not flying)
            predicted = [arguments for end, arguments in flying if end == cycle + 2]
            ctx.set(runner.predicted_valid, bool(predicted))
            if predicted:
                ctx.set(runner.predicted, predicted[0][:outputs])
            self.underruns += ctx.get(runner.underrun)
            if ctx.get(runner.records.valid) and ready:
                record = ctx.get(runner.records.payload)
                arguments, targets = list(record.arguments), list(record.targets)
                self.taken.append((cycle, arguments, targets, record.train))
                flying.append((cycle + FLIGHT, arguments))
                ready_at = cycle + self.pace
            flying = [flight for flight in flying if flight[0] > cycle]
            await ctx.tick()
            cycle += 1

    async def write(self, ctx: Any, address: int, word: int) -> None:
        await transfer(ctx, self.harness.bus, address, word)

    async def read(self, ctx: Any, address: int) -> int:
        return (await transfer(ctx, self.harness.bus, address))[0]

    async def load(self, ctx: Any, records: list[list[int]], first: int) -> None:
        runner = self.harness.runner
        row_words = self.harness.store.row_words
        for number, record in enumerate(records):
            for place, word in enumerate(record):
                await self.write(ctx, (first + number * runner.record_rows) * row_words + place, word)

    async def start(self, ctx: Any, mode: Mode, count: int, *, first: int = 0, results: int = 0) -> None:
        runner = self.harness.runner
        for name, value in (("mode", mode), ("count", count), ("first", first), ("results", results), ("start", 1)):
            ctx.set(getattr(runner, name), value)
        await ctx.tick()
        ctx.set(runner.start, 0)
        assert ctx.get(runner.busy)

    async def end(self, ctx: Any) -> None:
        await ctx.tick().until(~self.harness.runner.busy)


def records_of(network: Network, count: int) -> list[list[int]]:
    """Return records whose words are all different."""
    numbers: Iterator[int] = iter(range(100, 10_000))
    return [[next(numbers) for _ in range(network.record_words)] for _ in range(count)]


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
@pytest.mark.parametrize(("initiation_interval", "row_words"), [(1, 4), (2, 2), (2, 4), (5, 1), (5, 4)])
def test_a_record_comes_every_interval_each_once_and_in_order(
    technology: Technology, initiation_interval: int, row_words: int
) -> None:
    network = Network.two_layer(3, 2, (2, 2))
    run = Run(
        Harness(network, row_words=row_words, initiation_interval=initiation_interval, technology=technology),
        initiation_interval,
    )
    records, first = records_of(network, 7), 2

    async def host(ctx: Any) -> None:
        await run.load(ctx, records, first)
        for _ in range(2):
            await run.start(ctx, Mode.TRAIN, len(records), first=first)
            await run.end(ctx)

    run(host)
    assert [(arguments + targets, train) for _, arguments, targets, train in run.taken] == [
        (record, 1) for record in records
    ] * 2
    begun = run.taken[0][0], run.taken[len(records)][0]
    assert [cycle for cycle, *_ in run.taken] == [
        start + initiation_interval * number for start in begun for number in range(len(records))
    ]
    assert run.underruns == 0


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
@pytest.mark.parametrize(("initiation_interval", "row_words", "outputs"), [(1, 8, 1), (1, 8, 3), (6, 1, 3), (20, 2, 3)])
def test_no_prediction_is_lost(technology: Technology, initiation_interval: int, row_words: int, outputs: int) -> None:
    network = Network.two_layer(3, 2, (2, 2), outputs=outputs)
    run = Run(
        Harness(network, row_words=row_words, initiation_interval=initiation_interval, technology=technology),
        initiation_interval,
    )
    records = records_of(network, 5)
    results = WORDS - len(records) * outputs
    read_words = []

    async def host(ctx: Any) -> None:
        await run.load(ctx, records, 0)
        await run.start(ctx, Mode.PREDICT, len(records), results=results)
        await run.end(ctx)
        read_words.extend([await run.read(ctx, address) for address in range(results, WORDS)])

    run(host)
    assert [(arguments + targets, train) for _, arguments, targets, train in run.taken] == [
        (record, 0) for record in records
    ]
    assert read_words == [word for record in records for word in record[:outputs]]
    assert run.underruns == 0


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
@pytest.mark.parametrize(("initiation_interval", "row_words", "outputs"), [(2, 4, 1), (5, 4, 3), (9, 1, 3)])
def test_predictions_in_training_take_the_place_of_its_records(
    technology: Technology, initiation_interval: int, row_words: int, outputs: int
) -> None:
    """The host writes the next records meanwhile."""
    network = Network.two_layer(3, 2, (2, 2), outputs=outputs)
    run = Run(
        Harness(network, row_words=row_words, initiation_interval=initiation_interval, technology=technology),
        initiation_interval,
    )
    count = WORDS // 2 // row_words // run.harness.runner.record_rows
    records, following = records_of(network, count), records_of(network, count)
    half = count * run.harness.runner.record_rows
    read_words = []

    async def host(ctx: Any) -> None:
        await run.load(ctx, records, 0)
        await run.start(ctx, Mode.PREDICT_AND_TRAIN, count)
        await run.load(ctx, following, half)
        await run.end(ctx)
        read_words.extend([await run.read(ctx, address) for address in range(count * outputs)])
        await run.start(ctx, Mode.PREDICT_AND_TRAIN, count, first=half, results=half * row_words)
        await run.end(ctx)
        read_words.extend([await run.read(ctx, half * row_words + place) for place in range(count * outputs)])

    run(host)
    assert [(arguments + targets, train) for _, arguments, targets, train in run.taken] == [
        (record, 1) for record in records + following
    ]
    assert read_words == [word for record in records + following for word in record[:outputs]]
    cycles = [cycle for cycle, *_ in run.taken[:count]]
    assert cycles == list(range(cycles[0], cycles[0] + count * initiation_interval, initiation_interval))
    assert run.underruns == 0


@pytest.mark.parametrize(("technology", "lost"), [(ICE40UP5K, True), (ECP5, False)], ids=["single port", "two ports"])
@pytest.mark.parametrize(("outputs", "row_words"), [(1, 4), (3, 8)])
def test_training_that_loses_predictions_says_so(
    technology: Technology, lost: bool, outputs: int, row_words: int
) -> None:
    """A clock is too short to write three words, and with a single-port RAM to read and write."""
    network = Network.two_layer(3, 2, (2, 2), outputs=outputs)
    run = Run(Harness(network, row_words=row_words, initiation_interval=1, technology=technology), 1)

    async def host(ctx: Any) -> None:
        await run.start(ctx, Mode.PREDICT_AND_TRAIN, WORDS // row_words)
        await run.end(ctx)

    run(host)
    assert (run.underruns > 0) == (lost or outputs > 1)


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
@pytest.mark.parametrize("mode", [Mode.TRAIN, Mode.PREDICT])
@pytest.mark.parametrize(("initiation_interval", "row_words"), [(1, 4), (5, 2)])
def test_the_host_writes_beside_a_pass_and_does_not_read(
    technology: Technology, mode: Mode, initiation_interval: int, row_words: int
) -> None:
    """The host writes the store's other half: no word is lost, and the pass is as it is without the writes."""
    network = Network.two_layer(3, 2, (2, 2))
    run = Run(
        Harness(network, row_words=row_words, initiation_interval=initiation_interval, technology=technology),
        initiation_interval,
    )
    records, words = records_of(network, 6), list(range(1000, 1008))
    answers, read_words = [], []

    async def host(ctx: Any) -> None:
        await run.load(ctx, records, 0)
        await run.start(ctx, mode, len(records), results=56)
        answers.append((await transfer(ctx, run.harness.bus, 40))[1:])
        for place, word in enumerate(words):
            await run.write(ctx, 40 + place, word)
        await run.end(ctx)
        read_words.extend([await run.read(ctx, 40 + place) for place in range(len(words))])
        answers.append((await transfer(ctx, run.harness.bus, WORDS, 0))[1:])

    run(host)
    assert [arguments + targets for _, arguments, targets, _ in run.taken] == records
    assert {later[0] - cycle[0] for cycle, later in zip(run.taken, run.taken[1:], strict=False)} == {
        initiation_interval if mode == Mode.TRAIN else run.harness.runner.prediction_interval
    }
    assert read_words == words
    assert answers == [(1, 0), (0, 1)]
    assert run.underruns == 0


@pytest.mark.parametrize(("mode", "pace"), [(Mode.TRAIN, 4), (Mode.TRAIN, 2), (Mode.PREDICT, 4)])
def test_a_pass_that_is_not_in_step_with_the_trainer_says_so(mode: Mode, pace: int) -> None:
    network = Network.two_layer(3, 2, (2, 2))
    run = Run(Harness(network, row_words=4, initiation_interval=3, technology=ECP5), pace)

    async def host(ctx: Any) -> None:
        await run.start(ctx, mode, 5)
        await run.end(ctx)

    run(host)
    assert run.underruns > 0


def test_records_of_a_prediction_need_not_keep_the_trainers_pace() -> None:
    network = Network.two_layer(3, 2, (2, 2))
    run = Run(Harness(network, row_words=4, initiation_interval=3, technology=ECP5), 2)

    async def host(ctx: Any) -> None:
        await run.start(ctx, Mode.PREDICT, 5)
        await run.end(ctx)

    run(host)
    assert len(run.taken) == 5
    assert run.underruns == 0


def test_a_pass_over_nothing_ends() -> None:
    network = Network.two_layer(3, 2, (2, 2))
    run = Run(Harness(network, row_words=4, initiation_interval=3, technology=ECP5), 3)

    async def host(ctx: Any) -> None:
        await run.start(ctx, Mode.TRAIN, 0)
        await run.end(ctx)

    run(host)
    assert run.taken == []
