"""Proofs that a pass leaves the store alone once it has ended."""

import pytest
from amaranth.hdl import Signal

from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.soc.pass_engine import PassEngine
from hw.soc.record_store import RecordStore
from sw.spec.network import Network
from tests.formal import Claims, RefutedError

NETWORK = Network.chain((2, 2), (2,), width=10)


def ending(technology, *, idles: bool = True) -> Claims:
    """Claim that a pass engine reads and writes the store only while it is busy.

    The trainer is idle from some clock after its last result on, and not idle from the clock after a record on; one
    that never `idles` otherwise may say that it is idle before its last result.
    """
    store = RecordStore(width=10, rows=8, row_words=2, technology=technology)
    claims = Claims(dut := PassEngine(NETWORK, store, initiation_interval=4))
    m = claims.m
    working = Signal(name="working")
    with m.If(dut.records.valid & dut.records.ready):
        m.d.sync += working.eq(1)
    with m.Elif(claims.input(1, "done")):
        m.d.sync += working.eq(0)
    claims.assume(dut.trainer_idle == ~working)
    if idles:
        claims.assume(~dut.predicted_valid | working)
    claims.assume(~dut.start | ~dut.busy)
    claims.assume(~dut.store.written | dut.store.write)
    begun = claims.before(dut.start)
    claims.claim(~dut.store.write | dut.busy, "nothing is written after a pass")
    claims.claim(~dut.store.read | dut.busy, "nothing is read after a pass")
    claims.claim(~dut.records.valid | dut.busy, "no record is given after a pass")
    claims.claim(~begun | dut.busy, "a pass begins in the clock after its start")
    claims.claim(~working | dut.busy | begun, "no record is in the trainer after a pass")
    return claims


@pytest.mark.parametrize("technology", [ECP5, ICE40UP5K], ids=lambda technology: technology.name)
def test_a_pass_leaves_the_store_alone_when_it_has_ended(technology):
    ending(technology).prove(most=6)


def test_a_trainer_that_is_idle_too_early_is_refuted():
    with pytest.raises(RefutedError, match="nothing is written after a pass"):
        ending(ICE40UP5K, idles=False).prove(most=6)
