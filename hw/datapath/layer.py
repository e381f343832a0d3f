"""A layer of piecewise-linear functions that trains: interpolation forward, slopes and updates backward."""

from functools import cached_property
from typing import Any

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.context_average import ContextAverage
from hw.datapath.fanout import REACH
from hw.datapath.fixed_point import clamp, outside
from hw.datapath.node_memory import AccessSignature, NodeMemory
from hw.datapath.pipeline import Pipeline, Timed
from hw.datapath.ports import word_array
from hw.datapath.shared_multiplier import SharedMultiplier
from hw.fpga.technology import Technology
from hw.schedule.timing import INDEPENDENT, LayerTiming, Sharing
from sw.spec.numerics import LayerFormat, bits_for, rounding_shift


class LayerUnit(wiring.Component):
    """`inputs` x `outputs` functions, of which a tile of `taps` inputs and `lanes` outputs is worked on each clock.

    The tiles of one record are its slots, numbered output group by output group, those of the next context after all of
    the one before. Both passes take a slot every clock.
    Forward, the slots of one output group follow each other, since they are summed; in the update, those of one input
    group, except in a first layer.

    Attributes:
        forward: a slot's argument codes, one per tap; `first` and `last` mark the ends of an output group.
        results: the signed results of an output group, one per lane; `clips` of them were cut to their domain.
        update: a slot's argument codes and the errors of its outputs, for each `hw.datapath.fanout.REACH` of the taps
            where the clock is fast; nodes change only where `train`. `first` and `last` mark the ends of an input
            group (absent in a first layer).
        errors: the errors of an input group (absent in a first layer, which takes errors for steps).
        update_shift, back_shift: learning rates, as places in the word's ranges of shifts; stable while slots are
        under way.
        saturations: nodes that an update drove to the end of the word.
        access: the nodes of tap number `access_tap`, for the host; a write must be held for as many cycles as there are
            contexts, and reaches all. A node is there `access_latency` cycles after its place.
        merge, merging: make the contexts their mean, which takes the cycles after `merge` in which `merging` (absent
            with one context).
        timing: latencies in cycles.
        forwarding: as for `NodeMemory`.
        multipliers: those of all functions of a tile.
    """

    def __init__(
        self,
        form: LayerFormat,
        *,
        inputs: int,
        outputs: int,
        taps: int,
        lanes: int,
        technology: Technology,
        first: bool,
        revisit: int | None,
        contexts: int = 1,
        sharing: Sharing = INDEPENDENT,
    ):
        """`taps` must divide `inputs`, and `lanes` `outputs`. `revisit`: as for a `NodeBank`; rows are those of a slot.
        `contexts`: models that have nodes of their own."""
        self.form, self.taps, self.lanes, self.technology, self.first = form, taps, lanes, technology, first
        self.contexts = contexts
        self.sharing = sharing
        self.input_groups, self.output_groups = inputs // taps, outputs // lanes
        self.slots = self.input_groups * self.output_groups
        word = form.word.width
        slots = contexts * self.slots
        self.banks = [
            NodeMemory(form, slots=slots, lanes=lanes, technology=technology, revisit=revisit) for _ in range(taps)
        ]
        self.forwarding = self.banks[0].forwarding
        slot = {"valid": Out(1), "slot": Out(range(max(slots, 2)))}
        codes = {"arguments": Out(data.ArrayLayout(unsigned(form.argument_bits), taps))}
        ends = {"first": Out(1), "last": Out(1)}
        copies = -(-taps // REACH) if technology.fine_stages else 1
        errors = {"train": Out(1), "errors": Out(data.ArrayLayout(word_array(word, lanes), copies))}
        ports = {
            "forward": In(wiring.Signature({**slot, **codes, **ends})),
            "results": Out(
                wiring.Signature(
                    {
                        "valid": Out(1),
                        "values": Out(word_array(form.result_bits, lanes)),
                        "clips": Out(range(lanes + 1)),
                    }
                )
            ),
            "update": In(wiring.Signature({**slot, **codes, **errors, **({} if first else ends)})),
            "saturations": Out(range(2 * taps * lanes + 1)),
            "access": In(AccessSignature(rows=self.banks[0].even_rows // contexts, width=word, lanes=lanes)),
            "access_tap": In(range(max(taps, 2))),
        }
        if contexts > 1:
            self.merger = ContextAverage(self.banks[0], contexts=contexts, taps=taps, latency=self._node_latency)
            ports |= {"merge": In(1), "merging": Out(1)}
        if not first:
            ports |= {
                "errors": Out(
                    wiring.Signature({"valid": Out(1), "train": Out(1), "values": Out(word_array(word, taps))})
                ),
                "update_shift": In(range(len(form.word.update_shifts))),
                "back_shift": In(range(len(form.word.back_shifts))),
            }
        super().__init__(ports)

    @property
    def entry(self) -> int:
        """Cycles of the way to all of its taps, before a walk begins and again to its reads. Nobody waits for those of
        a first layer, so that there is time for it where the clock is fast."""
        return int(self.first and self.technology.fine_stages)

    @property
    def _node_latency(self) -> int:
        """Cycles from a place to its node in each of the taps."""
        return self.banks[0].access_latency + self.technology.long_way

    @property
    def access_latency(self) -> int:
        return self._node_latency + self.technology.long_way

    @property
    def timing(self) -> LayerTiming:
        return self._built[1]

    def elaborate(self, platform: object) -> Module:
        return self._built[0]

    @cached_property
    def _built(self) -> tuple[Module, LayerTiming]:
        m = Module()
        for tap, bank in enumerate(self.banks):
            m.submodules[f"tap{tap}"] = bank
        pipe = Pipeline(m, self.technology)
        self._functions = [[self._function(pipe) for _ in range(self.lanes)] for _ in range(self.taps)]
        result = self._forward(m, pipe)
        update, counted, error = self._update(m, pipe)
        self._access(m, pipe)
        bank = self.banks[0]
        interpolation, *others = (use.cycle for use in self._functions[0][0]["interpolation"].uses)
        return m, LayerTiming(
            entry=self.entry,
            forward_read=self.entry + bank.read_stage,
            result=result,
            update_read=update + bank.read_stage,
            write=update + bank.write_stage,
            counted=counted,
            error=error,
            forward_use=interpolation,
            update_uses=tuple(others),
        )

    @property
    def multipliers(self) -> list[SharedMultiplier]:
        _ = self._built
        return [one for lanes in self._functions for function in lanes for one in dict.fromkeys(function.values())]

    def _function(self, pipe: Pipeline) -> dict[str, SharedMultiplier]:
        """The multipliers of a function, by its products."""
        word = self.form.word.width
        widths = {
            "interpolation": (word + 1, self.form.offset_bits + 1),
            **({} if self.first else {"slope": (word + 1, word)}),
            "change": (word, word),
        }
        names = list(widths)
        together, alone = names[: self.sharing.products], names[self.sharing.products :]
        a_width, b_width = (max(sides) for sides in zip(*(widths[name] for name in together), strict=True))
        shared = SharedMultiplier(pipe, a_width=a_width, b_width=b_width)
        own = {name: SharedMultiplier(pipe, a_width=widths[name][0], b_width=widths[name][1]) for name in alone}
        return {**dict.fromkeys(together, shared), **own}

    def _nodes(
        self, pipe: Pipeline, port: Any, slot: Value, segment: Value, cycle: int
    ) -> tuple[list[Timed], list[Timed]]:
        """Read a bank in `cycle`; the even and the odd nodes of all lanes."""
        pipe.m.d.comb += [port.slot.eq(slot), port.segment.eq(segment)]
        latency = cycle + self.banks[0].read_latency
        even, odd = ([pipe.input(side[lane], latency) for lane in range(self.lanes)] for side in (port.even, port.odd))
        return even, odd

    def _forward(self, m: Module, pipe: Pipeline) -> int:
        form, port = self.form, self.forward
        valid, first, last, slot = (pipe.input(signal) for signal in (port.valid, port.first, port.last, port.slot))
        read = self.entry
        terms: list[list[Timed]] = [[] for _ in range(self.lanes)]
        for bank, code, functions in zip(self.banks, port.arguments, self._functions, strict=True):
            here, argument = pipe.near(slot, read).value, pipe.near(pipe.input(code), read).value
            even, odd = self._nodes(pipe, bank.forward, here, form.segment(argument), read)
            starts_odd = pipe.input(form.segment(argument)[0], read)
            offset = pipe.input(Cat(form.offset(argument)[: form.offset_bits], 0).as_signed(), read)
            differences = [pipe.stage(lambda even, odd: odd - even, *nodes) for nodes in zip(even, odd, strict=True)]
            toward_odd = self._of_lanes(pipe, pipe.register(_turned, offset, starts_odd), differences[0].cycle)
            for lane in range(self.lanes):
                swaps = pipe.near(starts_odd, even[lane].cycle)
                left = pipe.wire(lambda even, odd, s: Mux(s, odd, even), even[lane], odd[lane], swaps)
                product = functions[lane]["interpolation"].product(valid, differences[lane], toward_odd[lane])
                terms[lane].append(
                    pipe.register(lambda left, product: left.shift_left(form.offset_bits) + product, left, product)
                )
        results, clips = [], []
        low, high = form.result_limits
        for lane in range(self.lanes):
            total = pipe.sum(terms[lane])
            if self.input_groups > 1:
                total = self._accumulate(pipe, total, valid, first, signed(2 * form.word.width))
            mean = pipe.stage(lambda total: rounding_shift(total, form.sum_shift), total)
            results.append(pipe.register(lambda mean: clamp(mean, low, high), mean))
            clips.append(pipe.wire(lambda mean: outside(mean, low, high), mean))
        done = results[0].cycle
        for lane in range(self.lanes):
            m.d.comb += self.results.values[lane].eq(results[lane].value)
        present = pipe.wire(lambda valid, last: valid & last, valid, last)
        flags = pipe.register(lambda present, *clips: Mux(present, Cat(clips), 0), present, *clips)
        m.d.comb += [
            self.results.valid.eq(pipe.at(present, done)),
            self.results.clips.eq(sum(flags.value)),
        ]
        return done

    def _accumulate(self, pipe: Pipeline, tile: Timed, valid: Timed, first: Timed, shape: Shape) -> Timed:
        """The running sum over the slots of a group, exact in `shape`."""
        total = Signal(shape, reset_less=True)
        present, start = pipe.at(valid, tile.cycle), pipe.at(first, tile.cycle)
        pipe.m.d.sync += total.eq(Mux(present, Mux(start, 0, total) + tile.value, total))
        return Timed(total, tile.cycle + 1)

    def _update(self, m: Module, pipe: Pipeline) -> tuple[int, int, int | None]:
        form, port, word = self.form, self.update, self.form.word
        valid, train, slot = (pipe.input(signal) for signal in (port.valid, port.train, port.slot))
        back_rate = pipe.input(Const(0) if self.first else self.back_shift)
        copies = [[pipe.input(error) for error in copy] for copy in port.errors]
        steps = copies if self.first else [[self._step(pipe, error) for error in copy] for copy in copies]
        enable = pipe.wire(lambda valid, train: valid & train, valid, train)
        saturated: list[Timed] = []
        input_errors: list[Timed] = []
        for tap, (bank, code, functions) in enumerate(zip(self.banks, port.arguments, self._functions, strict=True)):
            place = tap * len(copies) // self.taps
            errors, own_steps = copies[place], steps[place]
            segment = pipe.input(form.segment(code))
            fraction = pipe.input(Cat(form.fraction(form.offset(code))[: word.width - 1], 0).as_signed())
            # The way from the queue to the multipliers takes a cycle where the clock is fast.
            fractions = self._of_lanes(pipe, fraction, max(own_steps[0].cycle, int(self.technology.fine_stages)))
            changes = [
                self._changes(pipe, function["change"], valid, step, fraction)
                for function, step, fraction in zip(functions, own_steps, fractions, strict=True)
            ]
            # Read the nodes no sooner than they are needed: the next slot of the same function must find them written.
            update = max(changes[0][1].cycle + 1 - bank.read_latency, 0)
            here = pipe.near(slot, update).value
            even, odd = self._nodes(pipe, bank.update, here, pipe.at(segment, update), update)
            added = update + bank.read_latency
            starts_odd = pipe.wire(lambda segment: segment[0], segment)
            m.d.comb += bank.update.enable.eq(pipe.near(enable, update).value)
            slopes: list[Timed] = []
            back_shift = pipe.near(back_rate, self.technology.long_way).value
            for lane in range(self.lanes):
                right, left = changes[lane]
                for side, pair in ((bank.update.even_changes, (left, right)), (bank.update.odd_changes, (right, left))):
                    change = pipe.register(lambda a, b, s: Mux(s, b, a), *pair, starts_odd)
                    m.d.comb += side[lane].eq(pipe.at(change, added))
                if not self.first:
                    difference = pipe.stage(lambda even, odd: odd - even, even[lane], odd[lane])
                    late = pipe.later(errors[lane], difference.cycle - 1)
                    toward_odd = pipe.register(_turned, late, starts_odd)
                    slope = functions[lane]["slope"].product(valid, difference, toward_odd, wait=self.sharing.wait)
                    slopes.append(self._shifted(pipe, slope, back_shift, word.back_shifts))
            saturated.extend(pipe.input(flag, added + 1) for flag in bank.update.saturated)
            if not self.first:
                total = pipe.sum(slopes)
                if self.output_groups > 1:
                    bits = total.value.shape().width + bits_for(self.output_groups)
                    total = self._accumulate(pipe, total, valid, pipe.input(port.first), signed(bits))
                input_errors.append(pipe.register(lambda total: clamp(total, -word.maximum, word.maximum), total))

        saturations = pipe.count(saturated)
        m.d.comb += self.saturations.eq(saturations.value)
        if self.first:
            return update, saturations.cycle, None
        done = input_errors[0].cycle
        present = pipe.wire(lambda valid, last: valid & last, valid, pipe.input(port.last))
        m.d.comb += [
            self.errors.valid.eq(pipe.at(present, done)),
            self.errors.train.eq(pipe.at(train, done)),
            *(self.errors.values[tap].eq(error.value) for tap, error in enumerate(input_errors)),
        ]
        return update, saturations.cycle, done

    def _step(self, pipe: Pipeline, error: Timed) -> Timed:
        return self._shifted(pipe, error, self.update_shift, self.form.word.update_shifts)

    def _of_lanes(self, pipe: Pipeline, operand: Timed, cycle: int) -> list[Timed]:
        """The operand in `cycle` for each lane, from a register near `REACH` of them where the clock is fast."""
        places = [pipe.near(operand, cycle) for _ in range(0, self.lanes, REACH)]
        return [places[lane // REACH] for lane in range(self.lanes)]

    def _changes(
        self, pipe: Pipeline, multiplier: SharedMultiplier, valid: Timed, step: Timed, fraction: Timed
    ) -> tuple[Timed, Timed]:
        """What a step adds to the right and to the left node."""
        width = self.form.word.width
        product = multiplier.product(valid, step, fraction)
        change = pipe.stage(lambda product: rounding_shift(product, width - 1), product, shape=signed(width))
        step = pipe.near(step, change.cycle)
        return change, pipe.stage(lambda step, change: step - change, step, change, shape=signed(width))

    def _shifted(self, pipe: Pipeline, value: Timed, place: Value, shifts: range) -> Timed:
        """A rounding shift by a rate: shift by one less, by fours first, then round the last bit away."""
        least = shifts.start - 1
        bits = value.value.shape().width - least
        by_fours = pipe.stage(lambda value: (value >> least) >> Cat(Const(0, 2), place[2:]), value, shape=signed(bits))
        shifted = pipe.register(lambda by_fours: by_fours >> place[:2], by_fours, shape=signed(bits))
        return pipe.stage(lambda shifted: rounding_shift(shifted, 1), shifted, shape=signed(bits))

    def _access(self, m: Module, pipe: Pipeline) -> None:
        way = self.technology.long_way
        place: Any = self.access
        node = pipe.input(self.access.data_write)
        if self.contexts > 1:
            m.submodules.merger = merger = self.merger
            place = merger.place
            m.d.comb += [merger.start.eq(self.merge), self.merging.eq(merger.busy)]
            m.d.comb += [
                getattr(merger.host, name).eq(getattr(self.access, name)) for name in merger.host.signature.members
            ]
        common = {name: pipe.input(getattr(place, name)) for name in ("select", "odd", "row", "lane")}
        found = []
        for tap, bank in enumerate(self.banks):
            meant = chosen = self.access_tap == tap
            if self.contexts > 1:
                m.d.comb += merger.nodes[tap].eq(bank.access.data_read)
                meant = merger.busy | chosen
                node = pipe.input(Mux(merger.busy, merger.means[tap], self.access.data_write))
            port = {**common, "write": pipe.input(place.write & meant), "data_write": node}
            for name, value in port.items():
                m.d.comb += getattr(bank.access, name).eq(pipe.near(value, way).value)
            found.append(Mux(chosen, bank.access.data_read, 0))
        m.d.comb += self.access.data_read.eq(pipe.gather(found))


def _turned(factor: Value, starts_odd: Value) -> Value:
    """A factor of the odd node less the even one, for that of the right node less the left one: it is there sooner than
    the nodes, which so need not be swapped."""
    return Mux(starts_odd, -factor, factor)[: len(factor)].as_signed()
