"""A schedule as a chart of clocks: which record uses each layer's nodes in each clock."""

from collections.abc import Sequence

import numpy as np

from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import Course, slots_of

RULE = 10  # clocks from one number to the next
IDLE = "."


def chart(courses: Sequence[Course], schedule: Schedule, records: int) -> str:
    """A column for each clock, from the start of record 0 to the last write of `records` of them.

    A digit is a record's number, in the clock in which the nodes of a layer are read for its forward pass, read for its
    update, or written.
    """
    length = (records - 1) * schedule.interval + schedule.latency
    starts = schedule.interval * np.arange(records)

    def line(cycles: np.ndarray) -> str:
        clocks = np.full(length, IDLE)
        for record, start in enumerate(starts):
            clocks[cycles.ravel() + start] = str(record % 10)
        return "".join(clocks)

    forward, update = slots_of(courses)
    lines = {"clock": "".join(f"{clock:<{RULE}}" for clock in range(0, length, RULE))[:length].rstrip()}
    for layer, (course, slots) in enumerate(zip(courses, forward, strict=True)):
        lines[f"layer {layer} forward"] = line(slots + course.unit.timing.forward_read)
    for layer in reversed(range(len(courses))):
        timing, slots = courses[layer].unit.timing, update[layer] + schedule.pause
        lines[f"layer {layer} update"] = line(slots + timing.update_read)
        lines[f"layer {layer} write"] = line(slots + timing.write)
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {clocks}" for name, clocks in lines.items())
