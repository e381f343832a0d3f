"""The latencies of a layer in cycles, and how its products share multipliers."""

from dataclasses import dataclass

REPLAY_LATENCY = 2
"""Cycles from the write of a value into a `hw.datapath.replay_fifo.ReplayFifo` until it can be read."""


@dataclass(frozen=True)
class LayerTiming:
    """When a layer does what, in cycles after its forward or its update inputs; computed by the pipeline.

    Attributes
    ----------
    entry : int
        From the arrival of a first layer's inputs until its walk begins with them; 0 in other layers.
    walk : int
        From what starts a walk to its first slot: 1, since the values that are walked over are held in registers, or 0
        where the only slot of a record is in the cycle of its arrival.
    forward_read, update_read, write : int
        When the node memory is read for the forward pass, read for the update, and written.
    counted : int
        When the saturations of a write have been counted.
    result : int
        When the results of an output group's last slot are complete.
    error : int or None
        When the errors of an input group's last slot are complete; None in a first layer, which gives none.
    residual : int
        From the results of an output group to the errors of its outputs, in a last layer.
    forward_use : int
        When the multiplier of the interpolation takes its operands.
    update_uses : tuple of int
        When the multipliers of the slope (past the first layer) and of the change take theirs.
    """

    entry: int
    walk: int
    forward_read: int
    result: int
    update_read: int
    write: int
    counted: int
    error: int | None
    residual: int
    forward_use: int
    update_uses: tuple[int, ...]


@dataclass(frozen=True)
class Sharing:
    """How many products of a function one multiplier makes.

    Products are taken in the order interpolation, slope (a first layer has none), change; those that do not share have
    a multiplier each.

    Attributes
    ----------
    products : int
        Products that share one multiplier; 1 if none do.
    wait : int
        Cycles that the operands of the slope wait for their turn.
    """

    products: int = 1
    wait: int = 0

    def multipliers(self, *, first: bool) -> int:
        """Return the number of multipliers of one function, in a `first` layer or a later one."""
        return (2 if first else 3) - self.products + 1


INDEPENDENT = Sharing()
"""A multiplier for each product."""
