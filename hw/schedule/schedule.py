"""The order in which a layer works on a record, and the schedule of records that follows from it.

A layer's inputs arrive group by group, as the layer before it makes them, and so do the errors of its outputs. It
either *follows*, working on each group as it comes, or *walks*: waits for all groups and then goes through its slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from hw.schedule.slot_order import SlotOrder, slots_of


def unseen_of(slot_orders: Sequence[SlotOrder]) -> tuple[list[int], list[int]]:
    """Least and most cycles, without a pause, from a row's forward read to its write, in each layer."""
    # A multiple of the initiation_interval would be another record's read.
    unseen = [
        slots + slot_order.unit.timing.write - (reads + slot_order.unit.timing.forward_read)
        for slot_order, reads, slots in zip(slot_orders, *slots_of(slot_orders), strict=True)
    ]
    return [int(cycles.min()) for cycles in unseen], [int(cycles.max()) for cycles in unseen]


def in_turn(
    slot_orders: Sequence[SlotOrder],
    forward: Sequence[np.ndarray],
    update: Sequence[np.ndarray],
    initiation_interval: int,
) -> bool:
    """Whether no multiplier has two uses in one clock when records with these slots come every initiation_interval."""
    for slot_order, reads, slots in zip(slot_orders, forward, update, strict=True):
        timing = slot_order.unit.timing
        uses = (
            np.stack([reads + timing.forward_use, *(slots + use for use in timing.update_uses)]) % initiation_interval
        )
        if len(np.unique(uses)) < uses.size:
            return False
    return True


@dataclass(frozen=True)
class Schedule:
    """When what happens, in cycles.

    `initiation_interval`: from a record's start to the next. `pause`: between residual and update. `judgement`,
    `latency`: from a record's start to its last result and its last write. `staleness`: records whose updates a
    record's forward pass does not see yet, per layer, of those of its context.
    """

    initiation_interval: int
    pause: int
    judgement: int
    latency: int
    staleness: tuple[int, ...]

    @property
    def records_in_flight(self) -> int:
        """Records that are under way at once, at most."""
        return self._most(self.latency)

    @property
    def records_awaiting_results(self) -> int:
        """Records whose results are not complete at once, at most."""
        return self._most(self.judgement)

    def _most(self, cycles: int) -> int:
        """Records that are at once in a queue for so long, which takes a cycle or two itself."""
        return cycles // self.initiation_interval + 2

    @classmethod
    def of(cls, slot_orders: Sequence[SlotOrder], *, exact: bool, contexts: int = 1) -> "Schedule":
        """The tightest one in which every slot of a layer has the layer's delay, no read meets a write of the same row
        in one clock unless the layer forwards, and no multiplier has two uses in one; `exact`, with no staleness. Each
        of `contexts`, which take turns, has rows of its own."""
        units = [slot_order.unit for slot_order in slot_orders]
        lows, highs = unseen_of(slot_orders)
        least_turn = max(
            *(unit.timing.write - unit.timing.update_read + 1 for unit in units if not unit.forwarding),
            *(high + 1 if exact else high - low + 1 for low, high in zip(lows, highs, strict=True)),
        )
        least = max(*(slot_order.busy for slot_order in slot_orders), -(-least_turn // contexts))
        schedules = (
            cls.at(initiation_interval, slot_orders, exact=exact, contexts=contexts)
            for initiation_interval in count(least)
        )
        return next(schedule for schedule in schedules if schedule)

    @classmethod
    def at(
        cls, initiation_interval: int, slot_orders: Sequence[SlotOrder], *, exact: bool, contexts: int = 1
    ) -> "Schedule | None":
        """The one of this initiation_interval with the shortest pause, or None where there is none."""
        units = [slot_order.unit for slot_order in slot_orders]
        forward, update = slots_of(slot_orders)
        lows, highs = unseen_of(slot_orders)
        turn = initiation_interval * contexts  # from a record to the next of its context
        for pause in range(turn):
            # A write in the clock of the read counts as seen: where it is not forwarded, there must be none.
            staleness, most = ([(cycles + pause - 1) // turn for cycles in ends] for ends in (lows, highs))
            apart = all(unit.forwarding or (high + pause) % turn for unit, high in zip(units, highs, strict=True))
            legal = staleness == most == sorted(staleness, reverse=True) and not (exact and any(staleness))
            if (
                apart
                and legal
                and in_turn(slot_orders, forward, [slots + pause for slots in update], initiation_interval)
            ):
                judgement = int(forward[-1].max()) + units[-1].timing.result
                latency = int(update[0].max()) + pause + units[0].timing.write + 1
                return cls(initiation_interval, pause, judgement, latency, tuple(staleness))
        return None
