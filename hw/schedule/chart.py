"""A schedule as a chart of clocks: which record uses each layer's nodes in each clock."""

from collections.abc import Sequence

import numpy as np

from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import SlotOrder, slots_of

RULE = 10  # clocks from one number to the next
IDLE = "."


def chart(slot_orders: Sequence[SlotOrder], schedule: Schedule, records: int) -> str:
    """A column for each clock, from the start of record 0 to the last write of `records` of them.

    A digit is a record's number, in the clock in which the nodes of a layer are read for its forward pass, read for its
    update, or written.
    """
    length = (records - 1) * schedule.initiation_interval + schedule.latency
    starts = schedule.initiation_interval * np.arange(records)

    def line(cycles: np.ndarray) -> str:
        clocks = np.full(length, IDLE)
        for record, start in enumerate(starts):
            clocks[cycles.ravel() + start] = str(record % 10)
        return "".join(clocks)

    forward, update = slots_of(slot_orders)
    lines = {"clock": "".join(f"{clock:<{RULE}}" for clock in range(0, length, RULE))[:length].rstrip()}
    for layer, (slot_order, slots) in enumerate(zip(slot_orders, forward, strict=True)):
        lines[f"layer {layer} forward"] = line(slots + slot_order.unit.timing.forward_read)
    for layer in reversed(range(len(slot_orders))):
        timing, slots = slot_orders[layer].unit.timing, update[layer] + schedule.pause
        lines[f"layer {layer} update"] = line(slots + timing.update_read)
        lines[f"layer {layer} write"] = line(slots + timing.write)
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {clocks}" for name, clocks in lines.items())
