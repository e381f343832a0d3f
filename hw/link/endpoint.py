"""The board's end of the link: a serial line on one side, the bus on the other."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link import uart
from hw.link.bus import BusSignature
from hw.link.commands import CommandEngine
from hw.link.frames import FrameReceiver, FrameTransmitter
from sw.spec.registers import LINK_COUNTERS

EVENTS = data.StructLayout({register.name: 1 for register in LINK_COUNTERS})


class Endpoint(wiring.Component):
    """The board's end of the link without its UART: it turns bytes into bus transfers and replies.

    Frames are checked by `FrameReceiver`, executed by `CommandEngine`, and answered through `FrameTransmitter`.
    Received bytes are never held up by what the bus or `sent` do: frames that find the memory full are dropped and
    counted.

    Parameters
    ----------
    word_bytes : int
        Bytes in a bus word, at least 2.
    digest : bytes
        Digest of the configuration, `sw.spec.protocol.DIGEST_BYTES` long.
    idle_cycles : int
        Cycles without a byte after which a frame that has begun is dropped; rounded up to a power of two.

    Attributes
    ----------
    received : In(stream.Signature(8))
        Encoded frames. Ready for the next byte within `hw.link.frames.BYTE_CYCLES` cycles.
    broken : In(1)
        High for one cycle for a byte that was lost on the line.
    sent : Out(stream.Signature(8))
        Encoded frames.
    bus : Out(BusSignature(8 * word_bytes))
        The initiator's side of the bus.
    events : Out(EVENTS)
        For each of `sw.spec.registers.LINK_COUNTERS`, a bit that is high for one cycle for each event that it counts.
    """

    def __init__(self, *, word_bytes: int, digest: bytes, idle_cycles: int) -> None:
        self.word_bytes = word_bytes
        self.digest = digest
        self.idle_cycles = idle_cycles
        super().__init__(
            {
                "received": In(stream.Signature(8)),
                "broken": In(1),
                "sent": Out(stream.Signature(8)),
                "bus": Out(BusSignature(8 * word_bytes)),
                "events": Out(EVENTS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver(idle_cycles=self.idle_cycles)
        m.submodules.engine = engine = CommandEngine(word_bytes=self.word_bytes, digest=self.digest)
        m.submodules.transmitter = transmitter = FrameTransmitter()
        wiring.connect(m, wiring.flipped(self.received), receiver.bytes)
        wiring.connect(m, receiver.packets, engine.packets)
        wiring.connect(m, engine.replies, transmitter.tokens)
        wiring.connect(m, transmitter.bytes, wiring.flipped(self.sent))
        wiring.connect(m, engine.bus, wiring.flipped(self.bus))
        m.d.comb += receiver.broken.eq(self.broken)

        events = {
            "crc_errors": receiver.crc_error,
            "frame_errors": receiver.frame_error,
            "uart_errors": self.broken,
            "overruns": receiver.overrun,
            "timeouts": receiver.timeout,
            "duplicates": engine.duplicate,
            "gaps": engine.gap,
        }
        m.d.comb += [self.events[name].eq(event) for name, event in events.items()]
        return m


class LinkEndpoint(wiring.Component):
    """The board's end of the link: UART, frames and commands.

    Parameters
    ----------
    clocks_per_bit : int
        Clock cycles in a bit on the line, at least `hw.link.uart.MIN_CLOCKS_PER_BIT`.
    word_bytes : int
        Bytes in a bus word, at least 2.
    digest : bytes
        Digest of the configuration, `sw.spec.protocol.DIGEST_BYTES` long.
    idle_bits : int
        Bit times without a byte after which a frame that has begun is dropped. The default is 400 byte times: a frame
        may pause for a few milliseconds between two packets of USB.

    Attributes
    ----------
    rx : In(1)
        Line from the host, asynchronous, high when idle.
    tx : Out(1)
        Line to the host, high when idle.
    bus : Out(BusSignature(8 * word_bytes))
        The initiator's side of the bus.
    events : Out(EVENTS)
        For each of `sw.spec.registers.LINK_COUNTERS`, a bit that is high for one cycle for each event that it counts.
    """

    def __init__(self, *, clocks_per_bit: int, word_bytes: int, digest: bytes, idle_bits: int = 4000) -> None:
        self.clocks_per_bit = clocks_per_bit
        self.word_bytes = word_bytes
        self.digest = digest
        self.idle_bits = idle_bits
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "bus": Out(BusSignature(8 * word_bytes)),
                "events": Out(EVENTS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.receiver = receiver = uart.Receiver(clocks_per_bit=self.clocks_per_bit)
        m.submodules.transmitter = transmitter = uart.Transmitter(clocks_per_bit=self.clocks_per_bit)
        m.submodules.endpoint = endpoint = Endpoint(
            word_bytes=self.word_bytes, digest=self.digest, idle_cycles=self.idle_bits * self.clocks_per_bit
        )
        wiring.connect(m, endpoint.sent, transmitter.bytes)
        wiring.connect(m, endpoint.bus, wiring.flipped(self.bus))
        m.d.comb += [
            receiver.rx.eq(self.rx),
            # A byte lasts longer than the endpoint takes for one, so `ready` need not be looked at.
            endpoint.received.payload.eq(receiver.bytes.payload),
            endpoint.received.valid.eq(receiver.bytes.valid),
            endpoint.broken.eq(receiver.error),
            self.tx.eq(transmitter.tx),
            self.events.eq(endpoint.events),
        ]
        return m
