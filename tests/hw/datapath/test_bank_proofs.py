"""Proofs that a bank of nodes loses no update and reads no row that is being written, in any order of rows."""

from typing import Any

import pytest
from amaranth.hdl import Const, Mux, Signal, signed

from hw.datapath import node_bank
from hw.datapath.node_bank import NodeBank, NodeRead
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.technology import Technology
from tests.formal import Claims, RefutedError
from tests.hw.datapath.memories import UnkindMemory
from tests.slow import slow

ROWS, WIDTH = 2, 3


@pytest.fixture(autouse=True)
def unkind_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the bank a memory whose rows are wrong when they are read while they are written."""
    monkeypatch.setattr(node_bank, "Memory", UnkindMemory)


def bank(technology: Technology, *, revisit: int, promised: int) -> Claims:
    """Claim that any one row is what all updates of it make, one after the other, each limited to a word.

    An update of a row comes `revisit` clocks after the last one of it at the least; the bank is built for `promised`.
    """
    read = NodeRead.of(ROWS, technology)
    dut = NodeBank(rows=ROWS, width=WIDTH, lanes=1, technology=technology, read=read, revisit=promised)
    assert dut.forwarding and dut.write_stage == read.latency + 1
    claims = Claims(dut)
    m, watched = claims.m, claims.constant(dut.update.row.shape(), "watched")
    claims.assume(~dut.access.write)

    def earlier(value, clocks: int):
        for _ in range(clocks):
            value = claims.before(value)
        return value

    updated = (dut.update.row == watched) & dut.update.enable
    for clocks in range(1, revisit):
        claims.assume(
            ~dut.update.enable
            | (earlier(dut.update.row, clocks) != dut.update.row)
            | ~earlier(dut.update.enable, clocks)
        )
    node, high = Signal(signed(WIDTH), name="node"), (1 << WIDTH - 1) - 1
    total = node + dut.update.changes[0]
    with m.If(earlier(updated, read.latency)):
        m.d.sync += node.eq(Mux(total > high, high, Mux(total < -high - 1, -high - 1, total)))
    found = dut.update.nodes[0] == node
    claims.claim(~earlier(updated, read.latency) | found, "an update adds to what those before it leave")
    # The forward pass sees what is written in the clock of its read, or before.
    asked = earlier(dut.forward.row == watched, read.latency)
    begun = earlier(Const(1, 1), dut.write_stage)
    seen = earlier(node, read.latency - read.stage)
    claims.claim(~begun | ~asked | (dut.forward.nodes[0] == seen), "the forward pass reads whole updates")
    return claims


@pytest.mark.parametrize(
    ("technology", "revisit"), [(ICE40UP5K, 1), (ICE40UP5K, 2), (ECP5, 1), (ECP5, 3), slow(ECP5, 2)]
)
def test_no_update_is_lost_and_no_row_is_read_while_it_is_written(technology, revisit):
    bank(technology, revisit=revisit, promised=revisit).bounded(10)


def test_updates_that_come_sooner_than_the_bank_was_built_for_are_refuted():
    with pytest.raises(RefutedError, match="an update adds to what those before it leave"):
        bank(ECP5, revisit=1, promised=2).bounded(10)


def test_a_forward_pass_that_reads_a_row_while_it_is_written_is_refuted(monkeypatch):
    read = NodeBank._read

    def unforwarded(self: NodeBank, pipe: Any, port: Any, row: Any, updates: Any, forwarded: range) -> Any:
        return read(self, pipe, port, row, updates, forwarded if len(forwarded) > 1 else range(0))

    monkeypatch.setattr(NodeBank, "_read", unforwarded)
    with pytest.raises(RefutedError, match="the forward pass reads whole updates"):
        bank(ICE40UP5K, revisit=1, promised=1).bounded(10)
