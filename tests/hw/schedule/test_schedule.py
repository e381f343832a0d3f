"""Slot orders and schedules from their numbers alone: any depth, any folding, any latencies."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import LayerPlan, SlotOrder, slot_orders_of, slots_of
from hw.schedule.timing import LayerTiming
from sw.spec.configuration import CONTEXTS

GROUPS = st.integers(1, 6)


@st.composite
def chains(draw: st.DrawFn) -> tuple[SlotOrder, ...]:
    """Layers of any groups, each with as many of inputs as the one before has of outputs, and of any latencies."""
    layers: list[LayerPlan] = []
    inputs = draw(GROUPS)
    for index in range(draw(st.integers(1, 5))):
        outputs, read = draw(GROUPS), draw(st.integers(0, 6))
        write = read + draw(st.integers(1, 5))
        walk = draw(st.integers(0, 1)) if inputs == outputs == 1 else 1
        timing = LayerTiming(
            entry=0 if index else draw(st.integers(0, 2)),
            walk=walk,
            forward_read=1,
            result=draw(st.integers(4, 12)),
            update_read=read,
            write=write,
            counted=write + 2,
            error=write + draw(st.integers(0, 4)) if index else None,
            residual=draw(st.integers(1, 2)),
            forward_use=draw(st.integers(0, 4)),
            update_uses=tuple(draw(st.lists(st.integers(0, 8), max_size=1))),
        )
        layers.append(LayerPlan(index == 0, inputs, outputs, timing, forwarding=draw(st.booleans())))
        inputs = outputs
    return slot_orders_of(layers)


@given(chains())
def test_slots_come_one_by_one_and_no_sooner_than_what_they_need(slot_orders: tuple[SlotOrder, ...]) -> None:
    forward, update = slots_of(slot_orders)
    for slots in (*forward, *update):
        assert len(np.unique(slots)) == slots.size
    for layer, before in enumerate(slot_orders[:-1]):
        results = forward[layer][:, -1] + before.layer.timing.result
        assert (forward[layer + 1] >= (results if len(forward[layer + 1]) == 1 else results.max())).all()
        timing = slot_orders[layer + 1].layer.timing
        assert (
            update[layer] - slot_orders[layer].layer.timing.walk
            >= (update[layer + 1].max(axis=0) + timing.error)[:, None]
        ).all()


@given(chains())
def test_sums_run_over_slots_that_follow_each_other(slot_orders: tuple[SlotOrder, ...]) -> None:
    forward, update = slots_of(slot_orders)
    for slots in forward:
        assert (np.diff(slots.ravel()) > 0).all()
    for slots in update[1:]:
        assert (np.diff(slots.T.ravel()) > 0).all()


@settings(max_examples=30)  # a schedule of five layers takes 0.1 s
@given(chains(), st.booleans(), st.sampled_from(CONTEXTS))
def test_every_slot_has_its_layers_delay_and_multiplier_and_without_forwarding_the_memory_to_itself(
    slot_orders: tuple[SlotOrder, ...], exact: bool, contexts: int
) -> None:
    """Among the records of a context; those of others have nodes of their own."""
    schedule = Schedule.of(slot_orders, exact=exact, contexts=contexts)
    turn = contexts * schedule.initiation_interval
    starts = turn * np.arange(-schedule.records_in_flight - 1, schedule.records_in_flight + 1)[:, None, None]
    for slot_order, forward, update, delay in zip(slot_orders, *slots_of(slot_orders), schedule.staleness, strict=True):
        timing = slot_order.layer.timing
        writes = update + schedule.pause + timing.write + starts
        reads = forward + timing.forward_read
        assert (np.sum((writes > reads) & (starts < 0), axis=0) == delay).all()
        if not slot_order.layer.forwarding:
            assert not (writes == reads).any()
            assert not ((update + schedule.pause + timing.update_read == writes) & (starts < 0)).any()
        for slots in (forward, update):  # of all records
            assert len(np.unique(slots % schedule.initiation_interval)) == slots.size
        uses = [forward + timing.forward_use, *(update + schedule.pause + use for use in timing.update_uses)]
        assert len(np.unique(np.array(uses) % schedule.initiation_interval)) == len(uses) * forward.size
    assert list(schedule.staleness) == sorted(schedule.staleness, reverse=True)
    assert not exact or not any(schedule.staleness)
