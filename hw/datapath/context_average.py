"""Merging the contexts of a layer into one model: each node becomes the rounding mean of its copies."""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.node_memory import NodeMemory, NodePositionSignature
from hw.datapath.ports import word_array


class ContextAverage(wiring.Component):
    """A walk through the nodes of all taps at once, which replaces each node by the mean of its copies.

    For each node it reads the copies of all contexts, one a cycle, waits for the last of them, and writes their mean
    back to all, one a cycle. The copies lie `rows` rows apart. While it is not busy, it connects the host to the banks.

    Parameters
    ----------
    memory : NodeMemory
        The node memory of one of the taps, which are all alike.
    contexts : int
        A power of two, 2 or more.
    taps : int
        Node memories.
    latency : int
        Cycles from a position to the nodes there.

    Attributes
    ----------
    start : in, 1
        Begin, in the next cycle.
    busy : out, 1
        Set for `cycles` cycles after `start`; the last nodes are written within `latency` cycles after that.
    host : in
        The position of a node in one context. A read is of the first context; a write must be stable for as many
        cycles as there are contexts, and goes to all of them.
    position : out
        The position in the banks, for the host or for the walk.
    nodes : in, a word a tap
        The nodes at the position, `latency` cycles after it.
    means : out, a word a tap
        The nodes to write while `busy`.
    rows : tuple of int
        Rows of a context in the even and in the odd bank.
    """

    def __init__(self, memory: NodeMemory, *, contexts: int, taps: int, latency: int):
        self.contexts, self.taps, self.lanes, self.latency = contexts, taps, memory.lanes, latency
        self.width = memory.form.word.width
        self.rows = memory.even_rows // contexts, memory.odd_rows // contexts
        nodes = word_array(self.width, taps)
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "host": In(NodePositionSignature(rows=self.rows[0], lanes=self.lanes)),
                "position": Out(NodePositionSignature(rows=memory.even_rows, lanes=self.lanes)),
                "nodes": In(nodes),
                "means": Out(nodes),
            }
        )

    @property
    def period(self) -> int:
        """Cycles for each node."""
        return self.latency + 2 * self.contexts

    @property
    def cycles(self) -> int:
        """Cycles for all nodes."""
        return self.lanes * sum(self.rows) * self.period

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        step = Signal(range(self.period))
        # As many steps as there are contexts, one after the other, go to all of them, whichever comes first.
        context = Signal(range(self.contexts))
        with m.If(self.busy):
            m.d.sync += step.eq(Mux(step == self.period - 1, 0, step + 1))
        with m.Else():
            m.d.sync += step.eq(Mux(self.start, 0, step[: len(context)] + 1))
        with m.If(self.busy | self.host.write):
            m.d.comb += context.eq(step)
        walk = self._walk(m, step == self.period - 1)
        position = self.position
        offsets = Array(Const(index * rows) for rows in self.rows for index in range(self.contexts))
        for name in ("odd", "lane"):
            m.d.comb += getattr(position, name).eq(Mux(self.busy, walk[name], getattr(self.host, name)))
        m.d.comb += [
            position.select.eq(self.busy | self.host.select),
            position.write.eq(Mux(self.busy, step >= self.latency + self.contexts, self.host.write)),
            position.row.eq(Mux(self.busy, walk["row"], self.host.row) + offsets[Cat(context, position.odd)]),
        ]
        for node, mean in zip(self.nodes, self.means, strict=True):
            total = Signal(signed(self.width + len(context)), reset_less=True)
            with m.If(step < self.latency):
                m.d.sync += total.eq(self.contexts // 2)  # the half that rounds
            with m.Elif(step < self.latency + self.contexts):
                m.d.sync += total.eq(total + node)
            m.d.comb += mean.eq(total >> len(context))
        return m

    def _walk(self, m: Module, node_done: Value) -> dict[str, Signal]:
        """Count through lanes, rows and banks, in nested loops with the lane innermost."""
        odd = Signal()
        row, lane = Signal(range(max(self.rows[0], 2))), Signal(range(max(self.lanes, 2)))
        last_row, last_lane = row == Mux(odd, self.rows[1] - 1, self.rows[0] - 1), lane == self.lanes - 1
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(self.busy & node_done):
            m.d.sync += lane.eq(Mux(last_lane, 0, lane + 1))
            with m.If(last_lane):
                m.d.sync += row.eq(Mux(last_row, 0, row + 1))
                with m.If(last_row):
                    m.d.sync += [odd.eq(~odd), self.busy.eq(~odd)]
        return {"odd": odd, "row": row, "lane": lane}
