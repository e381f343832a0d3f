"""Node memory: the nodes of many functions of one input, even and odd ones in two banks.

A segment [i, i+1] then is one read of each bank. Functions of the same input share the segment, so `lanes` functions
lie side by side in one word; `slots` groups of such functions follow each other.
"""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.pipeline import Pipeline, Timed
from hw.technology import Technology
from sw.numerics import LayerFormat, bits_for


def words(width: int, count: int) -> data.ArrayLayout:
    """`count` signed words."""
    return data.ArrayLayout(signed(width), count)


class ReadSignature(wiring.Signature):
    """Slot and segment in; `NodeBanks.read_latency` cycles later the nodes at its ends, the even one and the odd
    one."""

    def __init__(self, *, slots: int, segments: int, width: int, lanes: int):
        super().__init__(
            {
                "slot": Out(range(slots)),
                "segment": Out(range(segments)),
                "even": In(words(width, lanes)),
                "odd": In(words(width, lanes)),
            }
        )


class AccessSignature(wiring.Signature):
    """One node at a time, for the host, while nothing else uses the banks.

    `select` takes over the forward read port; `data_read` is there a cycle more than `NodeBanks.read_latency` after
    `row`, `odd` and `lane` have settled. `write` stores `data_write` in that cycle.
    """

    def __init__(self, *, rows: int, width: int, lanes: int):
        super().__init__(
            {
                "select": Out(1),
                "write": Out(1),
                "odd": Out(1),
                "row": Out(range(max(rows, 2))),
                "lane": Out(range(max(lanes, 2))),
                "data_write": Out(signed(width)),
                "data_read": In(signed(width)),
            }
        )


class NodeBanks(wiring.Component):
    """Two banks with two read ports (forward pass, update) and one write port.

    A read and a write of one row must never fall in the same cycle: the schedule sees to it.

    Attributes:
        forward, update: `ReadSignature`, each a read every clock.
        store: slot, segment, both nodes; written `write_stage` cycles later where `enable`.
        read_stage: cycles from slot and segment to the read of the memory.
        read_latency: cycles from slot and segment to the nodes.
        write_stage: cycles from `store` to the write of the memory.
    """

    read_stage = 1
    write_stage = 1

    def __init__(self, form: LayerFormat, *, slots: int, lanes: int, technology: Technology):
        self.form, self.slots, self.lanes, self.technology = form, slots, lanes, technology
        width = form.word.width
        self.even_rows = slots * (form.segments // 2 + 1)
        self.odd_rows = slots * (form.segments // 2)
        read = ReadSignature(slots=max(slots, 2), segments=form.segments, width=width, lanes=lanes)
        super().__init__(
            {
                "forward": In(read),
                "update": In(read),
                "store": In(
                    wiring.Signature(
                        {
                            "enable": Out(1),
                            "slot": Out(range(max(slots, 2))),
                            "segment": Out(range(form.segments)),
                            "even": Out(words(width, lanes)),
                            "odd": Out(words(width, lanes)),
                        }
                    )
                ),
                "access": In(AccessSignature(rows=self.even_rows, width=width, lanes=lanes)),
            }
        )

    @property
    def read_latency(self) -> int:
        return self.read_stage + self.technology.memory_latency

    def rows(self, slot: Value, segment: Value) -> tuple[Value, Value]:
        """Rows of the even and the odd node of a segment: slot * nodes per bank + node // 2."""
        half = segment >> 1
        odd_row = Cat(half[: self.form.segment_bits - 1], slot)
        even_row = odd_row + slot + segment[0]
        return even_row[: bits_for(self.even_rows)], odd_row[: max(bits_for(self.odd_rows), 1)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pipe = Pipeline(m, self.technology)
        width, lanes = self.form.word.width, self.lanes
        banks = []
        for name, depth in (("even", self.even_rows), ("odd", self.odd_rows)):
            bank = Memory(shape=unsigned(width * lanes), depth=max(depth, 2), init=[], attrs={"ram_style": "block"})
            m.submodules[name] = bank
            banks.append(bank)
        write_ports = [bank.write_port(granularity=width) for bank in banks]

        for port, select in ((self.forward, self.access.select), (self.update, None)):
            read_ports = [bank.read_port() for bank in banks]
            slot, segment = pipe.input(port.slot), pipe.input(port.segment)
            found = []
            for index, read_port in enumerate(read_ports):
                row = pipe.register(
                    lambda slot, segment, index=index, select=select: (
                        self.rows(slot, segment)[index]
                        if select is None
                        else Mux(select, self.access.row, self.rows(slot, segment)[index])
                    ),
                    slot,
                    segment,
                    shape=read_port.addr.shape(),
                )
                found.append(self._read(pipe, read_port, row))
            m.d.comb += [side.eq(nodes.value) for side, nodes in zip((port.even, port.odd), found, strict=True)]
            if select is not None:
                raw = Mux(self.access.odd, found[1].value, found[0].value)
                m.d.sync += self.access.data_read.eq(raw.word_select(self.access.lane, width))

        store = self.store
        enable = Signal()
        even_row, odd_row = self.rows(store.slot, store.segment)
        rows = [Signal(port.addr.shape(), name=f"row{index}") for index, port in enumerate(write_ports)]
        values = [Signal(width * lanes, name=f"value{index}") for index in range(2)]
        m.d.sync += [
            enable.eq(store.enable),
            rows[0].eq(even_row),
            rows[1].eq(odd_row),
            values[0].eq(store.even),
            values[1].eq(store.odd),
        ]
        for index, port in enumerate(write_ports):
            chosen = self.access.write & (self.access.odd == index)
            m.d.comb += [
                port.addr.eq(Mux(self.access.write, self.access.row, rows[index])),
                port.data.eq(Mux(self.access.write, Cat(self.access.data_write for _ in range(lanes)), values[index])),
                port.en.eq(Mux(self.access.write, chosen << self.access.lane, enable.replicate(lanes))),
            ]
        return m

    def _read(self, pipe: Pipeline, port: Any, row: Timed) -> Timed:
        pipe.m.d.comb += port.addr.eq(row.value)
        found = Timed(port.data, row.cycle + 1)
        for _ in range(self.technology.memory_latency - 1):
            found = pipe.register(lambda found: found, found)
        return found
