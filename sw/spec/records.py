"""Records as a trainer takes them: arguments and targets, in codes and words or in unit floats."""

from dataclasses import dataclass

import numpy as np

from sw.spec.network import Network


@dataclass(frozen=True)
class Records:
    """Records as a machine takes them: arguments (n, features) and targets (n, outputs).

    Unit floats for the floating-point machines; argument codes and words, both int64, for the fixed-point ones.
    """

    arguments: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        if self.arguments.ndim != 2 or self.targets.ndim != 2 or len(self.arguments) != len(self.targets):
            raise ValueError(
                f"records of arguments {self.arguments.shape} and targets {self.targets.shape}: "
                "both must be tables with the same number of rows"
            )

    def __len__(self) -> int:
        return len(self.arguments)

    def check(self, network: Network) -> None:
        """Raise ValueError unless they have the network's features and outputs, and integers its codes and words."""
        shape, needed = (self.arguments.shape[1], self.targets.shape[1]), (network.features, network.outputs)
        if shape != needed:
            raise ValueError(
                f"records of {shape[0]} features and {shape[1]} targets; the network {network} takes {needed[0]} and "
                f"gives {needed[1]}"
            )
        if not len(self) or not np.issubdtype(self.arguments.dtype, np.integer):
            return
        word, codes = network.word, 1 << network.formats[0].argument_bits
        for name, values, low, high in (
            ("argument codes", self.arguments, 0, codes - 1),
            ("targets", self.targets, word.minimum, word.maximum),
        ):
            if values.min() < low or values.max() > high:
                raise ValueError(f"{name} from {values.min()} to {values.max()}; the legal ones are {low} to {high}")

    def blocks(self, size: int) -> list["Records"]:
        """The records in order, in blocks of `size` and a rest; themselves if they are no more."""
        if len(self) <= size:
            return [self]
        starts = range(0, len(self), size)
        return [Records(self.arguments[start : start + size], self.targets[start : start + size]) for start in starts]
