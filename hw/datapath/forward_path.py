"""The forward path of a layer: interpolation in every function of a tile, and the mean over the inputs."""

from typing import Any

from amaranth import Cat, Mux, signed

from hw.datapath.fixed_point import clamp, outside
from hw.datapath.pipeline import Timed
from hw.datapath.tile import Tile
from sw.spec.numerics import rounding_shift


class ForwardPath:
    """The results of output groups, from the slots of the forward pass.

    It takes a slot every clock. The results of an output group are valid in `cycle`, counted from its last slot.

    Parameters
    ----------
    tile : Tile
        The functions.
    port : flipped interface
        `LayerUnit.forward`.
    input_groups : int
        Slots of an output group.
    entry : int
        Cycles from the port to the reads of the nodes.

    Attributes
    ----------
    results : list of Timed
        The signed result of each lane.
    present : Timed
        Whether a slot is the last one of its output group, in cycle 0.
    clips : Timed
        A flag for each lane, in the cycle of the results: the mean was limited to the domain of the next layer.
    """

    def __init__(self, tile: Tile, port: Any, *, input_groups: int, entry: int):
        self._tile, pipe, form = tile, tile.pipe, tile.form
        self._valid, first, last, self._slot = (
            pipe.input(signal) for signal in (port.valid, port.first, port.last, port.slot)
        )
        terms_by_tap = [self._terms(tap, pipe.input(code), entry) for tap, code in enumerate(port.arguments)]
        self.results: list[Timed] = []
        clips = []
        low, high = form.result_limits
        for terms in zip(*terms_by_tap, strict=True):
            total = pipe.sum(list(terms))
            if input_groups > 1:
                total = tile.accumulate(total, self._valid, first, signed(2 * form.word.width))
            mean = pipe.stage(lambda total: rounding_shift(total, form.sum_shift), total)
            self.results.append(pipe.registered(pipe.operation(lambda mean: clamp(mean, low, high), mean)))
            clips.append(pipe.wire(lambda mean: outside(mean, low, high), mean))
        self.present = pipe.wire(lambda valid, last: valid & last, self._valid, last)
        self.clips = pipe.registered(
            pipe.operation(lambda present, *clips: Mux(present, Cat(clips), 0), self.present, *clips)
        )

    @property
    def cycle(self) -> int:
        """Cycles from a slot to the results."""
        return self.results[0].cycle

    def _terms(self, tap: int, code: Timed, read: int) -> list[Timed]:
        """Return the terms of a tap in the sums of all lanes; its nodes are read in cycle `read`."""
        tile, pipe, form = self._tile, self._tile.pipe, self._tile.form
        slot, argument = pipe.fan_out(self._slot, read).value, pipe.fan_out(code, read).value
        even, odd = tile.read_nodes(tile.memories[tap].forward, slot, form.segment(argument), read)
        starts_odd = pipe.input(form.segment(argument)[0], read)
        offset = pipe.input(Cat(form.offset(argument)[: form.offset_bits], 0).as_signed(), read)
        differences = [tile.difference(*nodes) for nodes in zip(even, odd, strict=True)]
        factors = tile.for_lanes(tile.toward_odd(offset, starts_odd), differences[0].cycle)
        terms = []
        for lane, multipliers in enumerate(tile.multipliers[tap]):
            swapped = pipe.fan_out(starts_odd, even[lane].cycle)
            left = pipe.wire(lambda even, odd, swapped: Mux(swapped, odd, even), even[lane], odd[lane], swapped)
            product = multipliers.interpolation.product(self._valid, differences[lane], factors[lane])
            terms.append(
                pipe.operation(lambda left, product: left.shift_left(form.offset_bits) + product, left, product)
            )
        return terms
