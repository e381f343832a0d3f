"""Processes that train together: a single one, or those of an MPI run."""

import os
import sys
import time
import traceback
from typing import Any, Protocol, Self

import numpy as np

MESSAGE_SECONDS = 0.5  # for `mpiexec` to read a last message: it drops what is on its way when it ends a run


class Processes(Protocol):
    """The processes of a training.

    All of them must call `gather` and `broadcast` at the same time, in the same order. A process that leaves a `with`
    statement with an exception ends all of them, with its message: the others would wait for it for ever.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    size : int
        The number of all.
    """

    rank: int
    size: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """Collect the rows of all processes, in the order of their ranks, in each of them."""

    def broadcast(self, value: Any) -> Any:
        """Return the first process's value, of any kind that can be pickled, in each of them."""


class SingleProcess:
    """The processes of a training that has only this one."""

    rank, size = 0, 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        pass

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows."""
        return rows

    def broadcast(self, value: Any) -> Any:
        """Return the value."""
        return value


SINGLE_PROCESS = SingleProcess()

LAUNCHED = "PMI_SIZE", "OMPI_COMM_WORLD_SIZE"  # what MPICH's and Open MPI's mpiexec set


class Mpi:
    """The processes that `mpiexec` started; mpi4py comes with `pip install kanloom[cluster]`."""

    def __init__(self) -> None:
        from mpi4py import MPI

        self._world = MPI.COMM_WORLD
        self.rank, self.size = self._world.Get_rank(), self._world.Get_size()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or (isinstance(error, SystemExit) and not error.code):
            return
        if not isinstance(error, SystemExit):
            traceback.print_exception(error)
        elif isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        time.sleep(MESSAGE_SECONDS)
        self._world.Abort(1)
        os._exit(1)  # MPICH returns, and ends the process a little later

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """Collect the rows of all processes, in the order of their ranks, in each of them."""
        gathered = np.empty((self.size, *rows.shape), rows.dtype)
        self._world.Allgather(np.ascontiguousarray(rows), gathered)
        return gathered.reshape(-1, *rows.shape[1:])

    def broadcast(self, value: Any) -> Any:
        """Return the first process's value in each of them."""
        return self._world.bcast(value)


def launched() -> Processes:
    """Find the processes that `mpiexec` started together with this one, or this one alone."""
    return Mpi() if any(name in os.environ for name in LAUNCHED) else SINGLE_PROCESS
