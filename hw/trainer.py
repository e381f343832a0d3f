"""A network that trains: layer units, the residual between them, and the schedule of records in flight."""

from dataclasses import dataclass
from functools import cached_property

from amaranth import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hw.layer import LayerUnit
from hw.nodes import words
from hw.pipeline import Pipeline, clamp
from hw.technology import Technology
from sw.configuration import LAYER_ADDRESS_BITS, Folding, NodeAddresses
from sw.network import Network
from sw.protocol import STATISTICS


class RecordLayout(data.StructLayout):
    """A record on its way into the trainer: argument codes, target words, and whether it is trained on."""

    def __init__(self, network: Network):
        super().__init__(
            {
                "arguments": data.ArrayLayout(unsigned(network.formats[0].argument_bits), network.features),
                "targets": words(network.width, network.outputs),
                "train": 1,
            }
        )


COUNTERS = data.StructLayout({register.name: register.bits for register in STATISTICS})


@dataclass(frozen=True)
class Schedule:
    """When what happens, in cycles.

    `interval`: from a record's start to the next. `pause`: between residual and update, so that no forward read meets a
    write in the same cycle. `latency`: from a record's start to its last write. `delays`: records whose updates a
    record's forward pass does not see yet, per layer. `backward`: from the start to the first slot of the update.
    """

    interval: int
    pause: int
    latency: int
    backward: int
    delays: tuple[int, ...]


RESIDUAL_LATENCY = 3  # cycles from a result to the first slot of the update
HOLD_LATENCY = 1  # cycles from the second layer's errors to the first layer's update


class NodeAccessSignature(wiring.Signature):
    """One node at a time, addressed as in `sw.configuration.NodeAddresses`; `fault`: no such node.

    `select` must be held; data are there `Trainer.access_latency` cycles after the address, `fault` the cycle after
    it. A `write` in every cycle is obeyed, one cycle later.
    """

    def __init__(self, width: int):
        super().__init__(
            {
                "select": Out(1),
                "write": Out(1),
                "address": Out(24),
                "data_write": Out(signed(width)),
                "data_read": In(signed(width)),
                "fault": In(1),
            }
        )


