"""Processes that train together: one alone, or those of an MPI run."""

from typing import Protocol

import numpy as np


class Processes(Protocol):
    """`rank` of this process among `size`; `gather` gives to each the rows of all, in the order of their ranks."""

    rank: int
    size: int

    def gather(self, rows: np.ndarray) -> np.ndarray: ...


class Alone:
    """This process only."""

    rank, size = 0, 1

    def gather(self, rows: np.ndarray) -> np.ndarray:
        return rows


ALONE = Alone()


class Mpi:
    """The processes that `mpiexec` started, by mpi4py: pip install kanloom[cluster]."""

    def __init__(self) -> None:
        from mpi4py import MPI

        self._world = MPI.COMM_WORLD
        self.rank, self.size = self._world.Get_rank(), self._world.Get_size()

    def gather(self, rows: np.ndarray) -> np.ndarray:
        gathered = np.empty((self.size, *rows.shape), rows.dtype)
        self._world.Allgather(np.ascontiguousarray(rows), gathered)
        return gathered.reshape(-1, *rows.shape[1:])
