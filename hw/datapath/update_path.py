"""The update path of a layer: what a step adds to the nodes of a tile, and the errors of the inputs."""

from typing import Any

from amaranth import Cat, Const, Mux, Value, signed

from hw.datapath.chance_register import ChanceRegister
from hw.datapath.fixed_point import limit_error
from hw.datapath.node_bank import SUM_OPERATIONS
from hw.datapath.pipeline import Timed
from hw.datapath.tile import Tile
from sw.spec.chance import CHANCE_BITS
from sw.spec.numerics import bits_for, rounding_shift


class UpdatePath:
    """The changes of nodes and the errors of input groups, from the slots of the update.

    It takes a slot every clock. The errors of an input group are valid in `error_cycle`, counted from its last slot.

    Parameters
    ----------
    tile : Tile
        The functions.
    port : flipped interface
        `LayerUnit.update`.
    output_groups : int
        Slots of an input group.
    update_shift : Value or None
        The learning rate of the nodes, as a position in the word's range of shifts; None in a layer that takes errors
        for steps.
    back_shift : Value
        The learning rate of the errors, as a position in `back_shifts`; not used in a first layer.
    back_shifts : range
        The window of back shifts; not used in a first layer.
    slope_first : bool
        Whether the nodes are read in the cycle of a slot, for the slope, and then held for their changes.
    slope_wait : int
        Cycles that the operands of the slope wait for their turn.
    chance : ChanceRegister or None
        The chance of the steps; None without fine bits.

    Attributes
    ----------
    errors : list of Timed
        The error of each tap; empty in a first layer.
    present : Timed
        Whether a slot is the last one of its input group, in cycle 0; without meaning in a first layer.
    train : Timed
        Whether the record of a slot is trained on, in cycle 0.
    saturations : Timed
        Nodes that the update of a slot limited to the word.
    read_cycle : int
        Cycles from a slot to the read of its nodes.
    """

    def __init__(
        self,
        tile: Tile,
        port: Any,
        *,
        output_groups: int,
        update_shift: Value | None,
        back_shift: Value,
        back_shifts: range,
        slope_first: bool,
        slope_wait: int,
        chance: ChanceRegister | None,
    ):
        self._tile, pipe, word = tile, tile.pipe, tile.form.word
        self._slope_first, self._slope_wait, self._chance, self._port = slope_first, slope_wait, chance, port
        self._chance_cycle: int | None = None  # in which the chance register sees a slot
        self._valid, self.train, self._slot = (pipe.input(signal) for signal in (port.valid, port.train, port.slot))
        self._enable = pipe.wire(lambda valid, train: valid & train, self._valid, self.train)
        self._back_shift, self._back_shifts = pipe.input(back_shift), back_shifts
        copies = [[pipe.input(error) for error in copy] for copy in port.errors]
        steps = copies
        if update_shift is not None:
            steps = [[self._shifted(error, update_shift, word.update_shifts) for error in copy] for copy in copies]
        raised = [[self._raised(step) for step in copy] for copy in steps] if chance else steps
        self.errors: list[Timed] = []
        saturated: list[Timed] = []
        taps = len(tile.memories)
        for tap, code in enumerate(port.arguments):
            copy = tap * len(copies) // taps
            slopes, limited, ends = self._update_tap(tap, code, copies[copy], steps[copy], raised[copy])
            saturated += limited
            if slopes:
                total = pipe.sum(slopes)
                if output_groups > 1:
                    bits = total.value.shape().width + bits_for(output_groups)
                    total = tile.accumulate(total, self._valid, pipe.input(port.first), signed(bits))
                self.errors.append(pipe.registered(pipe.operation(self._limited, total, *ends)))
        self.saturations = pipe.count(saturated)
        if self.errors:
            self.present = pipe.wire(lambda valid, last: valid & last, self._valid, pipe.input(port.last))

    @property
    def error_cycle(self) -> int | None:
        """Cycles from a slot to the errors; None in a first layer."""
        return self.errors[0].cycle if self.errors else None

    def _raised(self, step: Timed) -> Timed:
        """Return the step with the largest chance added."""
        word = self._tile.form.word
        return self._tile.pipe.operation(
            lambda step: (step + (1 << word.fine) - 1)[: word.width].as_signed(), step, shape=signed(word.width)
        )

    def _limited(self, total: Value, ends: Value) -> Value:
        """Limit an error; an argument at an end of its domain passes on none that pushes it further."""
        stopped = Mux(total[-1], ends[0], ends[1])
        return Mux(stopped, 0, limit_error(total, self._tile.form.word))

    def _update_tap(
        self, tap: int, code: Value, errors: list[Timed], steps: list[Timed], raised: list[Timed]
    ) -> tuple[list[Timed], list[Timed], list[Timed]]:
        """Update the nodes of a tap.

        Returns the products of errors and slopes, by lane; flags of saturated nodes; and whether the argument is at an
        end of its domain, as `_ends` has it. A first layer has neither products nor that.
        """
        tile, pipe, form = self._tile, self._tile.pipe, self._tile.form
        memory, multipliers = tile.memories[tap], tile.multipliers[tap]
        port = memory.update
        segment = pipe.input(form.segment(code))
        fraction = pipe.input(Cat(form.fraction(form.offset(code))[: form.word.width - 1], 0).as_signed())
        # Where the clock is fast, the path from the FIFO to the multipliers takes a cycle.
        fractions = tile.for_lanes(fraction, max(steps[0].cycle, int(pipe.technology.fine_stages)))
        products = [
            function.change.product(self._valid, step, fraction)
            for function, step, fraction in zip(multipliers, steps, fractions, strict=True)
        ]
        chances = [fraction] * tile.lanes  # without meaning, as `raised`, where there are no fine bits
        if self._chance:
            word = self._chance_word(products[0].cycle)
            own = pipe.wire(lambda word: word.rotate_right(tap % CHANCE_BITS)[: form.word.fine], word)
            chances = tile.for_lanes(own, products[0].cycle)
        starts_odd = pipe.wire(lambda segment: segment[0], segment)
        changes = [
            self._sides(*self._changes(*operands), starts_odd)
            for operands in zip(products, steps, raised, chances, strict=True)
        ]
        # Read the nodes no sooner than they are needed: the next slot of the same function must find them written.
        changed = max(changes[0][0].cycle, memory.read.latency)
        self.read_cycle = changed - memory.read.latency
        if self._slope_first:
            memory.hold(self.read_cycle)
            self.read_cycle = 0
        slot = pipe.fan_out(self._slot, self.read_cycle).value
        even, odd = tile.read_nodes(port, slot, pipe.at(segment, self.read_cycle), self.read_cycle)
        tile.m.d.comb += port.enable.eq(pipe.fan_out(self._enable, self.read_cycle).value)
        back_shift = pipe.fan_out(self._back_shift, pipe.technology.long_way).value
        slopes: list[Timed] = []
        for lane, (even_change, odd_change) in enumerate(changes):
            tile.m.d.comb += [
                port.even_changes[lane].eq(pipe.at(even_change, changed)),
                port.odd_changes[lane].eq(pipe.at(odd_change, changed)),
            ]
            slope = multipliers[lane].slope
            if slope is not None:
                difference = tile.difference(even[lane], odd[lane])
                earliest = difference.cycle - (not pipe.technology.combines_operations)
                factor = tile.toward_odd(pipe.delay(errors[lane], earliest), starts_odd)
                product = slope.product(self._valid, difference, factor, wait=self._slope_wait)
                slopes.append(self._shifted(product, back_shift, self._back_shifts))
        # Of delays that are there for the nodes and the changes.
        ends = [pipe.operation(self._ends, segment, fractions[0])] if slopes else []
        return slopes, [pipe.input(flag, changed + 1) for flag in port.saturated], ends

    def _sides(self, right: Timed, left: Timed, starts_odd: Timed) -> tuple[Timed, Timed]:
        """Return the changes of the even and of the odd node, from those of the right and of the left one."""
        pipe = self._tile.pipe
        even, odd = (
            pipe.operation(lambda a, b, swapped: Mux(swapped, b, a), *pair, starts_odd)
            for pair in ((left, right), (right, left))
        )
        return pipe.with_room(even, SUM_OPERATIONS), pipe.with_room(odd, SUM_OPERATIONS)

    def _ends(self, segment: Value, fraction: Value) -> Value:
        """Return whether an argument is at the low end, and at the high end, of its domain."""
        form = self._tile.form
        offset = fraction[form.word.width - 1 - form.offset_bits : form.word.width - 1]
        code = Cat(offset, segment[: form.segment_bits])
        return Cat(~code.any(), code.all())

    def _changes(self, product: Timed, step: Timed, raised: Timed, chance: Timed) -> tuple[Timed, Timed]:
        """Return what a step adds to the right and to the left node.

        `raised`: the step, with the largest chance added; `chance` goes above the half that rounds the product, where
        that addend would have zeros.
        """
        pipe, word = self._tile.pipe, self._tile.form.word
        width, fine = word.width, word.fine
        if not fine:
            change = pipe.stage(lambda product: rounding_shift(product, width - 1), product, shape=signed(width))
            step = pipe.fan_out(step, change.cycle)
            return change, pipe.stage(lambda step, change: step - change, step, change, shape=signed(width))
        half = Const(1 << (width - 2), width - 1)
        change = pipe.stage(
            lambda product, chance: (product + Cat(half, chance)) >> (width - 1), product, chance, shape=signed(width)
        )
        raised = pipe.fan_out(raised, change.cycle)
        left = pipe.stage(lambda raised, change: (raised - change) >> fine, raised, change, shape=signed(width - fine))
        return pipe.wire(lambda change: change >> fine, change), left

    def _chance_word(self, cycle: int) -> Timed:
        """Return the word of a slot's chances by `cycle`, early enough for fan-out registers."""
        pipe, register = self._tile.pipe, self._chance
        assert register is not None
        early = max(cycle - 2 * pipe.technology.fine_stages, 0)
        if self._chance_cycle is None:
            self._chance_cycle = early
            ports = {"valid": self._valid, "train": self.train}
            if not register.first:
                ports["last"] = pipe.input(self._port.last)
            pipe.m.d.comb += [getattr(register, name).eq(pipe.at(flag, early)) for name, flag in ports.items()]
        return pipe.input(register.turned, self._chance_cycle)

    def _shifted(self, value: Timed, position: Value, shifts: range) -> Timed:
        """Return the value after a rounding shift by the rate at a position of its range.

        It shifts by one bit less, by multiples of four first, and then rounds the last bit away.
        """
        pipe, least = self._tile.pipe, shifts.start - 1
        shape = signed(value.value.shape().width - least)
        by_fours = pipe.stage(lambda value: (value >> least) >> Cat(Const(0, 2), position[2:]), value, shape=shape)
        shifted = pipe.operation(lambda by_fours: by_fours >> position[:2], by_fours, shape=shape)
        return pipe.stage(lambda shifted: rounding_shift(shifted, 1), shifted, shape=shape)
