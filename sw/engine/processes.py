"""Processes that train together: one alone, or those of an MPI run."""

import os
import sys
import time
import traceback
from typing import Any, Protocol, Self

import numpy as np

MESSAGE_SECONDS = 0.5  # for `mpiexec` to read a last message: it drops what is on its way when it ends a run


class Processes(Protocol):
    """`rank` of this process among `size`. What all must call at the same time, in the same order:

    gather: gives to each the rows of all, in the order of their ranks.
    broadcast: gives to each the value that the first has; of any kind that can be pickled.

    In a `with` statement, whoever leaves it with an exception ends them all, with its message; else the others would
    wait for it for ever.
    """

    rank: int
    size: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...

    def gather(self, rows: np.ndarray) -> np.ndarray: ...

    def broadcast(self, value: Any) -> Any: ...


class SingleProcess:
    """This process only."""

    rank, size = 0, 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        pass

    def gather(self, rows: np.ndarray) -> np.ndarray:
        return rows

    def broadcast(self, value: Any) -> Any:
        return value


SINGLE_PROCESS = SingleProcess()

LAUNCHED = "PMI_SIZE", "OMPI_COMM_WORLD_SIZE"  # what MPICH's and Open MPI's mpiexec set


class Mpi:
    """The processes that `mpiexec` started, by mpi4py: pip install kanloom[cluster]."""

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
        gathered = np.empty((self.size, *rows.shape), rows.dtype)
        self._world.Allgather(np.ascontiguousarray(rows), gathered)
        return gathered.reshape(-1, *rows.shape[1:])

    def broadcast(self, value: Any) -> Any:
        return self._world.bcast(value)


def launched() -> Processes:
    """Those that `mpiexec` started this process with, or this one alone."""
    return Mpi() if any(name in os.environ for name in LAUNCHED) else SINGLE_PROCESS