class Trainer(wiring.Component):
    """Two layers of piecewise-linear functions that learn a record every `schedule.interval` cycles.

    A record streams through the first layer group of addends by group of addends, the second layer follows as the
    groups are done; the residual then sends the same groups through the update. Records follow each other before the
    updates of those before are written: each update adds to the nodes that it finds, so that none is lost. With
    `exact`, the next record waits until it sees all updates.

    Attributes:
        records: stream of `RecordLayout`; taken every `schedule.interval` cycles. Inside a pass it must never run
        dry, or
            the delays are not those of the schedule.
        results, results_valid: the outputs for each record, in order; not back-pressured.
        update_shift, back_shift: learning rates, as places in the word's ranges of shifts; stable in a pass.
        statistics: counts since the last `clear`, a field for each of `sw.protocol.STATISTICS`; complete a cycle after
            `idle`.
        idle: no record is in flight.
        access, access_layer, access_tap: nodes, for the host, while idle.
    """

    def __init__(self, network: Network, foldings: tuple[Folding, ...], *, technology: Technology, exact: bool):
        if len(network.layers) != 2:
            raise ValueError(f"the gateware trains networks of 2 layers, not {len(network.layers)}")
        outer = network.layers[-1]
        if foldings[1] != Folding(taps=foldings[0].lanes, lanes=outer.outputs):
            raise ValueError(
                f"the second layer is folded {foldings[1]}; it takes the first one's {foldings[0].lanes} lanes "
                f"as taps and all {outer.outputs} outputs as lanes"
            )
        self.network, self.technology, self.exact = network, technology, exact
        self.units = [
            LayerUnit(
                form,
                inputs=layer.inputs,
                outputs=layer.outputs,
                taps=folding.taps,
                lanes=folding.lanes,
                technology=technology,
                first=index == 0,
            )
            for index, (layer, form, folding) in enumerate(zip(network.layers, network.formats, foldings, strict=True))
        ]
        self.addresses = [
            NodeAddresses(layer, folding) for layer, folding in zip(network.layers, foldings, strict=True)
        ]
        super().__init__(
            {
                "records": In(stream.Signature(RecordLayout(network))),
                "results": Out(words(network.width, network.outputs)),
                "results_valid": Out(1),
                "update_shift": In(range(len(network.word.update_shifts))),
                "back_shift": In(range(len(network.word.back_shifts))),
                "clear": In(1),
                "statistics": Out(COUNTERS),
                "idle": Out(1),
                "access": In(NodeAccessSignature(network.width)),
            }
        )

    @property
    def access_latency(self) -> int:
        """Cycles from a settled `access` address to its data."""
        return self.technology.memory_latency + 3

    @cached_property
    def schedule(self) -> Schedule:
        """The tightest schedule that the units' latencies allow."""
        inner, outer = (unit.timing for unit in self.units)
        slots, group = self.units[0].slots, self.units[0].input_groups
        assert outer.error is not None
        first_slot, outer_error = 1, outer.error
        outer_slot = first_slot + group - 1 + inner.result  # of the first group; each further one `group` cycles later
        result = first_slot + slots - 1 + inner.result + outer.result

        def at(pause: int) -> tuple[int, list[int]]:
            backward = result + RESIDUAL_LATENCY + pause
            inner_update = backward + outer_error + HOLD_LATENCY
            unseen = [
                inner_update + inner.write - (first_slot + inner.forward_read),
                backward + outer.write - (outer_slot + outer.forward_read),
            ]
            return backward, unseen

        hazard = max(unit.timing.write - unit.timing.update_read for unit in self.units) + 1
        interval = max(slots, hazard, *(at(0)[1] if self.exact else ()))
        interval += self.exact
        pause = next(pause for pause in range(interval) if all(cycles % interval for cycles in at(pause)[1]))
        backward, unseen = at(pause)
        latency = backward + outer_error + HOLD_LATENCY + slots - 1 + inner.write + 1
        return Schedule(interval, pause, latency, backward, tuple(cycles // interval for cycles in unseen))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner, m.submodules.outer = inner, outer = self.units
        flights = self.schedule.latency // self.schedule.interval + 2
        record = self.records.payload
        judge_width = len(record.targets.as_value()) + 1
        m.submodules.judged = judged = SyncFIFOBuffered(
            width=judge_width, depth=self.schedule.backward // self.schedule.interval + 2
        )
        m.submodules.arguments = arguments = SyncFIFOBuffered(width=len(record.arguments.as_value()), depth=flights)
        code_width = outer.form.argument_bits * outer.taps
        m.submodules.hidden = hidden = SyncFIFOBuffered(width=code_width, depth=flights * inner.output_groups)

        start = Signal()
        m.d.comb += [
            start.eq(self.records.valid & self.records.ready),
            judged.w_en.eq(start),
            judged.w_data.eq(Cat(record.targets, record.train)),
            arguments.w_en.eq(start),
            arguments.w_data.eq(record.arguments),
        ]
        self._forward(m, start, hidden)
        backward = self._residual(m, judged)
        last_update = self._backward(m, backward, hidden, arguments)
        self._count(m, start, last_update)
        self._access(m)
        return m

    def _forward(self, m: Module, start: Value, hidden: SyncFIFOBuffered) -> None:
        """Issue a record's slots to the first layer; feed the second from its results."""
        inner, outer = self.units
        gap = Signal(range(self.schedule.interval))
        current = Signal(self.records.payload.arguments.shape())
        m.d.comb += self.records.ready.eq(gap == 0)
        with m.If(start):
            m.d.sync += [gap.eq(self.schedule.interval - 1), current.eq(self.records.payload.arguments)]
        with m.Elif(gap != 0):
            m.d.sync += gap.eq(gap - 1)

        slots = sequence(m, "forward", start, inner)
        m.d.comb += [
            inner.forward.valid.eq(slots.valid),
            inner.forward.slot.eq(slots.slot),
            inner.forward.arguments.eq(group_of(current, slots.input_group, inner)),
            inner.forward.first.eq(slots.input_group == 0),
            inner.forward.last.eq(slots.input_group == inner.input_groups - 1),
        ]
        codes = Cat(code_of(value) for value in inner.results.values)
        group = counter(m, "outer_forward", inner.results.valid, outer.slots)
        m.d.comb += [
            outer.forward.valid.eq(inner.results.valid),
            outer.forward.slot.eq(group),
            outer.forward.arguments.eq(codes),
            outer.forward.first.eq(group == 0),
            outer.forward.last.eq(group == outer.slots - 1),
            hidden.w_en.eq(inner.results.valid),
            hidden.w_data.eq(codes),
            self.results.eq(outer.results.values),
            self.results_valid.eq(outer.results.valid),
        ]

    def _residual(self, m: Module, judged: SyncFIFOBuffered) -> Value:
        """The errors of the outputs, held for the update of the second layer; returns the strobe that starts it."""
        word, outer = self.network.word, self.units[1]
        pipe = Pipeline(m, self.technology)
        targets = data.View(words(word.width, self.network.outputs), judged.r_data[:-1])
        train = pipe.input(judged.r_data[-1])
        residuals = []
        for target, result in zip(targets, self.results, strict=True):
            difference = pipe.register(lambda t, y: t - y, pipe.input(target), pipe.input(result))
            residuals.append(pipe.register(lambda d: clamp(d, -word.maximum, word.maximum), difference))
        ready = residuals[0].cycle + self.schedule.pause
        waiting = Signal(ready)
        begin, counted = waiting[0], Signal()
        magnitudes = [pipe.register(abs, residual) for residual in residuals]
        total = pipe.wire(lambda *magnitudes: sum(magnitudes), *magnitudes)
        statistics = self.statistics
        m.d.comb += [judged.r_en.eq(self.results_valid), counted.eq(waiting[self.schedule.pause])]
        m.d.sync += waiting.eq(Cat(waiting[1:], self.results_valid))
        with m.If(begin):
            m.d.sync += [
                outer.update.train.eq(pipe.at(train, ready)),
                *(held.eq(pipe.at(value, ready)) for held, value in zip(outer.update.errors, residuals, strict=True)),
            ]
        with m.If(delayed(m, counted)):
            m.d.sync += [
                statistics.records.eq(statistics.records + 1),
                statistics.absolute_residual.eq(statistics.absolute_residual + total.value),
            ]
        return begin

    def _backward(self, m: Module, begin: Value, hidden: SyncFIFOBuffered, arguments: SyncFIFOBuffered) -> Value:
        """Send a record's slots through the updates of both layers; returns the strobe of its last slot in the
        first."""
        inner, outer = self.units
        slots = sequence(m, "outer_update", begin, inner)
        m.d.comb += [
            outer.update.valid.eq(slots.valid & (slots.input_group == 0)),
            outer.update.slot.eq(slots.output_group),
            outer.update.arguments.eq(hidden.r_data),
            hidden.r_en.eq(outer.update.valid),
            outer.update_shift.eq(self.update_shift),
            outer.back_shift.eq(self.back_shift),
        ]
        group = counter(m, "errors_group", outer.errors.valid, outer.slots)
        slots = sequence(m, "inner_update", outer.errors.valid & (group == 0), inner)
        with m.If(outer.errors.valid):
            m.d.sync += [inner.update.errors.eq(outer.errors.values), inner.update.train.eq(outer.errors.train)]
        record = data.View(self.records.payload.arguments.shape(), arguments.r_data)
        m.d.comb += [
            inner.update.valid.eq(slots.valid),
            inner.update.slot.eq(slots.slot),
            inner.update.arguments.eq(group_of(record, slots.input_group, inner)),
            arguments.r_en.eq(slots.last),
        ]
        return slots.last

    def _count(self, m: Module, start: Value, last_slot: Value) -> None:
        """Statistics and the number of records in flight."""
        finished = last_slot
        for _ in range(self.units[0].timing.write + 1):
            finished = delayed(m, finished)
        flying = Signal(range(self.schedule.latency // self.schedule.interval + 3))
        m.d.sync += flying.eq(flying + start - finished)
        m.d.comb += self.idle.eq(flying == 0)
        statistics = self.statistics
        with m.If(~self.idle):
            m.d.sync += statistics.cycles.eq(statistics.cycles + 1)
        for name, now in (
            ("saturations", self.units[0].saturations + self.units[1].saturations),
            ("clips", self.units[0].results.clips),
        ):
            registered = Signal.like(now, name=name)
            m.d.sync += [registered.eq(now), statistics[name].eq(statistics[name] + registered)]
        with m.If(self.clear):
            m.d.sync += statistics.as_value().eq(0)

    def _access(self, m: Module) -> None:
        """Lead the host's access to the bank it names; registered, since it comes a long way."""
        address, access = self.access.address, self.access
        layer = address[LAYER_ADDRESS_BITS:]
        m.d.sync += access.fault.eq(layer >= len(self.units))
        for index, (unit, fields) in enumerate(zip(self.units, self.addresses, strict=True)):
            rest, parts = address[:LAYER_ADDRESS_BITS], []
            for bits in (fields.lane_bits, fields.row_bits, 1, fields.tap_bits):
                parts.append(rest[:bits])
                rest = rest[bits:]
            lane, row, odd, tap = parts
            missing = rest.any() | (tap >= unit.taps) | (lane >= unit.lanes)
            missing |= row >= Mux(odd, fields.odd_rows, fields.even_rows)
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
                m.d.comb += access.data_read.eq(unit.access.data_read)


def group_of(arguments: data.View, group: Value, unit: LayerUnit) -> Value:
    """The arguments of one group of a unit's inputs."""
    return arguments.as_value().word_select(group, unit.taps * unit.form.argument_bits)


def code_of(result: Value) -> Value:
    """The unsigned argument code of a signed result: its sign bit inverted."""
    return Cat(result[:-1], ~result[-1])


def delayed(m: Module, strobe: Value) -> Signal:
    """The strobe one cycle later."""
    later = Signal()
    m.d.sync += later.eq(strobe)
    return later


def counter(m: Module, name: str, step: Value, modulus: int) -> Signal:
    """Counts steps modulo `modulus`."""
    count = Signal(range(max(modulus, 2)), name=name)
    with m.If(step):
        m.d.sync += count.eq(Mux(count == modulus - 1, 0, count + 1))
    return count


@dataclass(frozen=True)
class Slots:
    """The running number of a slot, and of its groups of inputs and outputs, while `valid`; `last` in the last one."""

    valid: Signal
    slot: Signal
    input_group: Signal
    output_group: Signal
    last: Value


def sequence(m: Module, name: str, start: Value, unit: LayerUnit) -> Slots:
    """All slots of a unit, one a cycle, from the cycle after `start`, which may come again with the last one."""
    valid = Signal(name=f"{name}_valid")
    slot = Signal(range(max(unit.slots, 2)), name=f"{name}_slot")
    input_group = Signal(range(max(unit.input_groups, 2)), name=f"{name}_input_group")
    output_group = Signal(range(max(unit.output_groups, 2)), name=f"{name}_output_group")
    last = valid & (slot == unit.slots - 1)
    with m.If(valid):
        m.d.sync += [slot.eq(slot + 1), input_group.eq(input_group + 1)]
        with m.If(input_group == unit.input_groups - 1):
            m.d.sync += [input_group.eq(0), output_group.eq(output_group + 1)]
        with m.If(last):
            m.d.sync += valid.eq(0)
    with m.If(start):
        m.d.sync += [valid.eq(1), slot.eq(0), input_group.eq(0), output_group.eq(0)]
    return Slots(valid, slot, input_group, output_group, last)
