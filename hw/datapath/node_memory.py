"""Node memory: the nodes of many functions of one input, even and odd ones in two banks.

A segment [i, i+1] then is one read of each bank. Functions of the same input share the segment, so `lanes` functions
lie side by side in one word; `slots` groups of such functions follow each other.
"""

from amaranth import Cat, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.node_bank import NodeBank
from hw.datapath.ports import word_array
from hw.fpga.technology import Technology
from sw.spec.numerics import LayerFormat, bits_for


class PlaceSignature(wiring.Signature):
    """A node in the two banks, and whether it is read or written."""

    def __init__(self, *, rows: int, lanes: int):
        super().__init__(
            {
                "select": Out(1),
                "write": Out(1),
                "odd": Out(1),
                "row": Out(range(max(rows, 2))),
                "lane": Out(range(max(lanes, 2))),
            }
        )


class AccessSignature(wiring.Signature):
    """One node at a time, for the host, while nothing else uses the banks.

    `select` takes over the forward read port; `data_read` is there a cycle more than `NodeMemory.read_latency` after
    `row`, `odd` and `lane` have settled. `write` stores `data_write` in that cycle.
    """

    def __init__(self, *, rows: int, width: int, lanes: int):
        data = {"data_write": Out(signed(width)), "data_read": In(signed(width))}
        super().__init__({**PlaceSignature(rows=rows, lanes=lanes).members, **data})


class NodeMemory(wiring.Component):
    """Two banks that are read and updated together, with the latencies of a `NodeBank`.

    Attributes:
        forward: slot and segment in; `read_latency` cycles later the nodes at its ends out, the even one and the odd
            one.
        update: the same, and in the cycle of the nodes, what is added to them. It is written where `enable`, which
            comes with slot and segment, and then `saturated` marks nodes that were cut to a word.
        access: for the host; a node is there `access_latency` cycles after its place.
        forwarding: a row may be read in the clock of its write, and updated before the update before is written.
    """

    def __init__(self, form: LayerFormat, *, slots: int, lanes: int, technology: Technology, revisit: int | None):
        """`revisit`: as for a `NodeBank`."""
        self.form, self.slots, self.lanes, self.technology = form, slots, lanes, technology
        width = form.word.width
        self.even_rows = slots * (form.segments // 2 + 1)
        self.odd_rows = slots * (form.segments // 2)
        self.banks = [
            NodeBank(rows=rows, width=width, lanes=lanes, technology=technology, revisit=revisit)
            for rows in (self.even_rows, self.odd_rows)
        ]
        nodes = word_array(width, lanes)
        read = {
            "slot": Out(range(max(slots, 2))),
            "segment": Out(range(form.segments)),
            "even": In(nodes),
            "odd": In(nodes),
        }
        changes = {
            "enable": Out(1),
            "even_changes": Out(nodes),
            "odd_changes": Out(nodes),
            "saturated": In(2 * lanes),
        }
        super().__init__(
            {
                "forward": In(wiring.Signature(read)),
                "update": In(wiring.Signature({**read, **changes})),
                "access": In(AccessSignature(rows=self.even_rows, width=width, lanes=lanes)),
            }
        )
        bank = self.banks[0]
        self.read_stage, self.read_latency, self.write_stage = bank.read_stage, bank.read_latency, bank.write_stage
        self.access_latency = bank.read_latency + 1
        self.forwarding = bank.forwarding

    def rows(self, slot: Value, segment: Value) -> tuple[Value, Value]:
        """Rows of the even and the odd node of a segment: slot * nodes per bank + node // 2."""
        half = segment >> 1
        odd_row = Cat(half[: self.form.segment_bits - 1], slot)
        even_row = odd_row + slot + segment[0]
        return even_row[: bits_for(self.even_rows)], odd_row[: max(bits_for(self.odd_rows), 1)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        even, odd = self.banks
        m.submodules.even, m.submodules.odd = even, odd
        forward, update, access = self.forward, self.update, self.access
        reads, writes = self.rows(forward.slot, forward.segment), self.rows(update.slot, update.segment)
        for index, bank in enumerate(self.banks):
            m.d.comb += [
                bank.forward.row.eq(Mux(access.select, access.row, reads[index])),
                bank.update.row.eq(writes[index]),
                bank.update.enable.eq(update.enable),
                bank.access.write.eq(access.write & (access.odd == index)),
                bank.access.lane.eq(access.lane),
                bank.access.row.eq(access.row),
                bank.access.node.eq(access.data_write),
            ]
        m.d.comb += [
            Cat(forward.even, forward.odd).eq(Cat(even.forward.nodes, odd.forward.nodes)),
            Cat(update.even, update.odd).eq(Cat(even.update.nodes, odd.update.nodes)),
            even.update.changes.eq(update.even_changes),
            odd.update.changes.eq(update.odd_changes),
            update.saturated.eq(Cat(even.update.saturated, odd.update.saturated)),
        ]
        found = Mux(access.odd, odd.forward.nodes.as_value(), even.forward.nodes.as_value())
        m.d.sync += access.data_read.eq(found.word_select(access.lane, self.form.word.width))
        return m
