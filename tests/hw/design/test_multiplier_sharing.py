"""Multipliers that several products share: how many there are, and that they are hardly ever idle."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Fragment
from amaranth.sim import Simulator

import boards
from hw.datapath.layer import LayerUnit
from hw.datapath.multiplier import Multiplier
from hw.datapath.trainer import PlanMismatchError, TrainerCore
from hw.design.design import Design
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import slot_orders_of
from hw.schedule.timing import Sharing
from sw.spec.chance import FINE
from sw.spec.network import Network
from sw.spec.schedule import shifted_layers
from tests.hw.datapath.test_trainer import SHAPES, THROUGHPUT
from tests.slow import crossed

NORM4 = Network.two_layer(4, 16, (4, 32))
ALONE = Sharing()


@pytest.mark.parametrize(
    ("network", "taps", "lanes", "technology", "sharings"),
    [
        (NORM4, 4, (1, 1), ICE40UP5K, (ALONE, ALONE)),
        (NORM4, 2, (1, 1), ICE40UP5K, (ALONE, Sharing(2))),
        (NORM4, 1, (1, 1), ICE40UP5K, (ALONE, Sharing(3))),
        (Network.two_layer(3, 16, (4, 32)), 1, (1, 1), ICE40UP5K, (ALONE, Sharing(3, wait=1))),
        (Network.chain((12, 60, 10, 4), (4, 8, 16)), 12, (2, 10, 1), ECP5, (ALONE, ALONE, Sharing(3))),
        (
            Network.chain((6, 53, 11, 4, 1), (4, 8, 8, 16)),
            6,
            (1, 11, 1, 1),
            ECP5,
            (ALONE, ALONE, Sharing(3), Sharing(3)),
        ),
    ],
    ids=["busy", "every other clock", "every fourth", "every third", "tetra-faces", "triangle"],
)
def test_a_layer_shares_as_many_products_as_its_slots_leave_room_for(network, taps, lanes, technology, sharings):
    plan = plan_trainer(network, chain(taps, lanes), technology=technology)
    assert tuple(layer.sharing for layer in plan.layers) == sharings


@pytest.mark.parametrize("exact", [False, True])
def test_fine_bits_take_no_multiplier_and_no_clock(exact: bool) -> None:
    plans = [plan_trainer(replace(NORM4, fine=fine), chain(2, (1, 1)), technology=ECP5, exact=exact) for fine in FINE]
    assert plans[0].multipliers == plans[1].multipliers and plans[0].schedule == plans[1].schedule
    assert [layer.timing for layer in plans[0].layers] == [layer.timing for layer in plans[1].layers]


@pytest.mark.parametrize(("shape", "board", "exact"), crossed(SHAPES, boards.names(), (True, False), every=8))
def test_a_plan_counts_the_multipliers_that_its_trainer_has(shape, board, exact, monkeypatch):
    """And sharing makes no record wait. That the latencies are the plan's, the trainer checks itself."""
    network, taps, lanes = SHAPES[shape]
    plan = Design(board=boards.find(board), network=network, lanes=lanes, taps=taps, exact=exact).plan
    unshared = [
        replace(layer, sharing=ALONE, timing=unshared_timing(plan, index)) for index, layer in enumerate(plan.layers)
    ]
    assert plan.schedule.initiation_interval <= Schedule.of(slot_orders_of(unshared), exact=exact).initiation_interval
    made: list[Elaboratable] = []
    monkeypatch.setattr(Multiplier, "elaborate", recording(Multiplier.elaborate, made))
    trainer = TrainerCore(plan)
    Fragment.get(trainer, None)
    assert len(made) == sum(len(unit.multipliers) for unit in trainer.units) == plan.multipliers


def unshared_timing(plan, index):
    """The latencies of a layer in which each product has a multiplier, from its whole gateware."""
    layer, folding = plan.network.layers[index], plan.foldings[index]
    unit = LayerUnit(
        plan.network.formats[index],
        inputs=layer.inputs,
        outputs=layer.outputs,
        taps=folding.taps,
        lanes=folding.lanes,
        technology=plan.technology,
        back_shifts=plan.back_shifts[index - 1] if index else range(0),
        shifts_steps=index in shifted_layers(len(plan.layers)),
        revisit=plan.revisit,
    )
    Fragment.get(unit, None)
    return unit.timing


def test_a_trainer_refuses_a_plan_with_other_latencies():
    plan = plan_trainer(NORM4, chain(2, (1, 1)), technology=ICE40UP5K)
    first, last = plan.layers
    late = replace(last, timing=replace(last.timing, result=last.timing.result + 1))
    with pytest.raises(PlanMismatchError, match="layer 1 was built with"):
        Fragment.get(TrainerCore(replace(plan, layers=(first, late))), None)


def recording(elaborate, made):
    def recorded(self, platform):
        made.append(self)
        return elaborate(self, platform)

    return recorded


@pytest.mark.parametrize(("taps", "multipliers"), [(2, 6), (1, 3)])
@pytest.mark.parametrize("technology", THROUGHPUT.values(), ids=THROUGHPUT)
def test_multipliers_are_busy_in_nine_clocks_of_ten(taps, multipliers, technology):
    """In steady state, and none has two uses in a clock."""
    trainer = TrainerCore(plan_trainer(NORM4, chain(taps, (1, 1)), technology=technology, exact=False))
    uses = [[use.value for use in multiplier.uses] for unit in trainer.units for multiplier in unit.multipliers]
    initiation_interval, before = trainer.plan.schedule.initiation_interval, trainer.plan.schedule.records_in_flight
    counts = np.zeros((initiation_interval, len(uses)), dtype=int)

    async def drive(ctx):
        ctx.set(trainer.records.payload.train, 1)
        ctx.set(trainer.records.valid, 1)
        await ctx.tick().repeat(before * initiation_interval)
        for clock in range(initiation_interval):
            counts[clock] = [sum(map(ctx.get, values)) for values in uses]
            await ctx.tick()

    simulator = Simulator(trainer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert len(uses) == multipliers
    assert counts.max() == 1
    assert counts.mean() >= 0.9
    assert counts.sum() == NORM4.products


@pytest.mark.parametrize("taps", [1, 2])
def test_no_multiplier_has_two_uses_in_a_clock_however_late_a_record_comes(taps):
    """The simulation would fail. What comes late in a pass of training is refused, but not in one of prediction."""
    network = Network.two_layer(4, 6, (4, 8))
    trainer = TrainerCore(plan_trainer(network, chain(taps, (1, 1)), technology=ICE40UP5K, exact=False))
    late = np.random.default_rng(0).integers(1, 2 * trainer.plan.schedule.initiation_interval, 30)
    shared = [multiplier for multiplier in trainer.units[1].multipliers if len(multiplier.uses) > 1]
    seen = [0]

    async def drive(ctx):
        for cycles in late:
            await ctx.tick().repeat(int(cycles))
            ctx.set(trainer.records.valid, 1)
            await ctx.tick().until(trainer.records.ready)
            ctx.set(trainer.records.valid, 0)
        await ctx.tick().until(trainer.idle)

    async def watch(ctx):
        async for _, _, *values in ctx.tick().sample(*(use.value for use in shared[0].uses)):
            seen[0] += sum(values)

    simulator = Simulator(trainer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_process(watch)
    simulator.run()
    assert seen[0] == len(late) * trainer.units[1].slots * len(shared[0].uses)
