"""A tile: the functions of a layer that are evaluated in one clock, with their node memories and multipliers.

The forward path and the update path of a layer are built on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth import Module, Mux, Shape, Signal, Value

from hw.datapath.fanout import MAX_FANOUT
from hw.datapath.node_memory import NodeMemory
from hw.datapath.pipeline import Pipeline, Timed
from hw.datapath.shared_multiplier import SharedMultiplier
from hw.schedule.timing import Sharing
from sw.spec.numerics import LayerFormat

READ_OPERATIONS = 2
"""Operations that take as long as finding a row and reading it, or as the read of block RAM."""


class FunctionMultipliers:
    """The multipliers of one function.

    Parameters
    ----------
    pipe : Pipeline
        Where they are added.
    word : int
        Bits of a node.
    offset : int
        Bits of the offset of an argument in its segment.
    first : bool
        Whether the function is one of a first layer, which needs no slope.
    sharing : Sharing
        How many of the products share a multiplier.

    Attributes
    ----------
    interpolation : SharedMultiplier
        Of a difference of nodes and an offset.
    slope : SharedMultiplier or None
        Of a difference of nodes and an error; None in a first layer.
    change : SharedMultiplier
        Of a step and an offset.
    distinct : list of SharedMultiplier
        Each of them once.
    """

    def __init__(self, pipe: Pipeline, *, word: int, offset: int, first: bool, sharing: Sharing):
        widths = {
            "interpolation": (word + 1, offset + 1),
            **({} if first else {"slope": (word + 1, word)}),
            "change": (word, word),
        }
        products = list(widths)
        together, alone = products[: sharing.products], products[sharing.products :]
        a_width, b_width = (max(sides) for sides in zip(*(widths[name] for name in together), strict=True))
        shared = SharedMultiplier(pipe, a_width=a_width, b_width=b_width)
        own = {name: SharedMultiplier(pipe, a_width=widths[name][0], b_width=widths[name][1]) for name in alone}
        by_product = {**dict.fromkeys(together, shared), **own}
        self.interpolation, self.change = by_product["interpolation"], by_product["change"]
        self.slope = by_product.get("slope")
        self.distinct = list(dict.fromkeys(by_product.values()))


@dataclass(frozen=True)
class Tile:
    """The functions that a layer evaluates in one clock.

    Attributes
    ----------
    m : Module
        The module of the layer.
    pipe : Pipeline
        Where its registers are added.
    form : LayerFormat
        Bit fields of the layer.
    lanes : int
        Its outputs.
    memories : sequence of NodeMemory
        Of each tap; in a layer that does not train, `hw.datapath.inference_layer.NodeRom`.
    multipliers : sequence of list of FunctionMultipliers
        Of each tap, by lane; in a layer that does not train, anything with an `interpolation`.
    """

    m: Module
    pipe: Pipeline
    form: LayerFormat
    lanes: int
    memories: Sequence[NodeMemory]
    multipliers: Sequence[list[FunctionMultipliers]]

    def read_nodes(self, port: Any, slot: Value, segment: Value, cycle: int) -> tuple[list[Timed], list[Timed]]:
        """Read a segment of a tap in all lanes.

        Parameters
        ----------
        port : flipped interface
            `forward` or `update` of a `NodeMemory`.
        slot, segment : Value
            In this cycle.
        cycle : int
            The cycle.

        Returns
        -------
        even, odd : list of Timed
            The nodes of each lane, `read.latency` of the memory cycles later.
        """
        self.pipe.m.d.comb += [port.slot.eq(slot), port.segment.eq(segment)]
        latency = cycle + self.memories[0].read.latency
        operations = READ_OPERATIONS if self.pipe.technology.combines_operations else 0
        even, odd = (
            [self.pipe.input(side[lane], latency, operations) for lane in range(self.lanes)]
            for side in (port.even, port.odd)
        )
        return even, odd

    def for_lanes(self, operand: Timed, cycle: int) -> list[Timed]:
        """Return the operand in `cycle` for each lane; every `MAX_FANOUT` lanes share a fan-out register."""
        shared = [self.pipe.fan_out(operand, cycle) for _ in range(0, self.lanes, MAX_FANOUT)]
        return [shared[lane // MAX_FANOUT] for lane in range(self.lanes)]

    def difference(self, even: Timed, odd: Timed) -> Timed:
        """Return the odd node less the even one."""
        return self.pipe.stage(lambda even, odd: odd - even, even, odd)

    def toward_odd(self, factor: Timed, starts_odd: Timed) -> Timed:
        """Return a factor for the odd node less the even one, from one for the right node less the left one.

        In a segment that starts at an odd node it is negated. A factor is valid sooner than the nodes, which thus need
        not be swapped.
        """
        return self.pipe.operation(
            lambda factor, odd: Mux(odd, -factor, factor)[: len(factor)].as_signed(), factor, starts_odd
        )

    def accumulate(self, term: Timed, valid: Timed, first: Timed, shape: Shape) -> Timed:
        """Return the sum of the terms of the slots of a group, up to the latest one, a cycle after it.

        Parameters
        ----------
        term : Timed
            A slot's term.
        valid, first : Timed
            Whether there is a slot, and whether it is the first one of its group.
        shape : Shape
            Of the sum, which must be exact in it.
        """
        total = Signal(shape, reset_less=True)
        present, start = self.pipe.at(valid, term.cycle), self.pipe.at(first, term.cycle)
        self.pipe.m.d.sync += total.eq(Mux(present, Mux(start, 0, total) + term.value, total))
        return Timed(total, term.cycle + 1)
