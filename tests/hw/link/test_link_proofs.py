"""Proofs about the link: streams keep their contracts, COBS comes back into step, and no byte is lost or doubled."""

import pytest
from amaranth.hdl import Cat, Signal

from hw.link import cobs
from hw.link.cobs import Decoder, Encoder
from hw.link.commands import CommandEngine
from hw.link.endpoint import Endpoint
from hw.link.frames import FrameReceiver, FrameTransmitter, PacketMemory
from tests.formal import Claims, RefutedError

DIGEST = bytes(8)
GIVE = 4  # of the packet memory; states have numbers in the order in which the gateware names them
TAKE, STORE, JUDGE, CHECK = range(4)  # of the receiver
BAD, LOST = "$signal#1", "$signal#2"  # of the receiver, in the order in which it drives signals that have no name


def decoder() -> Claims:
    claims = Claims(dut := Decoder())
    claims.lawful(dut)
    claims.assume(~(dut.clear & dut.bytes.valid))
    return claims


def packets(dut: PacketMemory | FrameReceiver, state: str) -> Claims:
    claims = lawful(dut)
    claims.claim(dut.packets.valid == (claims.inside[state] == GIVE), "packets are valid in one state")
    return claims


def lawful(dut) -> Claims:
    claims = Claims(dut)
    claims.lawful(dut)
    return claims


STREAMS = {
    "decoder": decoder,
    "encoder": lambda: lawful(Encoder()),
    "packet memory": lambda: packets(PacketMemory(depth=16, trailer_bytes=2), "fsm_state"),
    "transmitter": lambda: lawful(FrameTransmitter()),
    "receiver": lambda: packets(FrameReceiver(idle_cycles=16), "memory.fsm_state"),
    "endpoint": lambda: lawful(Endpoint(word_bytes=2, digest=DIGEST, idle_cycles=64)),
    "engine": lambda: lawful(CommandEngine(word_bytes=2, digest=DIGEST)),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_and_bus_offer_a_payload_until_it_is_taken(name):
    STREAMS[name]().prove(contents=False)


def resynchronising() -> Claims:
    """Two decoders, whatever they hold, of which the second is given the bytes that the first takes."""
    one, other = Decoder(), Decoder()
    claims = Claims(one, other)
    m = claims.m
    m.d.comb += [
        one.clear.eq(0),
        other.clear.eq(0),
        other.bytes.payload.eq(one.bytes.payload),
        other.bytes.valid.eq(one.bytes.valid & one.bytes.ready),
        other.tokens.ready.eq(1),
    ]
    taken, synchronous = Signal(), Signal(name="synchronous")
    m.d.comb += taken.eq(other.bytes.valid)
    with m.If(taken & (one.bytes.payload == 0)):
        m.d.sync += synchronous.eq(1)
    given = [
        Cat(dut.tokens.valid, Cat(dut.tokens.payload, dut.damaged) & dut.tokens.valid.replicate(10))
        for dut in (one, other)
    ]
    claims.claim(~taken | other.bytes.ready, "a byte is taken by both")
    claims.claim(~synchronous | ~taken | (given[0] == given[1]), "from a delimiter on, both give the same tokens")
    inside = [[claims.inside[f"{name}{which}"] for name in ("remaining", "full")] for which in ("", "#1")]
    (remaining, full), (other_remaining, other_full) = inside
    claims.claim(
        ~synchronous
        | ((one.active == other.active) & (remaining == other_remaining) & (~one.active | (full == other_full))),
        "from a delimiter on, both are in the same state",
    )
    return claims


def test_the_decoder_is_in_step_from_the_next_delimiter_on_whatever_its_registers_hold():
    resynchronising().prove(anywhere=True)


def test_a_decoder_that_ends_frames_elsewhere_is_refuted(monkeypatch):
    monkeypatch.setattr(cobs, "END_OF_FRAME", 1)
    with pytest.raises(RefutedError, match="same state"):
        resynchronising().prove(anywhere=True)


def between_frames(idle_cycles: int) -> Claims:
    """A receiver that must be as after a reset whenever no frame has begun."""
    claims = Claims(FrameReceiver(idle_cycles=idle_cycles))
    inside, state = claims.inside, claims.inside["fsm_state"]
    quiet = (state == TAKE) & ~inside["decoder.active"]
    claims.claim((state != STORE) | (inside["idle"] == 0), "a byte has just come")
    claims.claim((state != CHECK) | (inside["idle"] <= inside["bit"] + 1), "a byte came a few clocks ago")
    busy = (state == STORE) | (state == CHECK)
    claims.claim(~busy | inside["decoder.active"], "a byte is of a frame that has not ended")
    claims.claim((state == CHECK) | (inside["bit"] == 0), "bits are counted from 0")
    claims.claim((state != JUDGE) | ~inside["decoder.active"], "a frame is judged when it has ended")
    claims.claim(~quiet | ~inside[BAD], "no frame begins as a bad one")
    claims.claim(~quiet | ~inside[LOST], "no frame begins without a place")
    claims.claim(~quiet | (inside["memory.extent"] == 1), "no frame begins behind another's bytes")
    claims.claim(~quiet | (inside["crc.crc_reg"] == inside["crc.crc_reg"].init), "no frame begins with another's CRC")
    return claims


def test_the_receiver_is_as_after_a_reset_between_frames_whatever_bytes_losses_and_time_outs_there_were():
    """An overrun that is cut by a time-out, too, leaves the next frame alone."""
    between_frames(16).prove(contents=False)


def test_a_time_out_within_a_byte_is_refuted():
    with pytest.raises(RefutedError, match="has not ended"):
        between_frames(4).prove(most=12, contents=False)
