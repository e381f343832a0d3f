"""The choice of layers in which several products share a multiplier: those whose slots would leave it idle."""

from collections.abc import Callable, Sequence

from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import LayerPlan, slot_orders_of
from hw.schedule.timing import INDEPENDENT, Sharing
from sw.spec.addresses import Folding

MOST_WAIT = 3  # cycles: each costs registers for the operands of every slope

LayerPlans = Callable[[Sequence[Sharing]], tuple[LayerPlan, ...]]
"""Gives the plan of each layer, from the sharing of each."""


def share_multipliers(
    foldings: Sequence[Folding], plans: LayerPlans, *, exact: bool, contexts: int
) -> tuple[tuple[LayerPlan, ...], Schedule]:
    """Choose for each layer the most products that share a multiplier without a longer initiation interval.

    Layers of many functions choose first.

    Returns
    -------
    layers : tuple of LayerPlan
        The layers with the sharing that was chosen.
    schedule : Schedule
        Of these layers.
    """
    sharings = (INDEPENDENT,) * len(foldings)
    layers = plans(sharings)
    schedule = Schedule.of(slot_orders_of(layers), exact=exact, contexts=contexts)
    interval = schedule.initiation_interval
    for index in sorted(range(len(foldings)), key=lambda index: -foldings[index].taps * foldings[index].lanes):
        layer = layers[index]
        for sharing in _choices(first=layer.first):
            if sharing.products * layer.slots > interval:
                continue
            tried = (*sharings[:index], sharing, *sharings[index + 1 :])
            found = Schedule.at(interval, slot_orders_of(plans(tried)), exact=exact, contexts=contexts)
            if found:
                sharings, layers, schedule = tried, plans(tried), found
                break
    return layers, schedule


def _choices(*, first: bool) -> list[Sharing]:
    """Return the sharings of a layer that are worth a try, the best first."""
    if first:
        return [Sharing(2)]
    return [Sharing(products, wait) for products in (3, 2) for wait in range(MOST_WAIT + 1)]
