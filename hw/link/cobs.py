"""Consistent Overhead Byte Stuffing (COBS) as streams: encoded bytes to the tokens of frames, and back.

An encoded frame is a series of blocks and the delimiter 0x00. A block is a code, then code - 1 bytes other than zero. A
block stands for its bytes and one zero, except that no zero follows the last block and those of 254 bytes.

Source: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7 (2), 1999.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.fpga.resources import MemoryShape
from sw.spec.protocol import DELIMITER, ENCODED_BYTES

END_OF_FRAME = DELIMITER[0]
FULL = 0xFF  # code of a block of 254 bytes


class Token(data.Struct):
    """A byte of a frame, or the end of the frame.

    Attributes
    ----------
    data : unsigned(8)
        The byte; of no meaning with `end`.
    end : unsigned(1)
        The token is the end of the frame.
    """

    data: 8
    end: 1


class Decoder(wiring.Component):
    """Decodes COBS bytes to tokens.

    A token appears in the same cycle as the byte that it comes from, and the byte is taken in the cycle in which the
    token is. A byte that makes no token, such as the code of a frame's first block, is taken at once.

    Attributes
    ----------
    bytes : In(stream.Signature(8))
        Encoded frames, each ended by 0x00. A delimiter that follows another delimiter makes no token.
    tokens : Out(stream.Signature(Token))
        The bytes of a frame, then its end.
    damaged : Out(1)
        High with the token of an end if the delimiter came before the block's last byte.
    active : Out(1)
        A frame has begun, and its delimiter has not come yet.
    clear : In(1)
        Forget the frame that has begun. No byte may be valid in that cycle.
    """

    bytes: In(stream.Signature(8))
    tokens: Out(stream.Signature(Token))
    damaged: Out(1)
    active: Out(1)
    clear: In(1)

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        byte = self.bytes.payload
        remaining = Signal(8)  # bytes of this block to come
        full = Signal()
        at_code = Signal()
        silent = Signal()
        m.d.comb += [
            at_code.eq(remaining == 0),
            self.tokens.valid.eq(self.bytes.valid & ~silent),
            self.bytes.ready.eq(self.tokens.ready | silent),
        ]

        with m.If(byte == END_OF_FRAME):
            m.d.comb += [silent.eq(~self.active), self.tokens.p.end.eq(1), self.damaged.eq(~at_code)]
        with m.Elif(at_code):  # the zero that the previous block stands for
            m.d.comb += [silent.eq(~self.active | full), self.tokens.p.data.eq(0)]
        with m.Else():
            m.d.comb += self.tokens.p.data.eq(byte)

        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += self.active.eq(byte != END_OF_FRAME)
            with m.If(byte == END_OF_FRAME):
                m.d.sync += remaining.eq(0)
            with m.Elif(at_code):
                m.d.sync += [remaining.eq(byte - 1), full.eq(byte == FULL)]
            with m.Else():
                m.d.sync += remaining.eq(remaining - 1)
        with m.If(self.clear):
            m.d.sync += [self.active.eq(0), remaining.eq(0)]
        return m


def encoder_memory(frame_bytes: int = ENCODED_BYTES) -> MemoryShape:
    """Return the shape of the encoder's memory, which holds two encoded frames of `frame_bytes` bytes."""
    return MemoryShape(name="frames to send", width=8, depth=2 * frame_bytes)


class Encoder(wiring.Component):
    """Encodes tokens to COBS bytes, by way of a memory that holds two encoded frames.

    The bytes of a block are stored behind a gap, which is filled with the block's code once the block is complete. A
    frame is sent only when all of it is in the memory. The encoder takes a token a cycle, except in the cycle after an
    end and after each block of 254 bytes, and none while two frames wait in the memory. It gives a byte every third
    cycle.

    Parameters
    ----------
    frame_bytes : int
        Length of the longest encoded frame, delimiter included; a power of two. Longer frames damage each other.

    Attributes
    ----------
    tokens : In(stream.Signature(Token))
        The bytes of a frame, then its end.
    bytes : Out(stream.Signature(8))
        Encoded frames, each ended by 0x00.

    Raises
    ------
    ValueError
        If `frame_bytes` is not a power of two.
    """

    def __init__(self, *, frame_bytes: int = ENCODED_BYTES) -> None:
        if frame_bytes < 2 or frame_bytes & (frame_bytes - 1):
            raise ValueError(f"frame_bytes is a power of two, not {frame_bytes}")
        self.frame_bytes = frame_bytes
        super().__init__({"tokens": In(stream.Signature(Token)), "bytes": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        shape = encoder_memory(self.frame_bytes)
        m.submodules.memory = memory = Memory(shape=shape.width, depth=shape.depth, init=[], attrs=shape.attributes)
        write, read = memory.write_port(), memory.read_port()

        whole = Signal(range(3))  # frames in the memory, ready to be sent
        stored, sent = Signal(), Signal()
        m.d.sync += whole.eq(whole + stored - sent)

        gap = Signal.like(write.addr)  # where the code of this block goes
        code = Signal(8, init=1)  # one more than the bytes of this block so far
        after_full = Signal()
        position = Signal.like(write.addr)
        m.d.comb += [position.eq(gap + code), write.addr.eq(gap), write.data.eq(code)]

        token = self.tokens.p
        with m.FSM():
            with m.State("ACCEPT"):
                m.d.comb += self.tokens.ready.eq(whole != 2)
                with m.If(self.tokens.valid & self.tokens.ready):
                    m.d.comb += write.en.eq(1)
                    m.d.sync += after_full.eq(0)
                    with m.If(token.end | (token.data == 0)):
                        m.d.sync += code.eq(1)
                        # An empty block at the end is implied by the full one before it: the delimiter takes its place.
                        with m.If(~(token.end & after_full)):
                            m.d.sync += gap.eq(position)
                        with m.If(token.end):
                            m.next = "DELIMIT"
                    with m.Else():
                        m.d.comb += [write.addr.eq(position), write.data.eq(token.data)]
                        m.d.sync += code.eq(code + 1)
                        with m.If(code == FULL - 1):
                            m.next = "FILL"
            with m.State("FILL"):
                m.d.comb += write.en.eq(1)
                m.d.sync += [gap.eq(position), code.eq(1), after_full.eq(1)]
                m.next = "ACCEPT"
            with m.State("DELIMIT"):
                m.d.comb += [write.en.eq(1), write.data.eq(END_OF_FRAME), stored.eq(1)]
                m.d.sync += gap.eq(position)
                m.next = "ACCEPT"

        with m.FSM():
            with m.State("EMPTY"):
                with m.If(whole != 0):
                    m.next = "HOLD"
            with m.State("FETCH"):
                m.next = "HOLD"
            with m.State("HOLD"):
                m.d.sync += self.bytes.payload.eq(read.data)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.bytes.valid.eq(1)
                with m.If(self.bytes.ready):
                    m.d.sync += read.addr.eq(read.addr + 1)
                    m.next = "FETCH"
                    with m.If(self.bytes.payload == END_OF_FRAME):
                        m.d.comb += sent.eq(1)
                        m.next = "EMPTY"
        return m
