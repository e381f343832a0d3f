"""The clocks from a record to its prediction and to its last write, in simulation against the plan's."""

import pytest
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from hw.datapath import node_bank
from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5, ECP5_LOW_LATENCY
from hw.schedule.folding import chain
from sw.presets.catalogue import PRESETS
from tests.cases import KINDS
from tests.hw.datapath.test_trainer import SHAPES, TECHNOLOGIES
from tests.slow import crossed

FEW_CLOCKS = {"norm2": (PRESETS["norm2"].network, 2, (8, 1)), **SHAPES}


@pytest.mark.parametrize(
    ("shape", "technology", "exact"),
    [
        ("norm2", "low latency", True),
        ("norm2", "ECP5", True),
        *crossed(("one slot", "lanes", "outputs in turn", "three layers"), TECHNOLOGIES, (True, False), every=4),
    ],
)
def test_a_record_takes_the_clocks_of_its_plan(shape, technology, exact, monkeypatch):
    """From its start to its results, and to the last clock in which a node changes."""
    made: list[Memory] = []

    class Watched(Memory):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            made.append(self)

    monkeypatch.setattr(node_bank, "Memory", Watched)
    network, taps, lanes = FEW_CLOCKS[shape]
    nodes, records = KINDS["extreme"](network, 1)
    plan = plan_trainer(network, chain(taps, lanes), technology=TECHNOLOGIES[technology], exact=exact)
    trainer = TrainerCore(plan)
    trainer.preload(nodes)
    predicted, written = [], []

    async def drive(ctx):
        def stored():
            return [ctx.get(memory.data[row]) for memory in made for row in range(memory.depth)]

        record = trainer.records.payload
        for port, code in zip(record.arguments, records.arguments[0].tolist(), strict=True):
            ctx.set(port, code)
        for port, target in zip(record.targets, records.targets[0].tolist(), strict=True):
            ctx.set(port, target)
        ctx.set(record.train, 1)
        ctx.set(trainer.records.valid, 1)
        before = stored()
        for clock in range(plan.schedule.latency + 10):
            if ctx.get(trainer.results_valid):
                predicted.append(clock)
            await ctx.tick()
            ctx.set(trainer.records.valid, 0)
            after = stored()
            if after != before:
                written.append(clock + 1)
            before = after

    simulator = Simulator(trainer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert predicted[-1] == plan.schedule.result_latency
    assert written[-1] == plan.schedule.latency


def test_few_registers_take_fewer_clocks_for_a_prediction_and_an_update():
    network, taps, lanes = FEW_CLOCKS["norm2"]
    many, few = (
        plan_trainer(network, chain(taps, lanes), technology=technology, exact=True).schedule
        for technology in (ECP5, ECP5_LOW_LATENCY)
    )
    assert few.result_latency * 4 <= many.result_latency and few.latency * 4 <= many.latency
