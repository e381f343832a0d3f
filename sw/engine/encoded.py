"""Records encoded for the compiled kernels: arguments alone to predict, arguments and targets to train."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from sw.engine.simd.rows import REGISTER_BYTES


@dataclass(frozen=True, eq=False)
class EncodedArguments:
    """Arguments as a kernel reads them.

    Attributes
    ----------
    flat : ndarray
        The arguments of one record after the other, and a register more, since whole registers are read.
    records : int
        Number of records.
    features : int
        Arguments of a record.
    """

    flat: np.ndarray
    records: int
    features: int

    @classmethod
    def of(cls, arguments: np.ndarray, word: type) -> Self:
        """Copy arguments (n, features) to a kernel's words."""
        encoded = cls.zeros(len(arguments), arguments.shape[1], word)
        encoded.rows[:] = arguments
        return encoded

    @classmethod
    def zeros(cls, records: int, features: int, word: type) -> Self:
        """Make arguments that are all 0."""
        return cls(np.zeros(records * features + REGISTER_BYTES // np.dtype(word).itemsize, word), records, features)

    def __len__(self) -> int:
        return self.records

    @property
    def rows(self) -> np.ndarray:
        """A view of the arguments, (n, features)."""
        return self.flat[: self.records * self.features].reshape(self.records, self.features)

    def between(self, start: int, stop: int) -> "EncodedArguments":
        """Select the records from number `start` up to `stop`; a view."""
        return EncodedArguments(self.flat[start * self.features :], stop - start, self.features)

    def split(self, slices: int) -> "list[EncodedArguments]":
        """Split the records, in order, in so many slices, which differ by one record at most; views."""
        return [self.between(*bounds) for bounds in _equal_slices(len(self), slices)]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Records as a kernel trains on them.

    Attributes
    ----------
    arguments : EncodedArguments
        The arguments of n records.
    targets : ndarray of shape (n, outputs)
        Their targets.
    """

    arguments: EncodedArguments
    targets: np.ndarray

    @classmethod
    def of(cls, arguments: np.ndarray, targets: np.ndarray, word: type) -> Self:
        """Copy arguments (n, features) and targets (n, outputs) to a kernel's words."""
        return cls(EncodedArguments.of(arguments, word), np.ascontiguousarray(targets, word))

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.arguments.flat.nbytes + self.targets.nbytes

    def between(self, start: int, stop: int) -> "Encoded":
        """Select the records from number `start` up to `stop`; a view."""
        return Encoded(self.arguments.between(start, stop), self.targets[start:stop])

    def take(self, rows: np.ndarray) -> "Encoded":
        """Copy the records of these row numbers, in their order."""
        return Encoded.of(self.arguments.rows[rows], self.targets[rows], self.targets.dtype.type)

    def blocks(self, size: int) -> "list[Encoded]":
        """Split the records, in order, in blocks of `size` and a rest; views."""
        return [self.between(start, min(start + size, len(self))) for start in range(0, len(self), size)]

    def split(self, slices: int) -> "list[Encoded]":
        """Split the records, in order, in so many slices, which differ by one record at most; views."""
        return [self.between(*bounds) for bounds in _equal_slices(len(self), slices)]


def _equal_slices(count: int, slices: int) -> Iterator[tuple[int, int]]:
    for index in range(slices):
        yield count * index // slices, count * (index + 1) // slices
