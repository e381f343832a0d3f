"""The order in which a layer works on the slots of a record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw.datapath.layer import LayerUnit
from hw.schedule.timing import LayerTiming

WALK_LATENCY = 1  # cycles from what starts a walk to its first slot: what is walked over is held in registers


RESIDUAL_LATENCY = 2  # cycles from results to the errors of the outputs


@dataclass(frozen=True)
class Outline:
    """A layer as far as its slot_order depends on it."""

    first: bool
    input_groups: int
    output_groups: int
    timing: LayerTiming
    forwarding: bool

    @property
    def slots(self) -> int:
        return self.input_groups * self.output_groups


@dataclass(frozen=True)
class SlotOrder:
    """A layer's way through its slots; the layer `before` it, if any, sets the pace of the errors it gives.

    Forward, a mean is summed over the groups of inputs, slot after slot. A layer with one group of outputs follows its
    inputs. One with several needs them all for each group: it walks, output group by output group.

    Backward, an error is summed over the groups of outputs. A layer with one group of inputs follows its errors. One
    with several walks, input group by input group. The first layer gives no errors, so it follows in any case, with the
    slots of all its inputs for each group.

    Arrivals are arrays of cycles, one for each group; slots are arrays (output groups, input groups) of cycles.
    """

    unit: LayerUnit | Outline
    before: "SlotOrder | None" = None

    @property
    def walks_forward(self) -> bool:
        return self.unit.first or self.unit.output_groups > 1

    @property
    def walks_backward(self) -> bool:
        return not self.unit.first and self.unit.input_groups > 1

    @property
    def arrivals(self) -> int:
        """Groups in which the inputs of a record arrive."""
        return 1 if self.unit.first else self.unit.input_groups

    @property
    def rereads(self) -> bool:
        """Whether an update goes through the groups of inputs more than once: for each group of outputs."""
        return not self.walks_backward and self.unit.input_groups > 1 and self.unit.output_groups > 1

    @property
    def period(self) -> int:
        """Cycles from one group of inputs to the next in a backward walk: those of its slots, and no fewer than the
        layer before spends on the errors that come of it."""
        before = self.before
        return max(self.unit.output_groups, before.unit.input_groups if before and not before.walks_backward else 1)

    @property
    def busy(self) -> int:
        """Cycles that a record takes of the layer in either direction."""
        return max(self.unit.slots, self.unit.input_groups * self.period if self.walks_backward else 0)

    def forward_slots(self, arrivals: np.ndarray) -> np.ndarray:
        """From arrivals of inputs."""
        unit = self.unit
        if self.walks_forward:
            begin = arrivals[-1] + unit.timing.entry + WALK_LATENCY
            return begin + np.arange(unit.slots).reshape(unit.output_groups, unit.input_groups)
        return arrivals[None, :]

    def update_slots(self, arrivals: np.ndarray) -> np.ndarray:
        """From arrivals of the outputs' errors."""
        outputs, inputs = np.ogrid[: self.unit.output_groups, : self.unit.input_groups]
        if self.walks_backward:
            return arrivals[-1] + WALK_LATENCY + self.period * inputs + outputs
        return arrivals[:, None] + WALK_LATENCY + inputs


def in_sequence(units: Sequence[LayerUnit | Outline]) -> list[SlotOrder]:
    """The slot_orders of the layers of a network."""
    slot_orders = [SlotOrder(units[0])]
    for unit in units[1:]:
        slot_orders.append(SlotOrder(unit, before=slot_orders[-1]))
    return slot_orders


def slots_of(slot_orders: Sequence[SlotOrder]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The slots of each layer, forward and in the update, for a record that starts in cycle 0 and does not pause."""
    forward: list[np.ndarray] = []
    update: list[np.ndarray] = []
    arrivals = np.zeros(1, dtype=int)
    for slot_order in slot_orders:
        forward.append(slot_order.forward_slots(arrivals))
        arrivals = forward[-1][:, -1] + slot_order.unit.timing.result
    arrivals = arrivals + RESIDUAL_LATENCY
    for slot_order in reversed(slot_orders):
        update.insert(0, slot_order.update_slots(arrivals))
        arrivals = update[0][-1] + (slot_order.unit.timing.error or 0)
    return forward, update
