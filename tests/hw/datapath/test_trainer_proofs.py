"""Proofs that a record which is admitted is finished, when its plan says, whenever others come or do not come."""

from dataclasses import replace

import pytest
from amaranth.hdl import Cat

from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5_LOW_LATENCY
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.network import Network
from tests.formal import Claims, RefutedError
from tests.slow import slow


def finishing(plan: TrainerPlan) -> Claims:
    """Claim that each record has its result and its end in their clocks, and that a trainer is idle without any."""
    claims = Claims(trainer := TrainerCore(plan))
    claims.assume(~trainer.clear & ~trainer.access.select & ~trainer.access.write)
    schedule, in_flight = plan.schedule, claims.inside["in_flight"]
    started = [trainer.records.valid & trainer.records.ready]  # in each of the last clocks
    for _ in range(schedule.latency):
        started.append(claims.before(started[-1]))
    there = Cat(started[1:])
    claims.claim(trainer.results_valid == started[schedule.result_latency], "a result comes in the clock of the plan")
    claims.claim(in_flight == sum(there), "a record is in flight until the clock of its last write")
    claims.claim(in_flight <= schedule.records_in_flight, "no more records than the plan counts")
    claims.claim(~trainer.idle | ~there.any(), "no record is in flight while the trainer is idle")
    return claims


def planned(
    sizes: tuple[int, ...], technology=ECP5_LOW_LATENCY, *, lanes: tuple[int, ...] | None = None
) -> TrainerPlan:
    """Return the plan of a small network; its latencies are few clocks, unless another technology is asked for."""
    layers = len(sizes) - 1
    return plan_trainer(
        Network.chain(sizes, (2,) * layers, width=10), chain(1, lanes or (1,) * layers), technology=technology
    )


@pytest.mark.parametrize(
    ("sizes", "technology"),
    [((1, 1), ECP5_LOW_LATENCY), ((1, 1, 1), ECP5_LOW_LATENCY), slow((1, 1, 1), ICE40UP5K)],
    ids=["one layer", "two layers", "two layers, throughput"],
)
def test_every_record_is_finished_in_time_for_ever(sizes, technology):
    plan = planned(sizes, technology)
    finishing(plan).prove(least=plan.schedule.latency + 1, contents=False)


@pytest.mark.parametrize("sizes", [slow((2, 2, 1)), slow((2, 1, 2, 1))])
def test_every_record_is_finished_in_time_in_all_runs_from_a_reset(sizes):
    """Of several slots, whose counters an induction would have to know."""
    plan = planned(sizes)
    finishing(plan).bounded(2 * plan.schedule.latency, contents=False)


def test_records_that_come_faster_than_their_slots_are_refuted():
    plan = planned((2, 1))
    assert plan.schedule.initiation_interval > 1
    hasty = replace(plan, schedule=replace(plan.schedule, initiation_interval=1))
    with pytest.raises(RefutedError, match=r"in the clock of the plan|until the clock of its last write"):
        finishing(hasty).bounded(10, contents=False)
