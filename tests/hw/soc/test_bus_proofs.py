"""Proofs that each target of the bus answers every transfer, once and in its time."""

from typing import Any

import pytest
from amaranth.hdl import Signal

from hw.core.training_core import core_registers
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.soc import register_file
from hw.soc.bus_targets import NodeTarget, RecordTarget, TextTarget
from hw.soc.record_store import RecordStore
from hw.soc.register_file import RegisterFile
from tests.formal import Claims, RefutedError


def answering(dut: Any, cycles: range) -> Claims:
    """Claim that a transfer takes so many cycles, whenever it begins."""
    claims = Claims(dut)
    claims.lawful(dut)
    bus, waited = dut.bus, Signal(range(cycles.stop + 1), name="waited")
    with claims.m.If(bus.valid & ~bus.ready):
        claims.m.d.sync += waited.eq(waited + 1)
    with claims.m.Else():
        claims.m.d.sync += waited.eq(0)
    claims.claim(~bus.ready | bus.valid, "only a transfer is answered")
    claims.claim(~bus.ready | (waited + 1 >= cycles.start), "a transfer takes its cycles")
    claims.claim(waited < cycles.stop - 1, "a transfer is answered in its time")
    if "waited" in claims.inside:
        claims.claim(claims.inside["waited"] == waited, "the target counts the cycles")
    return claims


def record_target(technology: Any) -> Claims:
    """A target whose store writes at once."""
    store = RecordStore(width=10, rows=4, row_words=2, technology=technology)
    claims = answering(dut := RecordTarget(store, word_bits=16), range(2, store.latency + 4))
    claims.m.d.comb += dut.store.written.eq(dut.store.write)
    return claims


TARGETS = {
    "registers": lambda: answering(RegisterFile(core_registers(2), counters=(), word_bits=16), range(5, 6)),
    "nodes": lambda: answering(NodeTarget(width=10, latency=4, word_bits=16), range(5, 6)),
    "text": lambda: answering(TextTarget("a text", word_bits=16), range(1, 3)),
    "records, block RAM": lambda: record_target(ECP5),
    "records, single-port RAM": lambda: record_target(ICE40UP5K),
}


@pytest.mark.parametrize("name", TARGETS)
def test_every_transfer_is_answered_once_and_in_its_time(name):
    TARGETS[name]().prove(contents=False)


def test_registers_that_answer_a_cycle_late_are_refuted(monkeypatch):
    ready_after = register_file.ready_after
    monkeypatch.setattr(register_file, "ready_after", lambda m, bus, cycles: ready_after(m, bus, cycles + 1))
    with pytest.raises(RefutedError, match="in its time"):
        TARGETS["registers"]().bounded(8, contents=False)
