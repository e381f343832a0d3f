"""The targets of the bus other than the registers: records, nodes, and the configuration's text."""

from collections.abc import Mapping
from typing import Any

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.ports import NodeAccessSignature
from hw.fpga.resources import MemoryShape
from hw.link.bus import BusSignature, address_exists, ready_after
from hw.soc.record_store import RecordStore
from sw.spec.protocol import Space
from sw.spec.text_words import pack_text


def connect_targets(m: Module, bus: Any, targets: Mapping[Space, Any]) -> None:
    """Connect the bus to the target of each space; a space without one has a fault at every address.

    Answers are registered, since the way from a target to the initiator is long.

    Parameters
    ----------
    m : Module
        Where the connections are added.
    bus : flipped interface
        The bus, from its initiator.
    targets : mapping of Space to interface
        The target's side of each bus.
    """
    answered = Signal()
    m.d.sync += answered.eq(0)
    m.d.comb += bus.ready.eq(answered)
    for target in targets.values():
        m.d.comb += [
            target.write.eq(bus.write),
            target.space.eq(bus.space),
            target.address.eq(bus.address),
            target.write_data.eq(bus.write_data),
        ]
    with m.Switch(bus.space):
        for space, target in targets.items():
            with m.Case(space):
                m.d.comb += target.valid.eq(bus.valid & ~answered)
                m.d.sync += [
                    answered.eq(target.valid & target.ready),
                    bus.read_data.eq(target.read_data),
                    bus.refused.eq(target.refused),
                    bus.fault.eq(target.fault),
                ]
        if len(targets) < len(Space):
            with m.Default():
                m.d.sync += [answered.eq(bus.valid & ~answered), bus.refused.eq(0), bus.fault.eq(1)]


class RecordTarget(wiring.Component):
    """The bus target of the space RECORDS: the words of the record store.

    A read takes the latency of the store and 3 cycles; while `busy`, it is refused. A write is done when the store
    takes it, at the earliest in its second cycle; during a pass it waits until the pass leaves the store a cycle. A
    fault takes as long as a read.

    Parameters
    ----------
    store : RecordStore
        The store whose shape and latency the target has.
    word_bits : int
        Width of the bus.

    Attributes
    ----------
    bus : In(BusSignature(word_bits))
        The bus; an address is row * row_words + word.
    busy : In(1)
        A pass is under way.
    store : Out(signature of a store's user)
        To the store's ports. It reads only while not `busy`.
    """

    def __init__(self, store: RecordStore, *, word_bits: int):
        self.latency, self.words = store.latency, store.rows * store.row_words
        self.row_words, self.width = store.row_words, store.width
        super().__init__({"bus": In(BusSignature(word_bits)), "busy": In(1), "store": Out(store.signature.flip())})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        bus, store = self.bus, self.store
        fault = ~address_exists(bus.address, self.words)
        refused = self.busy & ~bus.write
        writes = bus.valid & bus.write & ~fault
        # Registered, since the request comes a long way. A read is repeated in each cycle of its transfer: no harm.
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
            bus.ready.eq(Mux(writes, store.written, ready_after(m, bus, self.latency + 2))),
        ]
        return m


class NodeTarget(wiring.Component):
    """The bus target of the space PARAMETERS: the trainer's nodes.

    A transfer takes `latency` + 1 cycles; while `busy`, it is refused.

    Parameters
    ----------
    width : int
        Bits of a node.
    latency : int
        The trainer's `access_latency` or its number of contexts, whichever is more.
    word_bits : int
        Width of the bus.

    Attributes
    ----------
    bus : In(BusSignature(word_bits))
        The bus; addresses are those of `sw.spec.addresses`, with the number of the layer above them.
    busy : In(1)
        The trainer trains or predicts.
    access : Out(NodeAccessSignature(width))
        To the trainer.
    """

    def __init__(self, *, width: int, latency: int, word_bits: int):
        self.latency = latency
        super().__init__({"bus": In(BusSignature(word_bits)), "busy": In(1), "access": Out(NodeAccessSignature(width))})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        bus, access = self.bus, self.access
        m.d.comb += [
            access.select.eq(~self.busy),
            access.address.eq(bus.address),
            access.data_write.eq(bus.write_data),
            access.write.eq(
                bus.valid & bus.write & ~self.busy
            ),  # repeated in each cycle of the transfer, without effect
            bus.refused.eq(self.busy),
            bus.fault.eq(access.fault),
            bus.read_data.eq(access.data_read),
            bus.ready.eq(ready_after(m, bus, self.latency)),
        ]
        return m


def text_memory(text: str, *, word_bits: int) -> MemoryShape:
    """Return the shape of the read-only memory of a text."""
    return MemoryShape(name="configuration", width=word_bits, depth=len(pack_text(text, word_bytes=word_bits // 8)))


class TextTarget(wiring.Component):
    """The bus target of the space CONFIGURATION: a text that can only be read.

    A read takes two cycles, a fault one.

    Parameters
    ----------
    text : str
        The text. Its words are those of `sw.spec.text_words.pack_text`.
    word_bits : int
        Width of the bus, a multiple of 8.

    Attributes
    ----------
    bus : In(BusSignature(word_bits))
        The bus.
    """

    def __init__(self, text: str, *, word_bits: int):
        self.words = pack_text(text, word_bytes=word_bits // 8)
        self.memory = text_memory(text, word_bits=word_bits)
        super().__init__({"bus": In(BusSignature(word_bits))})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        bus = self.bus
        m.submodules.rom = rom = Memory(
            shape=unsigned(self.memory.width), depth=self.memory.depth, init=self.words, attrs=self.memory.attributes
        )
        port = rom.read_port()
        m.d.comb += [
            port.addr.eq(bus.address),
            bus.read_data.eq(port.data),
            bus.fault.eq(bus.write | ~address_exists(bus.address, len(self.words))),
            bus.ready.eq(Mux(bus.fault, bus.valid, ready_after(m, bus, 1))),
        ]
        return m
