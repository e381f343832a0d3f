"""Small gateware for the tests of the simulation tools."""

from amaranth.hdl import Assert, Cat, Module, Mux, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out


class Accumulator(wiring.Component):
    """Adds `value` to `total`, modulo 2**16, in every cycle with `enable`."""

    enable: In(1)
    value: In(8)
    total: Out(16)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.total.eq(self.total + self.value)
        return m


class Echo(wiring.Component):
    """UART, 8N1, that returns every byte whose stop bit is right; `fails_on` names a byte that an assertion forbids."""

    rx: In(1, init=1)
    tx: Out(1, init=1)

    def __init__(self, *, clocks_per_bit: int, fails_on: int | None = None):
        self._clocks_per_bit = clocks_per_bit
        self._fails_on = fails_on
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bytes = bytes_ = fifo.SyncFIFO(width=8, depth=16)
        last = self._clocks_per_bit - 1

        data = Signal(9)
        bits_in = Signal(range(11))
        clocks_in = Signal(range(2 * self._clocks_per_bit))
        m.d.comb += bytes_.w_data.eq(data[1:])
        with m.If(bits_in == 0):
            m.d.sync += clocks_in.eq(last + self._clocks_per_bit // 2)
            m.d.sync += bits_in.eq(Mux(self.rx, 0, 9))
        with m.Elif(clocks_in != 0):
            m.d.sync += clocks_in.eq(clocks_in - 1)
        with m.Else():
            m.d.sync += [clocks_in.eq(last), bits_in.eq(bits_in - 1), data.eq(Cat(data[1:], self.rx))]
            m.d.comb += bytes_.w_en.eq((bits_in == 1) & self.rx)
            if self._fails_on is not None:
                with m.If(bytes_.w_en):
                    m.d.sync += Assert(bytes_.w_data != self._fails_on)

        line = Signal(9, init=0x1FF)
        bits_out = Signal(range(10))
        clocks_out = Signal(range(self._clocks_per_bit))
        m.d.comb += self.tx.eq(line[0])
        with m.If(clocks_out != 0):
            m.d.sync += clocks_out.eq(clocks_out - 1)
        with m.Elif(bits_out != 0):
            m.d.sync += [clocks_out.eq(last), bits_out.eq(bits_out - 1), line.eq(Cat(line[1:], 1))]
        with m.Elif(bytes_.r_rdy):
            m.d.comb += bytes_.r_en.eq(1)
            m.d.sync += [clocks_out.eq(last), bits_out.eq(9), line.eq(Cat(0, bytes_.r_data))]
        return m
