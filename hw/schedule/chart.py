"""A schedule as a chart of clocks: which record uses the nodes of each layer in each clock."""

import numpy as np

from hw.schedule.slot_order import slots_of
from hw.schedule.trainer_plan import TrainerPlan

RULE = 10  # clocks from one number to the next
IDLE = "."


def chart(plan: TrainerPlan, records: int) -> str:
    """Return the chart: a column a clock, from the start of record 0 to the last write of the last of the records.

    A digit is the number of a record, in the clock in which the nodes of a layer are read for its forward pass, read
    for its update, or written.
    """
    schedule = plan.schedule
    length = (records - 1) * schedule.initiation_interval + schedule.latency
    starts = schedule.initiation_interval * np.arange(records)

    def line(cycles: np.ndarray) -> str:
        clocks = np.full(length, IDLE)
        for record, start in enumerate(starts):
            clocks[cycles.ravel() + start] = str(record % 10)
        return "".join(clocks)

    forward, update = slots_of(plan.slot_orders)
    lines = {"clock": "".join(f"{clock:<{RULE}}" for clock in range(0, length, RULE))[:length].rstrip()}
    for index, (layer, slots) in enumerate(zip(plan.layers, forward, strict=True)):
        lines[f"layer {index} forward"] = line(slots + layer.timing.forward_read)
    for index in reversed(range(len(plan.layers))):
        timing, slots = plan.layers[index].timing, update[index] + schedule.pause
        lines[f"layer {index} update"] = line(slots + timing.update_read)
        lines[f"layer {index} write"] = line(slots + timing.write)
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {clocks}" for name, clocks in lines.items())
