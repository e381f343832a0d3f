"""A network that trains: a chain of layers, the residual at its end, and the schedule of records in flight."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.chance_register import ChanceSignature
from hw.datapath.fixed_point import code_of, limit_error
from hw.datapath.layer import LayerUnit
from hw.datapath.node_bank import row_words
from hw.datapath.pipeline import Pipeline
from hw.datapath.ports import COUNTERS, NodeAccessSignature, RecordLayout, word_array
from hw.datapath.replay_fifo import ReplayFifo
from hw.datapath.sequencer import Sequencer
from hw.datapath.strobes import collect_groups, counter, delayed, register_fifo
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.addresses import LAYER_ADDRESS_BITS, addresses_of
from sw.spec.schedule import shifted_layers


class PlanMismatchError(Exception):
    """The gateware of a layer does not have the latencies of its plan."""


class TrainerCore(wiring.Component):
    """Layers of piecewise-linear functions that train on a record every initiation interval.

    A record streams through the layers group by group, as each layer makes its results; the residual then sends the
    errors back the same way. Records follow each other before the updates of earlier ones are written: each update adds
    to the nodes that it finds, so that none is lost. With the exact schedule, the next record waits until it sees all
    updates.

    A record is taken every `plan.schedule.initiation_interval` cycles, or a multiple of it after the record before.
    Inside a pass records must never run dry, or their staleness is not the schedule's. Its last result comes
    `plan.schedule.result_latency` cycles after its start, its last write `plan.schedule.latency` cycles after it.

    Parameters
    ----------
    plan : TrainerPlan
        Foldings, latencies, sharings, schedule and buffers.
    logic_products : int
        Multipliers that are made of logic cells, since the device has too few: those of the shortest operands.

    Attributes
    ----------
    records : stream of RecordLayout, in
        The records.
    results, results_valid : out
        Outputs of each record, in order; there is no back-pressure.
    update_shifts : in
        Learning rates of each layer of `sw.spec.schedule.shifted_layers`, as positions in the word's range of update
        shifts; stable in a pass.
    back_shifts : in
        Learning rates of each layer past the first, as positions in its window of back shifts; stable in a pass.
    pretrain : in, absent without groups
        Each group of addends has a residual of its own; `results` then are those of the last group. Stable in a pass.
    clear : in
        While idle: the next record is the first of a pass.
    statistics : out
        Counts since the last `clear`, a field for each of `sw.spec.registers.STATISTICS`.
    chance : ChanceSignature, absent without fine bits
        The chance word of the next record, for the host, while idle.
    merge : in, absent with one context
        While idle, after a pass that trained: merge the contexts; `idle` is low until they are merged.
    idle : out
        No record is in flight, no contexts are being merged, and the statistics are complete.
    access : in
        Nodes, for the host, while idle.

    Raises
    ------
    PlanMismatchError
        When elaborated, if a layer is built with other latencies than its plan's.
    """

    def __init__(self, plan: TrainerPlan, *, logic_products: int = 0):
        self.logic_products = logic_products
        self.plan, self.network, self.technology = plan, plan.network, plan.technology
        network, word, layers = plan.network, plan.network.word, len(plan.network.layers)
        shifted = shifted_layers(layers)
        self.addresses = addresses_of(network, plan.foldings)
        self.units = [
            LayerUnit(
                form,
                inputs=layer.inputs,
                outputs=layer.outputs,
                taps=folding.taps,
                lanes=folding.lanes,
                technology=plan.technology,
                revisit=plan.revisit,
                contexts=plan.contexts,
                sharing=layer_plan.sharing,
                back_shifts=back_shifts,
                shifts_steps=index in shifted,
            )
            for index, layer, form, folding, layer_plan, back_shifts in zip(
                range(layers),
                network.layers,
                network.formats,
                plan.foldings,
                plan.layers,
                (range(0), *plan.back_shifts),
                strict=True,
            )
        ]
        super().__init__(
            {
                "records": In(stream.Signature(RecordLayout(network))),
                "results": Out(word_array(network.width, network.outputs)),
                "results_valid": Out(1),
                "update_shifts": In(data.ArrayLayout(range(len(word.update_shifts)), len(shifted))),
                "back_shifts": In(data.ArrayLayout(range(word.back_window_length), layers - 1)),
                **({"pretrain": In(1)} if plan.pretraining else {}),
                "clear": In(1),
                **({"merge": In(1)} if plan.contexts > 1 else {}),
                **({"chance": Out(ChanceSignature())} if network.fine else {}),
                "statistics": Out(COUNTERS),
                "idle": Out(1, init=1),
                "access": In(NodeAccessSignature(network.width)),
            }
        )

    def preload(self, nodes: Sequence[np.ndarray]) -> None:
        """Let the node memories hold these nodes, of each layer, when the device starts; before elaboration only."""
        for unit, addresses, values in zip(self.units, self.addresses, nodes, strict=True):
            for memory, rows in zip(unit.memories, addresses.banks(values), strict=True):
                for bank, image in zip(memory.banks, rows, strict=True):
                    bank.first_rows = row_words(image, self.network.width) * self.plan.contexts

    @property
    def access_latency(self) -> int:
        """Cycles from a settled `access` address to its data."""
        return max(unit.access_latency for unit in self.units) + 1 + self.technology.fine_stages

    @property
    def groups(self) -> int:
        """Groups of addends that have residuals of their own in pre-training."""
        return self.network.layers[-1].inputs // self.plan.pretraining

    @property
    def settling(self) -> int:
        """Cycles from the last write of a pass until the statistics are complete."""
        return max(layer.timing.counted - layer.timing.write for layer in self.plan.layers)

    @property
    def merge_cycles(self) -> int:
        """Cycles that merging the contexts takes."""
        return max(unit.merger.cycles for unit in self.units) if self.plan.contexts > 1 else 0

    def elaborate(self, platform: object) -> Module:
        """Build the gateware, if its layers have the latencies of the plan."""
        m = Module()
        self._check_latencies()
        multipliers = [shared.multiplier for unit in self.units for shared in unit.multipliers]
        multipliers.sort(key=lambda multiplier: len(multiplier.product))
        for multiplier in multipliers[: self.logic_products]:
            multiplier.in_logic = True
        buffers = self.plan.buffers
        pretraining_slots = [*(0 for _ in self.units[1:]), self.plan.pretraining_slots]
        stages = [
            Sequencer(unit, order, arguments=arguments, pretraining_slots=slots)
            for unit, order, arguments, slots in zip(
                self.units, self.plan.slot_orders, buffers.arguments, pretraining_slots, strict=True
            )
        ]
        for index, stage in enumerate(stages):
            m.submodules[f"layer{index}"] = stage
            if self.plan.contexts > 1:
                m.d.comb += [stage.rewind.eq(self.clear), stage.unit.merge.eq(self.merge)]
        record = self.records.payload
        m.submodules.targets = targets = ReplayFifo(buffers.targets)
        start = Signal()
        m.d.comb += [
            start.eq(self.records.valid & self.records.ready),
            targets.write.eq(start),
            targets.value.eq(Cat(record.targets, record.train)),
        ]
        self._admit(m, start)
        m.d.comb += [stages[0].inputs.valid.eq(start), stages[0].inputs.codes.eq(record.arguments)]
        for stage, after in pairwise(stages):
            results, errors = stage.unit.results, after.unit.errors
            m.d.comb += [
                after.inputs.valid.eq(results.valid),
                after.inputs.codes.eq(Cat(code_of(value) for value in results.values)),
                stage.errors.valid.eq(errors.valid),
                stage.errors.train.eq(errors.train),
                stage.errors.values.eq(errors.values),
            ]
        residuals = ReplayFifo(buffers.residuals) if buffers.residuals else None
        if residuals:
            m.submodules.residuals = residuals
        self._residual(m, stages[-1], targets, residuals)
        m.d.comb += [
            unit.update_shift.eq(shift)
            for unit, shift in zip((each for each in self.units if each.shifts_steps), self.update_shifts, strict=True)
        ]
        m.d.comb += [unit.back_shift.eq(shift) for unit, shift in zip(self.units[1:], self.back_shifts, strict=True)]
        if self.network.fine:  # all layers have the same word between passes
            m.d.comb += self.chance.word.eq(self.units[0].chance.word)
            for unit in self.units:
                m.d.comb += [unit.chance.set.eq(self.chance.set), unit.chance.value.eq(self.chance.value)]
        self._count(m, start, stages)
        self._access(m)
        return m

    def _check_latencies(self) -> None:
        """Raise PlanMismatchError unless each layer has the latencies of its plan."""
        for index, (unit, layer) in enumerate(zip(self.units, self.plan.layers, strict=True)):
            if (unit.timing, unit.forwarding) != (layer.timing, layer.forwarding):
                raise PlanMismatchError(
                    f"layer {index} was built with {unit.timing}, forwarding {unit.forwarding}; its plan has "
                    f"{layer.timing}, forwarding {layer.forwarding}"
                )

    def _admit(self, m: Module, start: Value) -> None:
        """Take a record every initiation interval, and at no other time while any is in flight.

        Thus no two records need the same slot of a layer in one clock.
        """
        initiation_interval = self.plan.schedule.initiation_interval
        gap, due = Signal(range(initiation_interval)), Signal(init=1)  # `due`: the next record may start
        m.d.comb += self.records.ready.eq(due | self.idle)
        with m.If(start | (due & ~self.idle)):
            m.d.sync += [gap.eq(initiation_interval - 1), due.eq(initiation_interval == 1)]
        with m.Elif(~due):
            m.d.sync += [gap.eq(gap - 1), due.eq(gap == 1)]

    def _residual(self, m: Module, last: Sequencer, targets: ReplayFifo, residual_fifo: ReplayFifo | None) -> None:
        """Subtract the results of the last layer from the targets, and give it the residuals as errors after the pause.

        In pre-training a record has a result for each group of addends, and their residuals wait in a FIFO until the
        update comes to the group.
        """
        word, unit, results = self.network.word, last.unit, last.unit.results
        output_group = counter(m, "result_group", results.valid, unit.output_groups)
        complete, outputs = collect_groups(m, "results", results.valid, results.values.as_value(), unit.output_groups)
        if self.plan.pretraining:
            addend_group = counter(m, "addend_group", results.valid & self.pretrain, self.groups)
            complete = results.valid & (~self.pretrain | (addend_group == self.groups - 1))
        m.d.comb += [self.results.eq(outputs), self.results_valid.eq(complete), targets.read.eq(complete)]
        pipe, pause = Pipeline(m, self.technology), self.plan.schedule.pause
        group_targets = data.View(
            word_array(word.width, unit.lanes), targets.first[:-1].word_select(output_group, word.width * unit.lanes)
        )
        residuals = []
        for target, result in zip(group_targets, results.values, strict=True):
            difference = pipe.operation(lambda t, y: t - y, pipe.input(target), pipe.input(result))
            residuals.append(pipe.registered(pipe.operation(lambda d: limit_error(d, word), difference)))
        latency = residuals[0].cycle
        train = pipe.at(pipe.input(targets.first[-1]), latency)
        errors = Cat(*(residual.value for residual in residuals), train)
        present = delayed(m, results.valid, latency)
        errors_valid = delayed(m, complete, latency) if self.plan.pretraining else present
        update_begins = delayed(m, errors_valid, pause)
        if residual_fifo:
            m.d.comb += [
                last.pretrain.eq(self.pretrain),
                residual_fifo.write.eq(self.pretrain & present),
                residual_fifo.value.eq(errors[:-1]),
                residual_fifo.read.eq(self.pretrain & (update_begins | last.next_group)),
            ]
        if pause:
            records = -(-pause // self.plan.schedule.initiation_interval)  # that pause at once
            errors = register_fifo(m, update_begins, errors_valid, errors, records * unit.output_groups)
        values = Mux(self.pretrain, residual_fifo.first, errors[:-1]) if residual_fifo else errors[:-1]
        m.d.comb += [
            last.errors.valid.eq(update_begins),
            last.errors.values.eq(values),
            last.errors.train.eq(errors[-1]),
        ]
        magnitudes = [pipe.register(abs, residual) for residual in residuals]
        total = pipe.wire(lambda *magnitudes: sum(magnitudes), *magnitudes)
        statistics = self.statistics
        with m.If(delayed(m, present, 1)):
            m.d.sync += statistics.absolute_residual.eq(statistics.absolute_residual + total.value)
        with m.If(complete):
            m.d.sync += statistics.records.eq(statistics.records + 1)

    def _count(self, m: Module, start: Value, stages: Sequence[Sequencer]) -> None:
        """Count the statistics and the records in flight; say when the trainer is idle."""
        finished = delayed(m, stages[0].updated, self.units[0].timing.write + 1)
        in_flight = Signal(range(self.plan.schedule.records_in_flight + 1))
        settling = Signal(range(self.settling))
        merging = Cat(unit.merging for unit in self.units) if self.plan.contexts > 1 else Const(0)
        m.d.sync += in_flight.eq(in_flight + start - finished)
        m.d.sync += self.idle.eq((in_flight == 0) & (settling == 0) & ~merging.any() & ~start)
        if self.plan.contexts > 1:
            with m.If(self.merge):
                m.d.sync += self.idle.eq(0)
        with m.If(in_flight != 0):
            m.d.sync += settling.eq(self.settling - 1)
        with m.Elif(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        statistics = self.statistics
        with m.If((in_flight != 0) | merging.any()):
            m.d.sync += statistics.cycles.eq(statistics.cycles + 1)
        for name, now in (
            ("saturations", sum(unit.saturations for unit in self.units)),
            ("clips", sum(unit.results.clips for unit in self.units[:-1])),
            ("zero_steps", sum(stage.zero_steps for stage in stages)),
        ):
            registered = Signal.like(now, name=name)
            m.d.sync += [registered.eq(now), statistics[name].eq(statistics[name] + registered)]
        with m.If(self.clear):
            m.d.sync += statistics.as_value().eq(0)

    def _access(self, m: Module) -> None:
        """Connect the host's access to the layer that it addresses, through registers, since the path is long."""
        address, access = self.access.address, self.access
        layer, longest = address[LAYER_ADDRESS_BITS:], max(unit.access_latency for unit in self.units)
        m.d.sync += access.fault.eq(layer >= len(self.units))
        for index, (unit, addresses) in enumerate(zip(self.units, self.addresses, strict=True)):
            found = unit.access.data_read
            for _ in range(longest - unit.access_latency):
                m.d.sync += (later := Signal.like(unit.access.data_read, name="later")).eq(found)
                found = later
            rest, values = address[:LAYER_ADDRESS_BITS], {}
            for name, bits in addresses.fields.items():
                values[name], rest = rest[:bits], rest[bits:]
            lane, row, odd, tap = (values[name] for name in ("lane", "row", "odd", "tap"))
            missing = rest.any() | (tap >= unit.taps) | (lane >= unit.lanes)
            missing |= row >= Mux(odd, addresses.odd_rows, addresses.even_rows)
            m.d.sync += [
                unit.access.select.eq(access.select),
                unit.access.write.eq(access.write & (layer == index) & ~missing),
                unit.access.lane.eq(lane),
                unit.access.row.eq(row),
                unit.access.odd.eq(odd),
                unit.access_tap.eq(tap),
                unit.access.data_write.eq(access.data_write),
            ]
            with m.If(layer == index):
                m.d.sync += access.fault.eq(missing)
                m.d["sync" if self.technology.fine_stages else "comb"] += access.data_read.eq(found)
