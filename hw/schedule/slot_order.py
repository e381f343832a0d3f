"""The order in which a layer works on the slots of a record.

The inputs of a layer arrive group by group, as the layer before it makes them, and so do the errors of its outputs. The
layer either *follows*, working on each group as it comes, or *walks*: it waits for all groups and then goes through its
slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw.schedule.timing import INDEPENDENT, LayerTiming, Sharing


@dataclass(frozen=True)
class LayerPlan:
    """A layer as the schedule sees it.

    Attributes
    ----------
    first : bool
        Whether it is the network's first layer.
    input_groups, output_groups : int
        Inputs divided by taps, outputs divided by lanes.
    timing : LayerTiming
        The latencies that its gateware must have.
    forwarding : bool
        Whether its node banks forward: a row may be read in the clock of its write, and updated again before the update
        before is written.
    sharing : Sharing
        How its products share multipliers.
    """

    first: bool
    input_groups: int
    output_groups: int
    timing: LayerTiming
    forwarding: bool
    sharing: Sharing = INDEPENDENT

    @property
    def slots(self) -> int:
        """Slots of a record: clocks that it takes of the layer at the least."""
        return self.input_groups * self.output_groups


@dataclass(frozen=True)
class SlotOrder:
    """The way of a record through the slots of a layer.

    Forward, a mean is summed over the groups of inputs, slot after slot. A layer with one group of outputs follows its
    inputs. One with several needs them all for each group: it walks, output group by output group.

    Backward, an error is summed over the groups of outputs. A layer with one group of inputs follows its errors. One
    with several walks, input group by input group. The first layer gives no errors, so it follows in any case, with the
    slots of all its inputs for each group.

    Arrivals are arrays of cycles, one for each group; slots are arrays (output groups, input groups) of cycles.

    Attributes
    ----------
    layer : LayerPlan
        The layer.
    before : SlotOrder or None
        The order of the layer before it, which takes this layer's errors no faster than it can use them.
    """

    layer: LayerPlan
    before: "SlotOrder | None" = None

    @property
    def walks_forward(self) -> bool:
        """Whether the forward pass waits for all inputs; it follows them otherwise."""
        return self.layer.output_groups > 1 or (self.layer.first and self.layer.timing.walk > 0)

    @property
    def walks_backward(self) -> bool:
        """Whether the update waits for all errors; it follows them otherwise."""
        return not self.layer.first and self.layer.input_groups > 1

    @property
    def arrivals(self) -> int:
        """Groups in which the inputs of a record arrive."""
        return 1 if self.layer.first else self.layer.input_groups

    @property
    def rereads(self) -> bool:
        """Whether an update goes through the groups of inputs more than once: for each group of outputs."""
        return not self.walks_backward and self.layer.input_groups > 1 and self.layer.output_groups > 1

    @property
    def period(self) -> int:
        """Cycles from one group of inputs to the next in a backward walk.

        A group takes its slots, and no fewer cycles than the layer before spends on the group's errors.
        """
        before = self.before
        return max(self.layer.output_groups, before.layer.input_groups if before and not before.walks_backward else 1)

    @property
    def busy(self) -> int:
        """Cycles for which a record occupies the layer, in the direction in which it does so longer."""
        return max(self.layer.slots, self.layer.input_groups * self.period if self.walks_backward else 0)

    def forward_slots(self, arrivals: np.ndarray) -> np.ndarray:
        """Return the cycle of each slot of the forward pass, from the arrivals of the inputs."""
        layer = self.layer
        if self.walks_forward:
            begin = arrivals[-1] + layer.timing.entry + layer.timing.walk
            return begin + np.arange(layer.slots).reshape(layer.output_groups, layer.input_groups)
        return arrivals[None, :]

    def update_slots(self, arrivals: np.ndarray) -> np.ndarray:
        """Return the cycle of each slot of the update, from the arrivals of the errors of the outputs."""
        outputs, inputs = np.ogrid[: self.layer.output_groups, : self.layer.input_groups]
        if self.walks_backward:
            return arrivals[-1] + self.layer.timing.walk + self.period * inputs + outputs
        return arrivals[:, None] + self.layer.timing.walk + inputs


def slot_orders_of(layers: Sequence[LayerPlan]) -> tuple[SlotOrder, ...]:
    """Return the slot order of each layer of a network."""
    orders = [SlotOrder(layers[0])]
    for layer in layers[1:]:
        orders.append(SlotOrder(layer, before=orders[-1]))
    return tuple(orders)


def slots_of(orders: Sequence[SlotOrder]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the slots of all layers for a record that starts in cycle 0 and does not pause before its update.

    Returns
    -------
    forward, update : list of ndarray
        Cycles of each layer's slots, (output groups, input groups).
    """
    forward: list[np.ndarray] = []
    update: list[np.ndarray] = []
    arrivals = np.zeros(1, dtype=int)
    for order in orders:
        forward.append(order.forward_slots(arrivals))
        arrivals = forward[-1][:, -1] + order.layer.timing.result
    arrivals = arrivals + orders[-1].layer.timing.residual
    for order in reversed(orders):
        update.insert(0, order.update_slots(arrivals))
        arrivals = update[0][-1] + (order.layer.timing.error or 0)
    return forward, update
