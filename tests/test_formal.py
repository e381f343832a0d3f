"""The helper of proofs refutes what is wrong, shows how, and never takes a bounded search for a proof."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hw.link.bus import BusSignature
from tests.formal import Claims, RefutedError, UndecidedError, counted
from tests.sim.designs import Echo


class Relay(wiring.Component):
    """A register between two streams; a `restless` one takes the next payload while the last one waits."""

    taken: In(stream.Signature(4))
    given: Out(stream.Signature(4))

    def __init__(self, *, restless: bool = False):
        self.restless = restless
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.taken.ready.eq(~self.given.valid | self.given.ready | self.restless)
        with m.If(self.taken.ready):
            m.d.sync += [self.given.valid.eq(self.taken.valid), self.given.payload.eq(self.taken.payload)]
        return m


class Asker(wiring.Component):
    """An initiator of bus transfers; an `impatient` one changes its address before the answer."""

    bus: Out(BusSignature(16))

    def __init__(self, *, impatient: bool = False):
        self.impatient = impatient
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.bus.valid.eq(1)
        with m.If(self.bus.ready | self.impatient):
            m.d.sync += self.bus.address.eq(self.bus.address + 1)
        return m


def lawful(component: wiring.Component) -> Claims:
    claims = Claims(component)
    claims.lawful(component)
    return claims


def test_a_stream_that_keeps_its_contract_is_proven_and_one_that_does_not_is_refuted():
    lawful(Relay()).prove()
    with pytest.raises(RefutedError, match="given is offered until it is taken"):
        lawful(Relay(restless=True)).prove()


def test_a_bus_that_keeps_its_contract_is_proven_and_one_that_does_not_is_refuted():
    lawful(Asker()).prove()
    with pytest.raises(RefutedError, match="bus is offered until it is taken"):
        lawful(Asker(impatient=True)).prove()


class Store(wiring.Component):
    """A FIFO of 3 values; it has its flags, and nothing that minds them."""

    value: In(2)
    write: In(1)
    read: In(1)
    full: Out(1)
    count: Out(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = fifo = SyncFIFO(width=2, depth=3)
        m.d.comb += [
            fifo.w_data.eq(self.value),
            fifo.w_en.eq(self.write),
            fifo.r_en.eq(self.read),
            self.full.eq(~fifo.w_rdy),
            self.count.eq(fifo.level),
        ]
        return m


def store(held: int) -> Claims:
    """A store that is written while it has fewer than `held` values."""
    claims = Claims(dut := Store())
    level = counted(claims.m, dut.write, dut.read, 4, "held")
    claims.assume(~dut.write | (level < held))
    claims.assume(~dut.read | (level != 0))
    claims.claim(~dut.write | ~dut.full, "nothing is written to a full FIFO")
    claims.claim(dut.count == level, "the level is right")
    return claims


def test_a_fifo_whose_full_flag_is_late_is_refuted_with_the_clocks_that_show_it():
    store(3).prove()
    with pytest.raises(RefutedError) as raised:
        store(4).prove(most=6)
    first, *clocks = str(raised.value).splitlines()
    assert first == "not so: nothing is written to a full FIFO"
    assert clocks[0].startswith("  clock init:") and clocks[-1].startswith("  clock 4:") and "claim0=0" in clocks[-1]


class Countdown(wiring.Component):
    """A counter that stays at 0, whence it begins."""

    zero: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, step = Signal(4), Signal()
        m.d.sync += [count.eq(count - (count != 0)), step.eq(~step)]
        m.d.comb += self.zero.eq(count == 0)
        return m


def standing() -> Claims:
    claims = Claims(dut := Countdown())
    claims.claim(dut.zero, "the count is 0")
    return claims


def test_what_holds_after_a_reset_need_not_hold_from_anywhere():
    standing().prove()
    with pytest.raises(RefutedError, match="the count is 0"):
        standing().prove(anywhere=True)


def rare() -> Claims:
    """What fails in clock 10 after a reset."""
    claims = Claims()
    count = Signal(4)
    claims.m.d.sync += count.eq(count + 1)
    claims.claim(count != 9, "the count is not 9")
    return claims


def test_no_refutation_in_few_clocks_is_no_proof():
    rare().bounded(9)
    with pytest.raises(UndecidedError, match="no induction of 4 clocks"):
        rare().prove()
    for refuting in (lambda: rare().bounded(10), lambda: rare().prove(most=12)):
        with pytest.raises(RefutedError, match="the count is not 9"):
            refuting()


def test_an_assertion_inside_a_component_is_a_claim():
    with pytest.raises(RefutedError, match="an assertion of the component"):
        Claims(Echo(clocks_per_bit=1, fails_on=255)).bounded(14)


def test_assumptions_that_no_run_keeps_prove_nothing():
    claims = Claims(dut := Relay())
    claims.assume(dut.taken.valid)
    claims.assume(~dut.taken.valid)
    claims.claim(dut.given.ready, "the reader is always ready")
    with pytest.raises(UndecidedError, match="no run is as it is assumed to be"):
        claims.prove()
