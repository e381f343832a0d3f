"""A UART: 8 data bits, no parity, one stop bit, least significant bit first."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

FRAME_BITS = 10  # start, data, stop
MIN_CLOCKS_PER_BIT = 6


def _check(clocks_per_bit: int) -> None:
    if clocks_per_bit < MIN_CLOCKS_PER_BIT:
        raise ValueError(f"clocks_per_bit is at least {MIN_CLOCKS_PER_BIT}, not {clocks_per_bit}")


class Receiver(wiring.Component):
    """Receives bytes from a serial line.

    The line is synchronised, passes a median of three samples (so that a pulse of one clock is no edge) and is then
    sampled once in the middle of each bit, counted from the falling edge of the start bit. The receiver awaits the next
    start bit from the middle of the stop bit on. With 8 clocks a bit the sender's clock may be off by 4 %.

    Parameters
    ----------
    clocks_per_bit : int
        Clock cycles in a bit, at least MIN_CLOCKS_PER_BIT.

    Attributes
    ----------
    rx : In(1)
        The line, asynchronous, high when idle.
    bytes : Out(stream.Signature(8, always_ready=True))
        A byte is valid for one cycle, 4 to 5 cycles after the middle of its stop bit.
    error : Out(1)
        High for one cycle when a stop bit was low; its byte is dropped, and the line must rise before the next start.

    Raises
    ------
    ValueError
        For fewer clocks a bit.
    """

    def __init__(self, *, clocks_per_bit: int) -> None:
        _check(clocks_per_bit)
        self.clocks_per_bit = clocks_per_bit
        super().__init__(
            {
                "rx": In(1, init=1),
                "bytes": Out(stream.Signature(8, always_ready=True)),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()

        synchronised = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, synchronised, init=1)
        history = Signal(2, init=0b11)
        line = Signal(init=1)
        m.d.sync += [
            history.eq(Cat(synchronised, history)),
            line.eq((synchronised & history[0]) | (synchronised & history[1]) | (history[0] & history[1])),
        ]

        timer = Signal(range(self.clocks_per_bit))
        position = Signal(range(FRAME_BITS))
        m.d.sync += [self.bytes.valid.eq(0), self.error.eq(0)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [timer.eq((self.clocks_per_bit - 1) // 2 - 1), position.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += timer.eq(timer - 1)
                with m.If(timer == 0):
                    m.d.sync += [timer.eq(self.clocks_per_bit - 1), position.eq(position + 1)]
                    with m.If(position == FRAME_BITS - 1):
                        m.d.sync += [self.bytes.valid.eq(line), self.error.eq(~line)]
                        m.next = "RELEASE"
                    with m.Else():
                        m.d.sync += self.bytes.payload.eq(Cat(self.bytes.payload[1:], line))
                        with m.If((position == 0) & line):  # a glitch, not a start bit
                            m.next = "IDLE"
            with m.State("RELEASE"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class Transmitter(wiring.Component):
    """Sends bytes on a serial line, without idle time between them while `bytes` is valid.

    Parameters
    ----------
    clocks_per_bit : int
        Clock cycles in a bit, at least MIN_CLOCKS_PER_BIT.

    Attributes
    ----------
    bytes : In(stream.Signature(8))
        A byte is taken in the cycle before its start bit, the next one 10 * clocks_per_bit cycles later at the
        earliest.
    tx : Out(1)
        The line, high when idle.

    Raises
    ------
    ValueError
        For fewer clocks a bit.
    """

    def __init__(self, *, clocks_per_bit: int) -> None:
        _check(clocks_per_bit)
        self.clocks_per_bit = clocks_per_bit
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        timer = Signal(range(self.clocks_per_bit))
        remaining = Signal(range(FRAME_BITS))  # bits after the one on the line
        following = Signal(FRAME_BITS - 1)

        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(remaining != 0):
            m.d.sync += [
                timer.eq(self.clocks_per_bit - 1),
                remaining.eq(remaining - 1),
                Cat(self.tx, following).eq(following),
            ]
        with m.Else():
            m.d.comb += self.bytes.ready.eq(1)
            with m.If(self.bytes.valid):
                m.d.sync += [
                    timer.eq(self.clocks_per_bit - 1),
                    remaining.eq(FRAME_BITS - 1),
                    Cat(self.tx, following).eq(Cat(0, self.bytes.payload, 1)),
                ]
        return m
