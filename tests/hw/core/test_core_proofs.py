"""Proofs about cores: predictions keep their order and their contract, and no record loses its place."""

import pytest
from amaranth.hdl import Array, Mux, Signal
from amaranth.lib import fifo as amaranth_fifo

from hw.core.inference_core import InferenceCore
from hw.core.late_target_core import LateTargetCore
from hw.core.prediction_queue import PredictionQueue
from hw.core.training_core import TrainingCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5_LOW_LATENCY
from hw.schedule.folding import chain
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.network import Network
from tests.cases import ordinary, rates_of
from tests.formal import Claims, RefutedError, counted
from tests.hw.datapath.memories import OpenMemory
from tests.slow import slow

NETWORK = Network.chain((1, 1), (2,), width=10)


@pytest.fixture
def open_memories(monkeypatch):
    """Let claims be about what FIFOs hold."""
    monkeypatch.setattr(amaranth_fifo, "Memory", OpenMemory)


def queue(*, depth: int, promised: int | None = None) -> Claims:
    """Claim that each record that starts while `free` gets its prediction out, in its turn.

    The datapath gives a prediction for a record that has started, at any later time.
    """
    claims = Claims(dut := PredictionQueue(NETWORK, depth=depth))
    m, inside = claims.m, claims.inside
    claims.lawful(dut)
    awaiting = counted(m, dut.start, dut.results_valid, depth + 1, "awaiting")
    if promised is None:
        claims.assume(~dut.start | dut.free)
    else:
        outside = counted(m, dut.start, dut.predictions.valid & dut.predictions.ready, promised, "outside")
        claims.assume(~dut.start | (outside < promised))
    claims.assume(~dut.results_valid | (awaiting != 0))
    claims.claim(~dut.results_valid | inside["fifo.w_rdy"], "there is a place for each prediction")
    level, places, produce, consume = (
        inside[name] for name in ("fifo.level", "places", "fifo.produce", "fifo.consume")
    )
    claims.claim(level + awaiting + places == depth, "each record that has started has a place")
    claims.claim((produce < depth) & (consume < depth), "places are of the ring")
    claims.claim(produce == _wrapped(consume + level, depth), "predictions lie between both ends")
    # Any prediction that comes begins to be watched: how many are still before it.
    watched, chosen = claims.constant(len(dut.results.as_value()), "watched"), claims.input(1, "chosen")
    watching, ahead = Signal(name="watching"), Signal.like(level, name="ahead")
    taken = dut.predictions.valid & dut.predictions.ready
    begins = chosen & dut.results_valid & ~watching
    claims.assume(~begins | (dut.results.as_value() == watched))
    with m.If(begins):
        m.d.sync += [watching.eq(1), ahead.eq(level - taken)]
    with m.Elif(watching & taken):
        m.d.sync += [watching.eq(ahead != 0), ahead.eq(ahead - (ahead != 0))]
    rows = Array(inside[f"fifo.storage.row{index}"][: len(watched)] for index in range(depth))
    claims.claim(~watching | (ahead < level), "the watched prediction is there")
    claims.claim(~watching | (rows[_wrapped(consume + ahead, depth)] == watched), "the watched prediction stays")
    next_to_leave = watching & (ahead == 0)
    claims.claim(
        ~next_to_leave | (dut.predictions.valid & (dut.predictions.payload.results.as_value() == watched)),
        "a prediction leaves after those that came before it",
    )
    return claims


def _wrapped(place, depth: int):
    return Mux(place >= depth, place - depth, place)


@pytest.mark.parametrize("depth", [3, slow(2), slow(5)])
def test_predictions_leave_in_the_order_of_their_records_and_each_has_a_place(open_memories, depth):
    queue(depth=depth).prove()


def test_a_core_that_starts_a_record_too_many_is_refuted(open_memories):
    with pytest.raises(RefutedError, match="place"):
        queue(depth=2, promised=3).bounded(8)


def planned() -> TrainerPlan:
    return plan_trainer(NETWORK, chain(1, (1,)), technology=ECP5_LOW_LATENCY)


CORES = {
    "training": lambda: TrainingCore(planned(), rates=rates_of(NETWORK, 1)),
    "late targets": lambda: LateTargetCore(TrainingCore(planned(), rates=rates_of(NETWORK, 1)), tag_bits=1),
    "inference": lambda: InferenceCore(planned(), ordinary(NETWORK, 0)[0]),
}


@pytest.mark.parametrize(("core", "clocks"), [*((core, 8) for core in CORES), *(slow(core, 12) for core in CORES)])
def test_a_core_offers_predictions_until_they_are_taken(open_memories, core, clocks):
    claims = Claims(dut := CORES[core]())
    claims.lawful(dut)
    claims.bounded(clocks, contents=False)
