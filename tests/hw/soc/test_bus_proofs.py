"""Proofs that each target of the bus answers every transfer, once and in its time."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from amaranth.hdl import Cat, Const, Mux, Signal, Value

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


def faulting(dut: Any, legal: Callable[[Value, Value], Any]) -> Claims:
    """Claim that a transfer is a fault exactly if it is not `legal`, which is given its address and its direction."""
    claims = Claims(dut)
    claims.lawful(dut)
    bus = dut.bus
    claims.claim(
        ~bus.ready | (bus.fault == ~legal(bus.address, bus.write)), "an address that is in no table is a fault"
    )
    return claims


def any_of(address: Value, addresses: Iterable[int]) -> Value:
    return Cat(*(address == each for each in addresses), 0).any()


def test_every_address_without_a_register_is_a_fault_and_changes_none():
    table = core_registers(2)
    reads, writes = (
        [
            table.address(register.name) + word
            for register in table.values()
            if register.access == access
            for word in range(register.words)
        ]
        for access in ("r", "w")
    )
    dut = RegisterFile(table, counters=(), word_bits=16)
    claims = faulting(dut, lambda address, write: Mux(write, any_of(address, writes), any_of(address, reads)))
    waited = claims.inside["waited"]
    addressed, answered = claims.before(dut.bus.address), claims.before(dut.bus.valid)
    # The place is registered: it is that of the address from the second cycle on, in which nothing is written.
    claims.claim((waited == 0) | (answered & (dut.bus.address == addressed)), "a transfer keeps its address")
    claims.claim(~dut.bus.ready | (waited == 4), "a transfer is answered in its fifth cycle")
    written = dut.bus.ready & dut.bus.write & any_of(dut.bus.address, writes) & ~dut.locked
    control = dut.control.as_value()
    unwritten = ~claims.before(written)
    claims.claim(
        ~claims.before(Const(1, 1)) | ~unwritten | (control == claims.before(control)), "only a legal write changes one"
    )
    claims.prove(most=8)


def test_every_address_behind_the_text_and_every_write_is_a_fault():
    dut = TextTarget("a text", word_bits=16)
    faulting(dut, lambda address, write: ~write & (address < len(dut.words))).prove(contents=False)
