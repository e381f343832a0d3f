"""Proofs that a record which is admitted is finished, when its plan says, whenever others come or do not come."""

from dataclasses import replace

import pytest
from amaranth.hdl import Cat, Const, Value

from hw.datapath import trainer
from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5_LOW_LATENCY
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.addresses import LAYER_ADDRESS_BITS
from sw.spec.network import Network
from tests.formal import Claims, RefutedError
from tests.slow import slow


def finishing(plan: TrainerPlan) -> Claims:
    """Claim that each record has its result and its end in their clocks, and that a trainer is idle without any."""
    claims = Claims(dut := TrainerCore(plan))
    claims.assume(~dut.clear & ~dut.access.select & ~dut.access.write)
    schedule, in_flight = plan.schedule, claims.inside["in_flight"]
    started = [dut.records.valid & dut.records.ready]  # in each of the last clocks
    for _ in range(schedule.latency):
        started.append(claims.before(started[-1]))
    there = Cat(started[1:])
    claims.claim(dut.results_valid == started[schedule.result_latency], "a result comes in the clock of the plan")
    claims.claim(in_flight == sum(there), "a record is in flight until the clock of its last write")
    claims.claim(in_flight <= schedule.records_in_flight, "no more records than the plan counts")
    claims.claim(~dut.idle | ~there.any(), "no record is in flight while the trainer is idle")
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


def addressed(plan: TrainerPlan) -> Claims:
    """Claim that the host's access is to the nodes of the address tables, and that all else is a fault."""
    claims = Claims(dut := TrainerCore(plan))
    address, write = claims.before(dut.access.address), claims.before(dut.access.write)
    begun = claims.before(Const(1, 1))
    known: Value = Const(0, 1)
    for index, addresses in enumerate(dut.addresses):
        table = [each | index << LAYER_ADDRESS_BITS for each in addresses.table().ravel().tolist()]
        inside = Cat(address == each for each in table).any()
        written = dut.units[index].access.write
        claims.claim(~begun | (written == (write & inside)), f"a node of layer {index} is written where there is one")
        known |= inside
    claims.claim(~begun | (dut.access.fault == ~known), "an address is a fault where there is no node")
    return claims


@pytest.mark.parametrize("technology", [ECP5_LOW_LATENCY, slow(ICE40UP5K)])
def test_every_address_without_a_node_is_a_fault_and_writes_nothing(technology):
    """Of all 24 bits of an address: those of the layers, and those within a layer."""
    addressed(planned((3, 2, 1), technology, lanes=(2, 1))).prove(contents=False)


def test_layers_that_lie_elsewhere_are_refuted(monkeypatch):
    monkeypatch.setattr(trainer, "LAYER_ADDRESS_BITS", LAYER_ADDRESS_BITS - 1)
    with pytest.raises(RefutedError, match="where there is"):
        addressed(planned((1, 1, 1))).prove(contents=False)
