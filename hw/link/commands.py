"""The command engine: it turns packets into bus transfers and replies."""

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.bus import BusSignature
from hw.link.cobs import Token
from hw.link.frames import PacketByte
from sw.spec.protocol import (
    CREDITS,
    DIGEST_BYTES,
    NONCE_BYTES,
    REPLY,
    TARGET_BYTES,
    VERSION,
    Command,
    Space,
    Status,
    max_read_words,
)

MIN_WORD_BYTES = 2


class CommandEngine(wiring.Component):
    """Executes requests in order, each WRITE once, and answers them as `sw.spec.protocol` says.

    A packet byte takes one cycle; a bus transfer takes as many cycles as its target. A word of a WRITE is transferred
    as soon as all of its bytes have come. A transfer that is refused or a fault ends the request, and gives its status.
    A reply that is not taken stalls the engine, and the engine the packets.

    Parameters
    ----------
    word_bytes : int
        Bytes in a bus word, at least 2.
    digest : bytes
        Digest of the configuration, DIGEST_BYTES long.

    Attributes
    ----------
    packets : In(stream.Signature(PacketByte))
        Requests: type, sequence number and payload.
    replies : Out(stream.Signature(Token))
        Replies: type, sequence number and payload.
    bus : Out(BusSignature(8 * word_bytes))
        The initiator's side of the bus.
    duplicate : Out(1)
        High for one cycle for each request that was executed before.
    gap : Out(1)
        High for one cycle for each request whose sequence number is ahead of the expected one.

    Raises
    ------
    ValueError
        For a word of fewer than MIN_WORD_BYTES bytes, or a digest of another length.
    """

    def __init__(self, *, word_bytes: int, digest: bytes) -> None:
        if word_bytes < MIN_WORD_BYTES:
            raise ValueError(f"word_bytes is at least {MIN_WORD_BYTES}, not {word_bytes}")
        if len(digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}: {digest!r}")
        self.word_bytes = word_bytes
        self.digest = digest
        super().__init__(
            {
                "packets": In(stream.Signature(PacketByte)),
                "replies": Out(stream.Signature(Token)),
                "bus": Out(BusSignature(8 * word_bytes)),
                "duplicate": Out(1),
                "gap": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        packet, reply, bus = self.packets, self.replies, self.bus
        greeting = Array(Const(byte, 8) for byte in bytes([VERSION, *self.digest, self.word_bytes, CREDITS]))

        hello, read, write = Signal(), Signal(), Signal()
        expected = Signal(8)
        in_session = Signal()
        fresh, early = Signal(), Signal()  # with neither, the request was executed before
        exhausted = Signal()  # the last byte of the packet has been taken
        status = Signal(Status)
        index = Signal(range(max(len(greeting), self.word_bytes, TARGET_BYTES, NONCE_BYTES)))
        count = Signal(8)
        word = Signal(8 * self.word_bytes)
        m.d.comb += [bus.write.eq(write), bus.write_data.eq(word)]

        # A register between this state machine and the transmitter's, for speed.
        free, say = Signal(), Signal()
        token = Signal(Token)
        m.d.comb += free.eq(~reply.valid)
        with m.If(free):
            m.d.sync += [reply.valid.eq(say), reply.payload.eq(token)]
        with m.Elif(reply.ready):
            m.d.sync += reply.valid.eq(0)

        with m.If(packet.valid & packet.ready):
            m.d.sync += exhausted.eq(packet.p.last)
        with m.If(bus.valid & bus.ready):
            m.d.sync += bus.address.eq(bus.address + 1)

        def answer(code: Status) -> None:
            m.d.sync += status.eq(code)
            m.next = "DRAIN"

        def transfer(following: str) -> None:
            m.d.comb += bus.valid.eq(1)
            with m.If(bus.ready):
                m.next = following
                with m.If(bus.fault):
                    answer(Status.BAD_ADDRESS)
                with m.If(bus.refused):
                    answer(Status.BUSY)

        def echo() -> None:
            m.d.comb += [
                say.eq(packet.valid),
                token.data.eq(packet.p.data),
                packet.ready.eq(free),
            ]

        with m.FSM():
            with m.State("TYPE"):
                echo()
                m.d.comb += token.data.eq(packet.p.data | REPLY)
                m.d.sync += [
                    hello.eq(packet.p.data == Command.HELLO),
                    read.eq(packet.p.data == Command.READ),
                    write.eq(packet.p.data == Command.WRITE),
                ]
                with m.If(packet.valid & free):
                    m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                echo()
                ahead = Signal(8)
                m.d.comb += ahead.eq(packet.p.data - expected)
                m.d.sync += [fresh.eq(ahead == 0), early.eq((ahead != 0) & ~ahead[-1])]
                with m.If(packet.valid & free):
                    m.next = "DISPATCH"
            with m.State("DISPATCH"):
                m.d.sync += [status.eq(Status.OK), index.eq(0)]
                with m.If(hello):
                    m.next = "GREETING"
                    with m.If(exhausted):
                        answer(Status.BAD_LENGTH)
                with m.Elif(~in_session):
                    answer(Status.NO_SESSION)
                with m.Elif(early):
                    m.d.comb += self.gap.eq(1)
                    m.next = "EXPECTED"
                with m.Else():
                    m.d.comb += self.duplicate.eq(~fresh)
                    m.next = "TARGET"
                    with m.If(exhausted):
                        answer(Status.BAD_LENGTH)
                    with m.Elif(write & ~fresh):
                        answer(Status.OK)
                    with m.Elif(~read & ~write):
                        answer(Status.BAD_COMMAND)
            with m.State("EXPECTED"):
                m.d.comb += [say.eq(1), token.data.eq(expected)]
                with m.If(free):
                    answer(Status.NAK)

            with m.State("TARGET"):
                m.d.comb += packet.ready.eq(1)
                with m.If(packet.valid):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == 0):
                        m.d.sync += bus.space.eq(packet.p.data)
                    with m.Else():
                        m.d.sync += bus.address.eq(Cat(bus.address[8:], packet.p.data))
                    with m.If(index == TARGET_BYTES - 1):
                        m.d.sync += index.eq(0)
                        m.next = "GATHER"
                        with m.If(read):
                            m.next = "COUNT"
                    with m.If((index == 0) & (packet.p.data >= len(Space))):
                        answer(Status.BAD_ADDRESS)
                    with m.If(packet.p.last):
                        answer(Status.BAD_LENGTH)

            with m.State("GATHER"):
                m.d.comb += packet.ready.eq(~exhausted)
                with m.If(exhausted):
                    m.next = "STATUS"
                    with m.If(index != 0):
                        answer(Status.BAD_LENGTH)
                with m.Elif(packet.valid):
                    m.d.sync += [word.eq(Cat(word[8:], packet.p.data)), index.eq(index + 1)]
                    with m.If(index == self.word_bytes - 1):
                        m.d.sync += index.eq(0)
                        m.next = "STORE"
            with m.State("STORE"):
                transfer("GATHER")

            with m.State("COUNT"):
                m.d.comb += packet.ready.eq(1)
                m.d.sync += count.eq(packet.p.data)
                with m.If(packet.valid):
                    m.next = "LOAD"
                    with m.If(
                        ~packet.p.last | (packet.p.data == 0) | (packet.p.data > max_read_words(self.word_bytes))
                    ):
                        answer(Status.BAD_LENGTH)
            with m.State("LOAD"):
                transfer("WORD")
                with m.If(bus.ready):
                    m.d.sync += word.eq(bus.read_data)
            with m.State("WORD"):
                m.d.comb += [say.eq(1), token.data.eq(word[:8])]
                with m.If(free):
                    m.d.sync += [word.eq(word[8:]), index.eq(index + 1)]
                    with m.If(index == self.word_bytes - 1):
                        m.d.sync += [index.eq(0), count.eq(count - 1)]
                        m.next = "LOAD"
                        with m.If(count == 1):
                            m.next = "STATUS"

            with m.State("GREETING"):
                m.d.comb += [say.eq(1), token.data.eq(greeting[index])]
                with m.If(free):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == len(greeting) - 1):
                        m.d.sync += index.eq(0)
                        m.next = "NONCE"
            with m.State("NONCE"):
                echo()
                with m.If(packet.valid & free):
                    m.d.sync += index.eq(index + 1)
                    with m.If((index == NONCE_BYTES - 1) & packet.p.last):
                        m.d.sync += [in_session.eq(1), expected.eq(0), fresh.eq(0)]
                        m.next = "STATUS"
                    with m.Elif((index == NONCE_BYTES - 1) | packet.p.last):
                        answer(Status.BAD_LENGTH)

            with m.State("DRAIN"):
                m.d.comb += packet.ready.eq(~exhausted)
                with m.If(exhausted):
                    m.next = "STATUS"
            with m.State("STATUS"):
                m.d.comb += [say.eq(1), token.data.eq(status)]
                with m.If(free):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += [say.eq(1), token.end.eq(1)]
                with m.If(free):
                    with m.If(fresh & (status == Status.OK)):
                        m.d.sync += expected.eq(expected + 1)
                    m.next = "TYPE"
        return m
