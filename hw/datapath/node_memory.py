"""The node memory of a tap: the nodes of many functions of one input, even and odd ones in two banks.

A segment [i, i+1] then is one read of each bank. Functions of the same input share the segment, so `lanes` functions
lie side by side in one word; `slots` groups of such functions follow each other.
"""

from amaranth import Cat, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.node_bank import NodeBank, NodeRead
from hw.datapath.ports import word_array
from hw.fpga.technology import Technology
from sw.spec.addresses import bank_depths, bank_rows
from sw.spec.numerics import LayerFormat, bits_for


class NodePositionSignature(wiring.Signature):
    """The position of a node in two banks, and whether it is read or written.

    Parameters
    ----------
    rows, lanes : int
        Rows of the larger bank, and nodes of a row.

    Attributes
    ----------
    select, write : out, 1
        The node is read; the node is written.
    odd : out, 1
        It lies in the bank of odd nodes.
    row, lane : out
        Its row in the bank, and its lane in the row.
    """

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


class BankAccessSignature(wiring.Signature):
    """The host's access to one node of a tap at a time, while nothing else uses the banks.

    `select` takes over the read port of the forward pass. `data_read` is valid `NodeMemory.access_latency` cycles after
    the position is stable, as long as `select` is set; `write` stores `data_write` in its cycle.

    Parameters
    ----------
    rows, lanes : int
        Rows of the larger bank, and nodes of a row.
    width : int
        Bits of a node.

    Attributes
    ----------
    select, write, odd, row, lane : out
        As in `NodePositionSignature`.
    data_write, data_read : out and in, signed words
        The node.
    """

    def __init__(self, *, rows: int, width: int, lanes: int):
        data = {"data_write": Out(signed(width)), "data_read": In(signed(width))}
        super().__init__({**NodePositionSignature(rows=rows, lanes=lanes).members, **data})


def rows_of_segment(form: LayerFormat, slots: int, slot: Value, segment: Value) -> tuple[Value, Value]:
    """Return the rows of the even and of the odd node of a segment, in banks for so many slots."""
    even_rows, odd_rows = bank_depths(slots, form.segments)
    half = segment >> 1
    pair = Cat(half[: form.segment_bits - 1], slot)
    even_row, odd_row = bank_rows(pair, slot, segment[0])
    return even_row[: bits_for(even_rows)], odd_row[: max(bits_for(odd_rows), 1)]


class NodeMemory(wiring.Component):
    """Two banks that are read and updated together, with the latencies of a `NodeBank`.

    It takes a slot for the forward pass and one for the update every clock.

    Parameters
    ----------
    form : LayerFormat
        Bit fields of the layer.
    slots, lanes : int
        Groups of functions, and functions of a group.
    technology : Technology
        The FPGA family.
    revisit : int or None
        As for a `NodeBank`.
    read : NodeRead, optional
        When the banks are read; default: as their rows allow.

    Attributes
    ----------
    forward : in
        `slot` and `segment`; `read.latency` cycles later the `even` and the `odd` nodes (out) of the segment, one a
        lane.
    update : in
        The same; with slot and segment, whether the nodes are changed (`enable`), and in the cycle of the nodes, or as
        many later as `hold` says, the `even_changes` and `odd_changes` to add to them. In the cycle after these,
        `saturated` (out) marks sums that were limited to a word.
    access : in
        One node, for the host.
    even_rows, odd_rows : int
        Rows of each bank.
    read : NodeRead
        From slot and segment on.
    access_latency : int
        Cycles from the position of a node to the node.
    forwarding : bool
        Whether a row may be read in the clock of its write, and updated before the last update is written.
    """

    def __init__(
        self,
        form: LayerFormat,
        *,
        slots: int,
        lanes: int,
        technology: Technology,
        revisit: int | None,
        read: NodeRead | None = None,
    ):
        self.form, self.slots, self.lanes, self.technology = form, slots, lanes, technology
        width = form.word.width
        self.even_rows, self.odd_rows = bank_depths(slots, form.segments)
        self.read = read or NodeRead.of(self.even_rows, technology)  # the odd bank has no more rows
        self.banks = [
            NodeBank(rows=rows, width=width, lanes=lanes, technology=technology, read=self.read, revisit=revisit)
            for rows in (self.even_rows, self.odd_rows)
        ]
        nodes = word_array(width, lanes)
        reading = {
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
                "forward": In(wiring.Signature(reading)),
                "update": In(wiring.Signature({**reading, **changes})),
                "access": In(BankAccessSignature(rows=self.even_rows, width=width, lanes=lanes)),
            }
        )
        bank = self.banks[0]
        self.access_latency = self.read.latency + 1
        self.forwarding = bank.forwarding

    @property
    def write_stage(self) -> int:
        """Cycles from slot and segment of an update to its write."""
        return self.banks[0].write_stage

    def hold(self, cycles: int) -> None:
        """Let the changes of an update come so many cycles after its nodes; before elaboration only."""
        for bank in self.banks:
            bank.hold = cycles

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        even, odd = self.banks
        m.submodules.even, m.submodules.odd = even, odd
        forward, update, access = self.forward, self.update, self.access
        reads, writes = (rows_of_segment(self.form, self.slots, port.slot, port.segment) for port in (forward, update))
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
        row_nodes = Mux(access.odd, odd.forward.nodes.as_value(), even.forward.nodes.as_value())
        m.d.sync += access.data_read.eq(row_nodes.word_select(access.lane, self.form.word.width))
        return m
