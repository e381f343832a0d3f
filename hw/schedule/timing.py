"""The latencies of a layer in cycles, and how its products share multipliers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerTiming:
    """Cycles of a layer, from its forward or its update inputs, all computed by the pipeline.

    `entry`: from the arrival of a first layer's inputs until its walk begins with them; 0 in others. `forward_read`,
    `update_read`, `write`: when the node memory is read or written. `counted`: when those that a write drove to the end
    of the word are. `result`, `error`: when the results of the last slot of an output group are there, and the errors
    of the last slot of an input group (None for a first layer). `forward_use`, `update_uses`: when the multiplier of
    the interpolation takes its operands, and those of the products that it makes besides.
    """

    entry: int
    forward_read: int
    result: int
    update_read: int
    write: int
    counted: int
    error: int | None
    forward_use: int
    update_uses: tuple[int, ...]


@dataclass(frozen=True)
class Sharing:
    """How many of a function's products one multiplier makes, in the order interpolation, slope (a first layer has
    none), change; the others have one each. The operands of the slope `wait` so many cycles for their turn.
    """

    products: int = 1
    wait: int = 0

    def multipliers(self, *, first: bool) -> int:
        """Of a function."""
        return (2 if first else 3) - self.products + 1


INDEPENDENT = Sharing()
"""A multiplier for each product."""
