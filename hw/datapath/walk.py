"""A walk through the slots of a record: two nested loops in gateware."""

from amaranth import Module, Mux, Signal, Value

from hw.datapath.fanout import FANOUT
from hw.datapath.strobes import counter


class Walk:
    """Two nested loops over the slots of a record, one slot a cycle from the cycle after `start`.

    The next start may come with the last cycle of the walk.

    Parameters
    ----------
    m : Module
        Where the counters are added.
    name : str
        A prefix of signal names.
    start : Value
        Begin.
    outer, inner : int
        Turns of the two loops.
    contexts : int
        Records are of so many contexts in turn; the slots of each context follow those of the one before.
    stride : int
        From one slot of the inner loop to the next: 1, or `outer` where the outer loop runs over neighbouring slots.
    period : int, optional
        Cycles of the inner loop, the last ones without a slot where they are more than `inner`.
    turn_by_turn : bool
        Whether a start is for one turn of the outer loop only.
    at_once : bool
        Whether the only slot of a walk is in the cycle of `start`.

    Attributes
    ----------
    valid : Value
        Whether there is a slot in this cycle.
    slot : Signal
        The number of the slot.
    outer, inner : Signal
        The turns that the loops are in.
    turn_ends : Value
        Set in the last cycle of a turn of the outer loop.
    record_ends : Value
        Set in the last cycle of a record.
    """

    def __init__(
        self,
        m: Module,
        name: str,
        start: Value,
        outer: int,
        inner: int,
        *,
        contexts: int,
        stride: int = 1,
        period: int | None = None,
        turn_by_turn: bool = False,
        at_once: bool = False,
    ):
        period, slots = period or inner, contexts * outer * inner
        active = Signal(name=f"{name}_active")
        self.slot = Signal(range(slots), name=f"{name}_slot")
        self.inner = Signal(range(period), name=f"{name}_inner")
        inner_ends = self.inner == period - 1
        self.turn_ends = active & inner_ends
        self.outer = counter(m, f"{name}_outer", self.turn_ends, outer)
        outer_ends = inner_ends & (self.outer == outer - 1)
        self.valid, self.record_ends = active & (self.inner < inner), active & outer_ends
        to_next_turn = 1 if stride == 1 else 1 - (inner - 1) * stride
        next_slot = self.slot + (Mux(outer_ends, 1, to_next_turn) if contexts > 1 else to_next_turn)
        self._m, self._next_inner = m, Mux(active, Mux(inner_ends, 0, self.inner + 1), self.inner)
        m.d.sync += self.inner.eq(self._next_inner)
        with m.If(active):
            with m.If(inner_ends):
                m.d.sync += self.slot.eq(Mux(self.slot == slots - 1, 0, next_slot))
            with m.Elif(self.inner < inner - 1):
                m.d.sync += self.slot.eq(self.slot + stride)
            if not at_once:
                with m.If(inner_ends if turn_by_turn else outer_ends):
                    m.d.sync += active.eq(0)
        with m.If(start):
            m.d["comb" if at_once else "sync"] += active.eq(1)

    def inner_copy(self) -> Signal:
        """Return `inner` in a register of its own, which can lie near its use."""
        copy = Signal.like(self.inner, name="inner_copy", attrs={FANOUT: 1})
        self._m.d.sync += copy.eq(self._next_inner)
        return copy
