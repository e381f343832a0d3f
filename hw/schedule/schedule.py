"""The schedule of records that follows from the slot orders of the layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Self

import numpy as np

from hw.schedule.slot_order import SlotOrder, slots_of


@dataclass(frozen=True)
class Schedule:
    """When records start, pause and end, in cycles.

    Attributes
    ----------
    initiation_interval : int
        From the start of a record to the start of the next one (II).
    pause : int
        Between the residual of a record and its update.
    result_latency : int
        From the start of a record to its last result.
    latency : int
        From the start of a record to its last write.
    staleness : tuple of int
        Records whose updates the forward pass of a record does not see yet, a number for each layer, counted among the
        records of its context.
    """

    initiation_interval: int
    pause: int
    result_latency: int
    latency: int
    staleness: tuple[int, ...]

    @property
    def records_in_flight(self) -> int:
        """Records between start and last write at once, at most."""
        return self._most(self.latency)

    @property
    def records_awaiting_results(self) -> int:
        """Records between start and last result at once, at most."""
        return self._most(self.result_latency)

    def _most(self, cycles: int) -> int:
        """Count the records that stay so long in a FIFO at once, whose own latency is a cycle or two."""
        return cycles // self.initiation_interval + 2

    @classmethod
    def of(cls, orders: Sequence[SlotOrder], *, exact: bool, contexts: int = 1) -> Self:
        """Return the schedule with the shortest initiation interval.

        In it every slot of a layer has the layer's staleness, no read meets a write of the same row in one clock
        unless the layer forwards, and no multiplier has two uses in one clock.

        Parameters
        ----------
        orders : sequence of SlotOrder
            Of each layer.
        exact : bool
            Whether a record waits until it sees every update before it: staleness 0.
        contexts : int
            Interleaved models, which take turns; each has rows of its own.
        """
        layers = [order.layer for order in orders]
        lows, highs = write_distances(orders)
        turns = [layer.timing.write - layer.timing.update_read + 1 for layer in layers if not layer.forwarding]
        turns += [high + 1 if exact else high - low + 1 for low, high in zip(lows, highs, strict=True)]
        least = max(*(order.busy for order in orders), -(-max(turns) // contexts))
        schedules = (cls.at(interval, orders, exact=exact, contexts=contexts) for interval in count(least))
        return next(schedule for schedule in schedules if schedule)

    @classmethod
    def at(
        cls, initiation_interval: int, orders: Sequence[SlotOrder], *, exact: bool, contexts: int = 1
    ) -> Self | None:
        """Return the schedule of this initiation interval with the shortest pause, or None where there is none."""
        layers = [order.layer for order in orders]
        forward, update = slots_of(orders)
        lows, highs = write_distances(orders)
        turn = initiation_interval * contexts  # from a record to the next of its context
        for pause in range(turn):
            # A write in the clock of the read counts as seen: where it is not forwarded, there must be none.
            staleness, most = ([(cycles + pause - 1) // turn for cycles in ends] for ends in (lows, highs))
            no_collision = all(
                layer.forwarding or (high + pause) % turn for layer, high in zip(layers, highs, strict=True)
            )
            legal = staleness == most == sorted(staleness, reverse=True) and not (exact and any(staleness))
            paused = [slots + pause for slots in update]
            if no_collision and legal and multipliers_take_turns(orders, forward, paused, initiation_interval):
                result_latency = int(forward[-1].max()) + layers[-1].timing.result
                latency = int(update[0].max()) + pause + layers[0].timing.write + 1
                return cls(initiation_interval, pause, result_latency, latency, tuple(staleness))
        return None


def write_distances(orders: Sequence[SlotOrder]) -> tuple[list[int], list[int]]:
    """Return the least and the most cycles, without a pause, from the forward read of a row to its write, by layer."""
    # A multiple of the initiation interval would be another record's read.
    distances = [
        slots + order.layer.timing.write - (reads + order.layer.timing.forward_read)
        for order, reads, slots in zip(orders, *slots_of(orders), strict=True)
    ]
    return [int(cycles.min()) for cycles in distances], [int(cycles.max()) for cycles in distances]


def multipliers_take_turns(
    orders: Sequence[SlotOrder],
    forward: Sequence[np.ndarray],
    update: Sequence[np.ndarray],
    initiation_interval: int,
) -> bool:
    """Whether no multiplier has two uses in one clock when records with these slots come every interval."""
    for order, reads, slots in zip(orders, forward, update, strict=True):
        timing = order.layer.timing
        uses = np.stack([reads + timing.forward_use, *(slots + use for use in timing.update_uses)])
        if len(np.unique(uses % initiation_interval)) < uses.size:
            return False
    return True
