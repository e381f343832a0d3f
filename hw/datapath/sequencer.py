"""A layer in its place in the network: what arrives group by group becomes slots of its unit."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import REACH, fanout_register
from hw.datapath.layer import LayerUnit
from hw.datapath.ports import word_array
from hw.datapath.replay_fifo import ReplayFifo
from hw.datapath.strobes import collected, counter, held
from hw.fpga.resources import MemoryShape
from hw.schedule.slot_order import SlotOrder


class Sequencer(wiring.Component):
    """A layer unit that is driven along its slot_order, and keeps the arguments of each record until its update.

    Attributes:
        unit: the layer; its results and the errors of its inputs leave through it.
        inputs: argument codes of the next group of inputs, or of all of them in a first layer; taken as they come.
        errors: errors of the next group of outputs, and whether the record is trained on; taken as they come.
        updated: the last cycle of a record's update has come.
        apart, turned (absent without `group`): each group of inputs is summed for itself, and has an error of its own;
            `turned`, that of the next one is taken. It is stable while records are under way.
        rewind: the next record is the first context's; not while any is under way (absent with one context).
    """

    def __init__(self, unit: LayerUnit, slot_order: SlotOrder, *, kept: MemoryShape, group: int = 0):
        """`kept`: of the arguments of all records that are under way at once (`hw.schedule.buffers.Buffers`).
        `group`: slots of a
        group of inputs that may be kept apart, in a layer of one group of outputs; 0 if there are none."""
        self.slot_order, self.unit, self.kept, self.group = slot_order, unit, kept, group
        codes = data.ArrayLayout(
            unsigned(unit.form.argument_bits), unit.taps * unit.input_groups // slot_order.arrivals
        )
        errors = {"valid": Out(1), "train": Out(1), "values": Out(word_array(unit.form.word.width, unit.lanes))}
        super().__init__(
            {
                "inputs": In(wiring.Signature({"valid": Out(1), "codes": Out(codes)})),
                "errors": In(wiring.Signature(errors)),
                "updated": Out(1),
                **({"apart": In(1), "turned": Out(1)} if group else {}),
                **({"rewind": In(1)} if unit.contexts > 1 else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = self.unit
        entry, codes = self._forward(m)
        m.submodules.kept = kept = ReplayFifo(self.kept, repeats=self.slot_order.rereads)
        m.d.comb += [kept.write.eq(entry), kept.value.eq(codes)]
        self._update(m, kept)
        return m

    def _forward(self, m: Module) -> tuple[Value, Value]:
        """Send a record's slots forward; returns when there is something to keep for the update, and what."""
        unit, slot_order, inputs = self.unit, self.slot_order, self.inputs
        present, codes = inputs.valid, inputs.codes.as_value()
        if slot_order.walks_forward:
            present, codes = collected(m, "inputs", present, codes, slot_order.arrivals)
            if unit.entry:
                begun, present, codes = present, fanout_register(m, present), fanout_register(m, codes)
                bits = REACH * unit.form.argument_bits
                parts = (codes[place : place + bits] for place in range(0, len(codes), bits))
                whole = Cat(held(m, fanout_register(m, begun), part) for part in parts)
            else:
                whole = held(m, present, codes)
            walk = Walk(m, "forward", present, unit.output_groups, unit.input_groups, contexts=unit.contexts)
            valid, slot, group = walk.valid, walk.slot, walk.inner
            arguments = whole.word_select(group, unit.taps * unit.form.argument_bits)
            if unit.input_groups > 1:
                present, codes = valid & (walk.outer == 0), arguments
        else:
            group = counter(m, "input_group", present, unit.input_groups)
            slot = counter(m, "forward_slot", present, unit.contexts * unit.slots) if unit.contexts > 1 else group
            valid, arguments = present, codes
        self._rewind(m, slot)
        first, last = group == 0, group == unit.input_groups - 1
        if self.group:
            member = counter(m, "member", present, self.group)
            first, last = first | (self.apart & (member == 0)), last | (self.apart & (member == self.group - 1))
        m.d.comb += [
            unit.forward.valid.eq(valid),
            unit.forward.slot.eq(slot),
            unit.forward.arguments.eq(arguments),
            unit.forward.first.eq(first),
            unit.forward.last.eq(last),
        ]
        return present, codes

    def _update(self, m: Module, kept: ReplayFifo) -> None:
        """Send a record's slots through the update."""
        unit, slot_order, port = self.unit, self.slot_order, self.errors
        present, errors = port.valid, port.values.as_value()
        if slot_order.walks_backward:
            present, errors = collected(m, "errors", present, errors, unit.output_groups)
            inputs, outputs = unit.input_groups, unit.output_groups
            order: dict[str, Any] = {"stride": inputs, "period": slot_order.period}
            walk = Walk(m, "update", present, inputs, outputs, contexts=unit.contexts, **order)
            input_group, output_group = walk.outer, walk.inner
            renewed = present
            if self.group:
                member = counter(m, "updated_member", walk.turned, self.group)
                ends = walk.turned & (member == self.group - 1) & (input_group != inputs - 1)
                m.d.comb += self.turned.eq(self.apart & ends)
                renewed = present | self.turned
        else:
            outputs, inputs = unit.output_groups, unit.input_groups
            walk = Walk(m, "update", present, outputs, inputs, contexts=unit.contexts, turn_by_turn=True)
            output_group = walk.outer
            renewed = present if inputs > 1 else Const(1)  # if the errors are for one slot, nobody needs them after it
        copies, bits = unit.update.errors, len(port.values.as_value())
        for copy in copies:
            every = held(m, renewed, errors, apart=len(copies) > 1)
            m.d.comb += copy.eq(every.word_select(output_group if slot_order.walks_backward else 0, bits))
        self._rewind(m, walk.slot)
        m.d.comb += [
            unit.update.valid.eq(walk.valid),
            unit.update.slot.eq(walk.slot),
            unit.update.arguments.eq(kept.first),
            unit.update.train.eq(held(m, present, port.train)),
            self.updated.eq(walk.last),
        ]
        if slot_order.walks_backward:
            m.d.comb += kept.read.eq(walk.turned)
        elif unit.input_groups == 1:
            m.d.comb += kept.read.eq(walk.last)
        else:
            m.d.comb += kept.read.eq(walk.valid)
            if slot_order.rereads:
                m.d.comb += [kept.again.eq(walk.turned & ~walk.last), kept.done.eq(walk.last)]
        if not unit.first:
            m.d.comb += [
                unit.update.first.eq(output_group == 0),
                unit.update.last.eq(output_group == unit.output_groups - 1),
            ]

    def _rewind(self, m: Module, slot: Value) -> None:
        if self.unit.contexts > 1:
            with m.If(self.rewind):
                m.d.sync += slot.eq(0)


