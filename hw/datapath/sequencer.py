"""A layer in its network: the groups that arrive become slots of its unit, in the slot order of the plan."""

from typing import Any

from amaranth import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import MAX_FANOUT, fanout_register
from hw.datapath.layer import LayerUnit
from hw.datapath.ports import word_array
from hw.datapath.replay_fifo import ReplayFifo
from hw.datapath.strobes import collect_groups, counter, load_register
from hw.datapath.walk import Walk
from hw.fpga.resources import MemoryShape
from hw.schedule.slot_order import SlotOrder


class ForwardSequencer(wiring.Component):
    """A layer unit that is driven along the forward pass of its slot order.

    Groups are taken as they come, without back-pressure. A layer that follows gives the slot of a group to the unit in
    the cycle of its arrival; one that walks begins `unit.entry` + `unit.walk` cycles after the last group.

    Parameters
    ----------
    unit : LayerUnit or hw.datapath.inference_layer.InferenceLayer
        The layer. Its results leave through its own port.
    slot_order : SlotOrder
        Whether it follows or walks.
    ports : dict, optional
        More ports, of a subclass.

    Attributes
    ----------
    inputs : in
        The argument codes of the next group of inputs, or of all inputs in a first layer.
    """

    pretraining_slots = 0

    def __init__(self, unit: Any, slot_order: SlotOrder, ports: dict[str, Any] | None = None):
        self.unit, self.slot_order = unit, slot_order
        codes = data.ArrayLayout(
            unsigned(unit.form.argument_bits), unit.taps * unit.input_groups // slot_order.arrivals
        )
        super().__init__({"inputs": In(wiring.Signature({"valid": Out(1), "codes": Out(codes)})), **(ports or {})})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.unit = self.unit
        self._forward(m)
        return m

    def _forward(self, m: Module) -> tuple[Value, Value]:
        """Give a record's slots to the forward path; return a strobe for arguments that the update needs, and these."""
        unit, slot_order, inputs = self.unit, self.slot_order, self.inputs
        present, codes = inputs.valid, inputs.codes.as_value()
        if slot_order.walks_forward:
            present, codes = collect_groups(m, "inputs", present, codes, slot_order.arrivals)
            if unit.entry:
                arrived, present, codes = present, fanout_register(m, present), fanout_register(m, codes)
                bits = MAX_FANOUT * unit.form.argument_bits
                chunks = (codes[start : start + bits] for start in range(0, len(codes), bits))
                all_codes = Cat(load_register(m, fanout_register(m, arrived), chunk) for chunk in chunks)
            else:
                all_codes = load_register(m, present, codes)
            walk = Walk(m, "forward", present, unit.output_groups, unit.input_groups, contexts=unit.contexts)
            valid, slot, input_group = walk.valid, walk.slot, walk.inner
            arguments = self._chosen(walk, all_codes)
            if unit.input_groups > 1:
                present, codes = valid & (walk.outer == 0), arguments
        else:
            input_group = counter(m, "input_group", present, unit.input_groups)
            slot = input_group
            if unit.contexts > 1:
                slot = counter(m, "forward_slot", present, unit.contexts * unit.slots)
            valid, arguments = present, codes
        self._rewind(m, slot)
        first, last = input_group == 0, input_group == unit.input_groups - 1
        if self.pretraining_slots:
            position = counter(m, "forward_position", present, self.pretraining_slots)
            first |= self.pretrain & (position == 0)
            last |= self.pretrain & (position == self.pretraining_slots - 1)
        m.d.comb += [
            unit.forward.valid.eq(valid),
            unit.forward.slot.eq(slot),
            unit.forward.arguments.eq(arguments),
            unit.forward.first.eq(first),
            unit.forward.last.eq(last),
        ]
        return present, codes

    def _chosen(self, walk: Walk, codes: Value) -> Value:
        """Choose the argument codes of the group that a walk is at.

        Where the clock is fast, a copy of its number chooses those of each tap.
        """
        unit, bits = self.unit, self.unit.form.argument_bits
        if not unit.technology.fine_stages or unit.input_groups == 1:
            return codes.word_select(walk.inner, unit.taps * bits)
        words = [codes[start : start + bits] for start in range(0, len(codes), bits)]
        groups = [Cat(words[tap :: unit.taps]) for tap in range(unit.taps)]
        return Cat(group.word_select(walk.inner_copy(), bits) for group in groups)

    def _rewind(self, m: Module, slot: Value) -> None:
        """Set a counter of slots back to the first context on `rewind`."""
        if self.unit.contexts > 1:
            with m.If(self.rewind):
                m.d.sync += slot.eq(0)


