"""Which layers make several of their products with one multiplier: those whose slots would leave it idle."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

from amaranth.hdl import Fragment

from hw.datapath.layer import LayerUnit
from hw.datapath.node_bank import NodeBank
from hw.fpga.technology import Technology
from hw.schedule.folding import revisit_of
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import Outline, SlotOrder, in_sequence
from hw.schedule.timing import INDEPENDENT, LayerTiming, Sharing
from sw.spec.addresses import Folding
from sw.spec.network import Network
from sw.spec.numerics import LayerFormat

MOST_WAIT = 3  # cycles: each costs registers for the operands of every slope


@cache
def sharings_of(
    network: Network, foldings: tuple[Folding, ...], *, technology: Technology, exact: bool, contexts: int = 1
) -> tuple[Sharing, ...]:
    """Of each layer: the most products that share a multiplier while the initiation_interval between records stays as
    it is.

    Layers of many functions choose first.
    """
    sharings = (INDEPENDENT,) * len(foldings)
    courses_with = partial(slot_orders_of, network, foldings, technology=technology, exact=exact, contexts=contexts)
    slot_orders = courses_with(sharings)
    initiation_interval = Schedule.of(slot_orders, exact=exact, contexts=contexts).initiation_interval
    for index in sorted(range(len(foldings)), key=lambda index: -foldings[index].taps * foldings[index].lanes):
        unit = slot_orders[index].unit
        for sharing in _choices(first=unit.first):
            chosen = (*sharings[:index], sharing, *sharings[index + 1 :])
            if sharing.products * unit.slots <= initiation_interval and Schedule.at(
                initiation_interval, courses_with(chosen), exact=exact, contexts=contexts
            ):
                sharings = chosen
                break
    return sharings


def slot_orders_of(
    network: Network,
    foldings: Sequence[Folding],
    sharings: Sequence[Sharing],
    *,
    technology: Technology,
    exact: bool,
    contexts: int = 1,
) -> list[SlotOrder]:
    """The slot_orders of the layers, without their gateware."""
    outlines, revisit = [], revisit_of(network, foldings, exact=exact, contexts=contexts)
    for index, (layer, form, folding, sharing) in enumerate(
        zip(network.layers, network.formats, foldings, sharings, strict=True)
    ):
        inputs, outputs = layer.inputs // folding.taps, layer.outputs // folding.lanes
        shape = form, inputs > 1, outputs > 1, technology, index == 0, sharing
        # Results are summed over the taps of a tile, errors over its lanes: a row and a column of it tell when.
        timing = replace(_timing(1, folding.lanes, *shape), result=_timing(folding.taps, 1, *shape).result)
        outlines.append(Outline(index == 0, inputs, outputs, timing, _forwarding(technology, revisit)))
    return in_sequence(outlines)


def _choices(*, first: bool) -> list[Sharing]:
    """The best first."""
    if first:
        return [Sharing(2)]
    return [Sharing(products, wait) for products in (3, 2) for wait in range(MOST_WAIT + 1)]


@cache
def _timing(
    taps: int,
    lanes: int,
    form: LayerFormat,
    sums: bool,
    walks: bool,
    technology: Technology,
    first: bool,
    sharing: Sharing,
) -> LayerTiming:
    """That of a layer with several groups of inputs, if it `sums`, and of outputs, if it `walks`: how many makes no
    difference."""
    unit = LayerUnit(
        form,
        inputs=taps * (1 + sums),
        outputs=lanes * (1 + walks),
        taps=taps,
        lanes=lanes,
        technology=technology,
        first=first,
        revisit=None,
        sharing=sharing,
    )
    Fragment.get(unit, None)
    return unit.timing


@cache
def _forwarding(technology: Technology, revisit: int | None) -> bool:
    """Whether banks of nodes forward."""
    bank = NodeBank(rows=1, width=1, lanes=1, technology=technology, revisit=revisit)
    Fragment.get(bank, None)
    return bank.forwarding