class Walk:
    """Two nested loops over the slots of a record, one a cycle from the cycle after `start`, which may come again with
    the last one.

    Slots of the inner loop are `stride` apart: 1, or `outer` where the outer loop runs over neighbours. The inner loop
    takes `period` cycles, the last ones without a slot where that is more than `inner`. `turn_by_turn`, a start is for
    one turn of the outer loop. Records are of `contexts` in turn, and the slots of each follow those of the one before.

    Attributes:
        valid: in a slot. slot: its number. outer, inner: its places in the loops. turned: in the last cycle of an outer
            turn. last: in a record's last cycle.
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
    ):
        period, slots = period or inner, contexts * outer * inner
        active = Signal(name=f"{name}_active")
        self.slot = Signal(range(slots), name=f"{name}_slot")
        self.inner = Signal(range(period), name=f"{name}_inner")
        turned = self.inner == period - 1
        self.turned = active & turned
        self.outer = counter(m, f"{name}_outer", self.turned, outer)
        done = turned & (self.outer == outer - 1)
        self.valid, self.last = active & (self.inner < inner), active & done
        along = 1 if stride == 1 else 1 - (inner - 1) * stride
        onward = self.slot + (Mux(done, 1, along) if contexts > 1 else along)
        with m.If(active):
            m.d.sync += self.inner.eq(Mux(turned, 0, self.inner + 1))
            with m.If(turned):
                m.d.sync += self.slot.eq(Mux(self.slot == slots - 1, 0, onward))
            with m.Elif(self.inner < inner - 1):
                m.d.sync += self.slot.eq(self.slot + stride)
            with m.If(turned if turn_by_turn else done):
                m.d.sync += active.eq(0)
        with m.If(start):
            m.d.sync += active.eq(1)
