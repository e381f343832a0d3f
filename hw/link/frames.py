"""Frames to packets and back: a packet comes in only when its frame's CRC is right; on the way out a CRC is added.

The CRC takes a bit a cycle: a byte of the line lasts long enough, and a byte a cycle would take three times the logic.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc import Algorithm, Processor
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.fpga.resources import MemoryShape
from hw.link.cobs import Decoder, Encoder, Token
from sw.spec.protocol import CRC, CRC_BYTES, CREDITS, FRAME_BYTES, HEADER_BYTES

BYTE_CYCLES = 10
"""Most cycles that `FrameReceiver` takes for a byte."""


def crc_algorithm() -> Algorithm:
    """Return Amaranth's description of the protocol's CRC."""
    return Algorithm(
        crc_width=CRC.width,
        polynomial=CRC.polynomial,
        initial_crc=CRC.initial,
        reflect_input=CRC.reflected,
        reflect_output=CRC.reflected,
        xor_output=CRC.xor_output,
    )


class PacketByte(data.Struct):
    """A byte of a packet.

    Attributes
    ----------
    data : unsigned(8)
        The byte.
    last : unsigned(1)
        The byte is the packet's last one.
    """

    data: 8
    last: 1


def packet_memory(depth: int = 1 << ceil_log2(CREDITS * (1 + FRAME_BYTES))) -> MemoryShape:
    """Return the shape of a packet memory of `depth` bytes; by default it holds CREDITS packets of any length."""
    return MemoryShape(name="received packets", width=8, depth=depth)


class PacketMemory(wiring.Component):
    """A circular memory of packets, each of which comes out only when all of it has come in.

    Each packet is stored behind a byte with its extent. A byte's place is free again within a few cycles after the byte
    has been read. The memory takes a byte every other cycle and gives a byte every other cycle, the first one 5 cycles
    after `commit`. While it is full, `bytes` is not ready.

    Parameters
    ----------
    depth : int
        Bytes of memory, a power of two. One or two of them stay unused.
    trailer_bytes : int
        Bytes at the end of each packet that are not given out.

    Attributes
    ----------
    bytes : In(stream.Signature(8))
        The packet that is being written. Not ready in the first cycle after reset.
    extent : Out(8)
        One more than the number of bytes taken since the last `commit` or `rollback`; at most 254 bytes are allowed.
    commit : In(1)
        Make the bytes taken since the last `commit` or `rollback` a packet. There must be more of them than
        `trailer_bytes`; `bytes` may not be valid in that cycle.
    rollback : In(1)
        Forget the bytes taken since the last `commit` or `rollback`. `bytes` may not be valid in that cycle.
    packets : Out(stream.Signature(PacketByte))
        The packets without their trailers.

    Raises
    ------
    ValueError
        If `depth` is not a power of two.
    """

    def __init__(self, *, depth: int, trailer_bytes: int) -> None:
        if depth & (depth - 1):
            raise ValueError(f"depth is a power of two, not {depth}")
        self.depth = depth
        self.trailer_bytes = trailer_bytes
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "extent": Out(8, init=1),
                "commit": In(1),
                "rollback": In(1),
                "packets": Out(stream.Signature(PacketByte)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        shape = packet_memory(self.depth)
        m.submodules.memory = memory = Memory(shape=shape.width, depth=shape.depth, init=[], attrs=shape.attributes)
        write, read = memory.write_port(), memory.read_port()

        start = Signal.like(write.addr)  # where the extent of the packet being written goes
        position = Signal.like(write.addr)
        m.d.comb += [
            position.eq(start + self.extent),
            write.addr.eq(position),
            write.data.eq(self.bytes.payload),
            write.en.eq(self.bytes.valid & self.bytes.ready),
        ]
        # A packet that took the last place would move `position` past the reader when it is committed.
        free = Signal.like(write.addr)
        m.d.comb += free.eq(read.addr - position)
        m.d.sync += self.bytes.ready.eq(free[1:].any() & ~write.en)
        with m.If(write.en):
            m.d.sync += self.extent.eq(self.extent + 1)
        with m.If(self.commit):
            m.d.comb += [write.addr.eq(start), write.data.eq(self.extent), write.en.eq(1)]
            m.d.sync += start.eq(position)
        with m.If(self.commit | self.rollback):
            m.d.sync += self.extent.eq(1)

        remaining = Signal(8)
        advance = Signal()
        step = Signal(range(max(1, self.trailer_bytes) + 1), init=1)
        with m.If(advance):
            m.d.sync += read.addr.eq(read.addr + step)
        with m.FSM():
            with m.State("EMPTY"):
                with m.If(read.addr != start):
                    m.next = "EXTENT"
            with m.State("EXTENT"):
                m.d.comb += advance.eq(1)
                m.d.sync += remaining.eq(read.data)
                m.next = "ADDRESS"
            with m.State("ADDRESS"):
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += advance.eq(1)
                m.d.sync += [
                    self.packets.p.data.eq(read.data),
                    self.packets.p.last.eq(remaining == self.trailer_bytes + 2),
                    self.packets.valid.eq(1),
                    remaining.eq(remaining - 1),
                ]
                m.next = "GIVE"
            with m.State("GIVE"):
                with m.If(self.packets.ready):
                    m.d.sync += self.packets.valid.eq(0)
                    m.next = "FETCH"
                    with m.If(self.packets.p.last):
                        m.d.comb += [advance.eq(1), step.eq(self.trailer_bytes)]
                        m.next = "EMPTY"
        return m


class FrameReceiver(wiring.Component):
    """Decodes COBS bytes to packets with a correct CRC; all other frames are dropped and reported.

    A byte is taken within BYTE_CYCLES cycles, also while `packets` is not ready: the receiver holds CREDITS packets of
    any length, and drops frames that find its memory full.

    Parameters
    ----------
    idle_cycles : int
        Cycles without a byte after which a frame that has begun is dropped; rounded up to a power of two.

    Attributes
    ----------
    bytes : In(stream.Signature(8))
        Encoded frames.
    broken : In(1)
        High for one cycle for a byte that was lost on the line. The frame that it belongs to is dropped.
    packets : Out(stream.Signature(PacketByte))
        Type, sequence number and payload.
    crc_error : Out(1)
        High for one cycle for each frame dropped for its CRC.
    frame_error : Out(1)
        High for one cycle for each frame dropped because its COBS was wrong, it was too short or too long, or one of
        its bytes was lost.
    overrun : Out(1)
        High for one cycle for each frame dropped because the memory was full.
    timeout : Out(1)
        High for one cycle for each frame dropped after `idle_cycles`.
    """

    def __init__(self, *, idle_cycles: int) -> None:
        self.idle_cycles = idle_cycles
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "broken": In(1),
                "packets": Out(stream.Signature(PacketByte)),
                "crc_error": Out(1),
                "frame_error": Out(1),
                "overrun": Out(1),
                "timeout": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.decoder = decoder = Decoder()
        m.submodules.crc = crc = Processor(crc_algorithm()(data_width=1))
        m.submodules.memory = memory = PacketMemory(depth=packet_memory().depth, trailer_bytes=CRC_BYTES)
        wiring.connect(m, wiring.flipped(self.packets), memory.packets)
        wiring.connect(m, wiring.flipped(self.bytes), decoder.bytes)

        idle = Signal(ceil_log2(self.idle_cycles) + 1)
        m.d.comb += [
            self.timeout.eq(idle[-1] & decoder.active & ~self.bytes.valid),
            decoder.clear.eq(self.timeout),
        ]
        m.d.sync += idle.eq(idle + 1)
        with m.If(self.bytes.valid | ~decoder.active):
            m.d.sync += idle.eq(0)

        shift = Signal(8)
        bit = Signal(3)
        bad, lost, correct = Signal(), Signal(), Signal()
        enough, whole = Signal(), Signal()  # registered for speed: there are cycles between bytes
        m.d.sync += [
            enough.eq(memory.extent > HEADER_BYTES + CRC_BYTES),
            whole.eq(memory.extent == FRAME_BYTES + 1),
        ]
        m.d.comb += [
            memory.bytes.payload.eq(shift),
            crc.data.eq(shift[0]),
            correct.eq(~bad & enough),
        ]
        with m.If(self.broken & decoder.active):
            m.d.sync += bad.eq(1)
        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += decoder.tokens.ready.eq(1)
                m.d.sync += shift.eq(decoder.tokens.p.data)
                with m.If(decoder.tokens.valid):
                    m.next = "STORE"
                    with m.If(decoder.tokens.p.end):
                        m.d.sync += bad.eq(bad | decoder.damaged)
                        m.next = "JUDGE"
            with m.State("STORE"):
                m.next = "TAKE"
                with m.If(whole):
                    m.d.sync += bad.eq(1)
                with m.Elif(~memory.bytes.ready):
                    m.d.sync += lost.eq(1)
                with m.Else():
                    m.d.comb += memory.bytes.valid.eq(1)
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += crc.valid.eq(1)
                m.d.sync += [shift.eq(shift[1:]), bit.eq(bit + 1)]
                with m.If(bit == 7):
                    m.next = "TAKE"
            with m.State("JUDGE"):
                m.d.comb += [
                    self.overrun.eq(lost),
                    self.frame_error.eq(~lost & ~correct),
                    self.crc_error.eq(~lost & correct & ~crc.match_detected),
                    memory.commit.eq(~lost & correct & crc.match_detected),
                    memory.rollback.eq(~memory.commit),
                    crc.start.eq(1),
                ]
                m.d.sync += [bad.eq(0), lost.eq(0)]
                m.next = "TAKE"
        with m.If(self.timeout):
            m.d.comb += [memory.rollback.eq(1), crc.start.eq(1)]
            m.d.sync += [bad.eq(0), lost.eq(0)]
        return m


class FrameTransmitter(wiring.Component):
    """Encodes tokens to COBS bytes, with the CRC put in before the end.

    A byte takes 9 cycles, and longer while the encoder's memory is full. The end of a frame takes the time of the CRC's
    4 bytes.

    Attributes
    ----------
    tokens : In(stream.Signature(Token))
        Type, sequence number and payload.
    bytes : Out(stream.Signature(8))
        Encoded frames, each ended by 0x00.
    """

    tokens: In(stream.Signature(Token))
    bytes: Out(stream.Signature(8))

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.encoder = encoder = Encoder()
        m.submodules.crc = crc = Processor(crc_algorithm()(data_width=1))
        wiring.connect(m, wiring.flipped(self.bytes), encoder.bytes)

        bit = Signal(3)
        index = Signal(range(CRC_BYTES))
        trailing = Signal()  # the CRC is being sent, lowest byte first: its own lowest bit as input shifts it down
        m.d.comb += [
            encoder.tokens.payload.eq(self.tokens.payload),
            crc.data.eq(Mux(trailing, ~crc.crc[0], self.tokens.p.data.bit_select(bit, 1))),
        ]
        with m.FSM():
            with m.State("DIGEST"):
                with m.If(self.tokens.valid):
                    with m.If(self.tokens.p.end & ~trailing):
                        m.d.sync += trailing.eq(1)
                        m.next = "TRAILER"
                    with m.Else():
                        m.d.comb += crc.valid.eq(1)
                        m.d.sync += bit.eq(bit + 1)
                        with m.If(bit == 7):
                            m.next = "PASS"
                            with m.If(trailing):
                                m.next = "TRAILER"
            with m.State("PASS"):
                m.d.comb += [encoder.tokens.valid.eq(1), self.tokens.ready.eq(encoder.tokens.ready)]
                with m.If(encoder.tokens.ready):
                    m.next = "DIGEST"
            with m.State("TRAILER"):
                m.d.comb += [
                    encoder.tokens.valid.eq(1),
                    encoder.tokens.p.end.eq(0),
                    encoder.tokens.p.data.eq(crc.crc[:8]),
                ]
                with m.If(encoder.tokens.ready):
                    m.d.sync += index.eq(index + 1)
                    m.next = "DIGEST"
                    with m.If(index == CRC_BYTES - 1):
                        m.d.sync += [index.eq(0), trailing.eq(0)]
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [
                    encoder.tokens.valid.eq(1),
                    self.tokens.ready.eq(encoder.tokens.ready),
                    crc.start.eq(1),
                ]
                with m.If(encoder.tokens.ready):
                    m.next = "DIGEST"
        return m
