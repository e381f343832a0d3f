"""The contexts of a layer become one model: each node the rounding mean of its copies."""

from typing import Any

from amaranth import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.node_memory import NodeMemory, PlaceSignature
from hw.datapath.ports import word_array


class ContextAverage(wiring.Component):
    """Goes through the nodes of a tap, of all taps at once, and in between leads the host to the contexts.

    For each node it reads the copies of all contexts, one a cycle, waits for the last of them, and writes their mean
    back to all, one a cycle. The copies lie `rows` rows apart.

    Attributes:
        start: begin; it is `busy` for `cycles` cycles; the last nodes are written within `latency` cycles.
        host: a place in one context. Reads are of the first; a write must be held for as many cycles as there are
            contexts, and goes to all.
        place: in the banks, for the host's access and the merger's own.
        nodes: what the banks of each tap give, `latency` cycles after `place`. means: what to write there while `busy`.
    """

    def __init__(self, bank: NodeMemory, *, contexts: int, taps: int, latency: int):
        """`bank`: one of the taps'. `contexts`: a power of two, 2 or more."""
        self.contexts, self.taps, self.lanes, self.latency = contexts, taps, bank.lanes, latency
        self.width = bank.form.word.width
        self.rows = bank.even_rows // contexts, bank.odd_rows // contexts
        nodes = word_array(self.width, taps)
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "host": In(PlaceSignature(rows=self.rows[0], lanes=self.lanes)),
                "place": Out(PlaceSignature(rows=bank.even_rows, lanes=self.lanes)),
                "nodes": In(nodes),
                "means": Out(nodes),
            }
        )

    @property
    def period(self) -> int:
        """Cycles that a node takes."""
        return self.latency + 2 * self.contexts

    @property
    def cycles(self) -> int:
        return self.lanes * sum(self.rows) * self.period

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Signal(range(self.period))
        # Any so many steps that follow each other go to all contexts, whichever comes first.
        context = Signal(range(self.contexts))
        with m.If(self.busy):
            m.d.sync += step.eq(Mux(step == self.period - 1, 0, step + 1))
        with m.Else():
            m.d.sync += step.eq(Mux(self.start, 0, step[: len(context)] + 1))
        with m.If(self.busy | self.host.write):
            m.d.comb += context.eq(step)
        here = self._walk(m, step == self.period - 1)
        place = self.place
        offsets = Array(Const(index * rows) for rows in self.rows for index in range(self.contexts))
        for name in ("odd", "lane"):
            m.d.comb += getattr(place, name).eq(Mux(self.busy, here[name], getattr(self.host, name)))
        m.d.comb += [
            place.select.eq(self.busy | self.host.select),
            place.write.eq(Mux(self.busy, step >= self.latency + self.contexts, self.host.write)),
            place.row.eq(Mux(self.busy, here["row"], self.host.row) + offsets[Cat(context, place.odd)]),
        ]
        for node, mean in zip(self.nodes, self.means, strict=True):
            total = Signal(signed(self.width + len(context)), reset_less=True)
            with m.If(step < self.latency):
                m.d.sync += total.eq(self.contexts // 2)  # the half that rounds
            with m.Elif(step < self.latency + self.contexts):
                m.d.sync += total.eq(total + node)
            m.d.comb += mean.eq(total >> len(context))
        return m

    def _walk(self, m: Module, next_: Any) -> dict[str, Signal]:
        """Lanes, rows and both banks, in nested loops."""
        odd = Signal()
        row, lane = Signal(range(max(self.rows[0], 2))), Signal(range(max(self.lanes, 2)))
        last_row, last_lane = row == Mux(odd, self.rows[1] - 1, self.rows[0] - 1), lane == self.lanes - 1
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(self.busy & next_):
            m.d.sync += lane.eq(Mux(last_lane, 0, lane + 1))
            with m.If(last_lane):
                m.d.sync += row.eq(Mux(last_row, 0, row + 1))
                with m.If(last_row):
                    m.d.sync += [odd.eq(~odd), self.busy.eq(~odd)]
        return {"odd": odd, "row": row, "lane": lane}
