"""The targets of the bus besides the registers: records, parameters, and the configuration's text."""

from amaranth import Module, Mux, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.ports import NodeAccessSignature
from hw.fpga.resources import MemoryShape
from hw.link.bus import BusSignature, answer_after, within
from hw.soc.record_store import RecordStore


class RecordTarget(wiring.Component):
    """The record store's words. While `busy`, reads are refused, and a write waits for the pass to leave it a cycle.

    Attributes:
        bus: an address is row * row_words + word.
        store: the store's port; reads only while not `busy`.
    """

    def __init__(self, store: RecordStore, *, word_bits: int):
        self.latency, self.words = store.latency, store.rows * store.row_words
        self.row_words, self.width = store.row_words, store.width
        super().__init__({"bus": In(BusSignature(word_bits)), "busy": In(1), "store": Out(store.signature.flip())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, store = self.bus, self.store
        fault = ~within(bus.address, self.words)
        refused = self.busy & ~bus.write
        writes = bus.valid & bus.write & ~fault
        # Registered, since the request comes a long way; a read again in each cycle of the transfer, to no harm.
        m.d.sync += [
            store.read.eq(bus.valid & ~bus.write & ~self.busy),
            store.row.eq(bus.address // self.row_words),
            store.write.eq(writes & ~bus.ready),
            store.address.eq(bus.address),
            store.data.eq(bus.write_data),
        ]
        word = store.row_data.as_value().word_select(bus.address % self.row_words, self.width)
        m.d.sync += bus.read_data.eq(word.as_signed())
        m.d.comb += [
            bus.refused.eq(refused),
            bus.fault.eq(fault),
            bus.ready.eq(Mux(writes, store.written, answer_after(m, bus, self.latency + 2))),
        ]
        return m


class NodeTarget(wiring.Component):
    """The trainer's nodes, refused while `busy`; addresses as in `sw.spec.configuration`.

    Attributes:
        access: the trainer's port. latency: its `access_latency`, and no less than it has contexts.
    """

    def __init__(self, *, width: int, latency: int, word_bits: int):
        self.latency = latency
        super().__init__({"bus": In(BusSignature(word_bits)), "busy": In(1), "access": Out(NodeAccessSignature(width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, access = self.bus, self.access
        m.d.comb += [
            access.select.eq(~self.busy),
            access.address.eq(bus.address),
            access.data_write.eq(bus.write_data),
            access.write.eq(bus.valid & bus.write & ~self.busy),  # again in each cycle of the transfer, to no harm
            bus.refused.eq(self.busy),
            bus.fault.eq(access.fault),
            bus.read_data.eq(access.data_read),
            bus.ready.eq(answer_after(m, bus, self.latency)),
        ]
        return m


def packed(text: str, *, word_bits: int) -> list[int]:
    """A text's length in bytes, then the bytes, packed into words, the first in the lowest bits."""
    content, size = text.encode(), word_bits // 8
    words = [int.from_bytes(content[start : start + size], "little") for start in range(0, len(content), size)]
    return [len(content), *words]


def text_memory(text: str, *, word_bits: int) -> MemoryShape:
    return MemoryShape(name="configuration", width=word_bits, depth=len(packed(text, word_bits=word_bits)))


class TextTarget(wiring.Component):
    """A read-only text, `packed`."""

    def __init__(self, text: str, *, word_bits: int):
        self.words, self.memory = packed(text, word_bits=word_bits), text_memory(text, word_bits=word_bits)
        super().__init__({"bus": In(BusSignature(word_bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus = self.bus
        m.submodules.rom = rom = Memory(
            shape=unsigned(self.memory.width), depth=self.memory.depth, init=self.words, attrs=self.memory.attributes
        )
        port = rom.read_port()
        m.d.comb += [
            port.addr.eq(bus.address),
            bus.read_data.eq(port.data),
            bus.fault.eq(bus.write | ~within(bus.address, len(self.words))),
            bus.ready.eq(Mux(bus.fault, bus.valid, answer_after(m, bus, 1))),
        ]
        return m