class Sequencer(ForwardSequencer):
    """A layer unit that is driven along its slot order; it keeps the arguments of a record until its update.

    Groups are taken as they come, without back-pressure: the schedule makes them come no faster than the unit takes
    them. A layer that follows gives the slot of a group to the unit in the cycle of its arrival (in the update, one
    cycle later); one that walks begins `unit.entry` + `unit.walk` cycles after the last group.

    Parameters
    ----------
    unit : LayerUnit
        The layer. Its results and the errors of its inputs leave through its own ports.
    slot_order : SlotOrder
        Whether it follows or walks, forward and backward.
    arguments : MemoryShape
        The memory for the arguments of all records in flight.
    pretraining_slots : int
        Slots of a group of inputs that pre-training trains alone, in a layer of one output group; 0 without groups.

    Attributes
    ----------
    inputs : in
        The argument codes of the next group of inputs, or of all inputs in a first layer.
    errors : in
        The errors of the next group of outputs, and whether the record is trained on.
    zero_steps : out
        Zero steps of the errors that came 2 cycles ago, or in pre-training were taken then.
    updated : out, 1
        Set in the last cycle of the slots of a record's update.
    pretrain : in, 1, absent without groups
        Each group of inputs has a sum and an error of its own. Stable while records are in flight.
    next_group : out, 1, absent without groups
        The error of the next group is taken, in pre-training.
    rewind : in, 1, absent with one context
        The next record is one of the first context; only while no record is in flight.
    """

    def __init__(self, unit: LayerUnit, slot_order: SlotOrder, *, arguments: MemoryShape, pretraining_slots: int = 0):
        self.arguments, self.pretraining_slots = arguments, pretraining_slots
        errors = {"valid": Out(1), "train": Out(1), "values": Out(word_array(unit.form.word.width, unit.lanes))}
        super().__init__(
            unit,
            slot_order,
            {
                "errors": In(wiring.Signature(errors)),
                "zero_steps": Out(range(unit.lanes + 1)),
                "updated": Out(1),
                **({"pretrain": In(1), "next_group": Out(1)} if pretraining_slots else {}),
                **({"rewind": In(1)} if unit.contexts > 1 else {}),
            },
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.unit = self.unit
        arguments_valid, arguments = self._forward(m)
        m.submodules.arguments = fifo = ReplayFifo(self.arguments, repeats=self.slot_order.rereads)
        m.d.comb += [fifo.write.eq(arguments_valid), fifo.value.eq(arguments)]
        self._update(m, fifo)
        return m

    def _update(self, m: Module, fifo: ReplayFifo) -> None:
        """Give a record's slots to the update path, with the arguments from the FIFO."""
        unit, slot_order, port = self.unit, self.slot_order, self.errors
        inputs, outputs = unit.input_groups, unit.output_groups
        present, errors = port.valid, port.values.as_value()
        if slot_order.walks_backward:
            present, errors = collect_groups(m, "errors", present, errors, outputs)
            order: dict[str, Any] = {"stride": inputs, "period": slot_order.period}
            walk = Walk(m, "update", present, inputs, outputs, contexts=unit.contexts, **order)
            output_group = walk.inner
            load = present
            if self.pretraining_slots:
                position = counter(m, "update_position", walk.turn_ends, self.pretraining_slots)
                last_of_group = walk.turn_ends & (position == self.pretraining_slots - 1) & (walk.outer != inputs - 1)
                m.d.comb += self.next_group.eq(self.pretrain & last_of_group)
                load = present | self.next_group
        else:
            walk = Walk(
                m, "update", present, outputs, inputs, contexts=unit.contexts, turn_by_turn=True, at_once=unit.walk == 0
            )
            output_group = walk.outer
            load = present if inputs > 1 else Const(1)  # errors for one slot need not be kept after it
        copies, bits = unit.update.errors, len(port.values.as_value())
        for copy in copies:
            all_errors = load_register(m, load, errors, fanout=len(copies) > 1) if unit.walk else errors
            m.d.comb += copy.eq(all_errors.word_select(output_group if slot_order.walks_backward else 0, bits))
        self._rewind(m, walk.slot)
        train = load_register(m, present, port.train) if unit.walk else port.train
        later = self.next_group & train if self.pretraining_slots else Const(0)
        self._count_zero_steps(m, (port.valid & port.train) | later)
        m.d.comb += [
            unit.update.valid.eq(walk.valid),
            unit.update.slot.eq(walk.slot),
            unit.update.arguments.eq(fifo.first),
            unit.update.train.eq(train),
            self.updated.eq(walk.record_ends),
        ]
        if slot_order.walks_backward:
            m.d.comb += fifo.read.eq(walk.turn_ends)
        elif inputs == 1:
            m.d.comb += fifo.read.eq(walk.record_ends)
        else:
            m.d.comb += fifo.read.eq(walk.valid)
            if slot_order.rereads:
                m.d.comb += [fifo.again.eq(walk.turn_ends & ~walk.record_ends), fifo.done.eq(walk.record_ends)]
        if not unit.first:
            m.d.comb += [
                unit.update.first.eq(output_group == 0),
                unit.update.last.eq(output_group == outputs - 1),
            ]

    def _count_zero_steps(self, m: Module, present: Value) -> None:
        """Count the steps of a group of errors that are zero.

        A step is zero if all bits of its error from the last one that is shifted out on are equal; in a layer that does
        not shift, if its error is zero.
        """
        unit, width, counted = self.unit, self.unit.form.word.width, Signal()
        kept, zero = Signal(width, init=-1), Signal(unit.lanes)
        m.d.sync += counted.eq(present)
        if unit.shifts_steps:
            m.d.sync += kept.eq(Const(-1, width) << unit.update_shift)
        for lane, error in enumerate(self.errors.values):
            bits = error.as_unsigned()
            if unit.shifts_steps:
                bits = (bits ^ error[-1].replicate(width)) & kept
            significant = Signal(width, name="significant", reset_less=True)
            m.d.sync += [significant.eq(bits), zero[lane].eq(counted & ~significant.any())]
        m.d.comb += self.zero_steps.eq(sum(zero))
