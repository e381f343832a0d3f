"""Records as a trainer takes them: arguments and targets, in codes and words or in unit floats."""

from dataclasses import dataclass

import numpy as np

from sw.spec.network import Network


@dataclass(frozen=True)
class Records:
    """Records as a trainer takes them.

    Attributes
    ----------
    arguments : ndarray of shape (n, features)
        Encoded features: int64 argument codes for a fixed-point trainer, unit floats for a floating-point one.
    targets : ndarray of shape (n, outputs)
        Encoded targets: int64 words for a fixed-point trainer, unit floats for a floating-point one.
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
        """Check that arguments and targets are as many as the network's, and integers its codes and words.

        Raises
        ------
        ValueError
            If they are not.
        """
        check_arguments(network, self.arguments)
        if self.targets.shape[1] != network.outputs:
            raise ValueError(f"records of {self.targets.shape[1]} targets; the network {network} has {network.outputs}")
        _check_range("targets", self.targets, network.word.minimum, network.word.maximum)

    def blocks(self, size: int) -> list["Records"]:
        """Split the records, in order, in blocks of `size` and a rest; fewer records are one block."""
        if len(self) <= size:
            return [self]
        starts = range(0, len(self), size)
        return [Records(self.arguments[start : start + size], self.targets[start : start + size]) for start in starts]


def check_arguments(network: Network, arguments: np.ndarray) -> None:
    """Check that arguments, (n, features), are those of the network: as many features, and integers in its codes.

    Raises
    ------
    ValueError
        If they are not.
    """
    if arguments.ndim != 2 or arguments.shape[1] != network.features:
        raise ValueError(
            f"arguments of {arguments.shape[-1]} features, shape {arguments.shape}; the network {network} takes "
            f"{network.features}"
        )
    _check_range("argument codes", arguments, 0, (1 << network.formats[0].argument_bits) - 1)


def _check_range(name: str, values: np.ndarray, low: int, high: int) -> None:
    if values.size and np.issubdtype(values.dtype, np.integer) and (values.min() < low or values.max() > high):
        raise ValueError(f"{name} from {values.min()} to {values.max()}; the legal ones are {low} to {high}")
