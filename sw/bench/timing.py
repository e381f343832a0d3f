"""How long trainings take. Machines are noisy: take short turns, many of them, in turn with what is compared."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import numpy as np

from sw.datasets import Source
from sw.engine.strategy import Strategy
from sw.engine.training import Training
from sw.metrics import Score
from sw.model import Model

PATIENCE = 600.0  # seconds until processes that wait for each other give up


@dataclass(frozen=True, eq=False)
class Case:
    """What is trained: a network before its first record, on a source that is in memory."""

    source: Source
    model: Model
    strategy: Strategy


@dataclass(frozen=True)
class Trial:
    """One training.

    wall_ns, cpu_ns: of one record's update of the whole network, in the median epoch; by the clock, and in the time
        that the calling thread had a processor. seconds: all of it. score: of the hold-out, if asked for.
    """

    wall_ns: float
    cpu_ns: float
    seconds: float
    score: Score | None


def run_trial(case: Case, threads: int, *, score: bool = False) -> Trial:
    """Train once, in a thread of its own: its stack lies alike in every process, so that times vary less.

    The first epoch, which encodes the records too, and those of pre-training, where groups of addends do the work, are
    in `seconds`; they are among the epochs of the median only if there are no others.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_turn, case, threads, score).result()


def _turn(case: Case, threads: int, score: bool) -> Trial:
    training = Training(case.model, case.source, case.strategy, threads=threads)
    ends, apart = [(time.perf_counter(), time.thread_time())], []
    for report in training.run():
        if report.epoch_done:
            ends.append((time.perf_counter(), time.thread_time()))
            apart.append(report.pretraining)
    counted = ~np.array(apart)
    counted[0] = False
    epochs = np.diff(ends, axis=0)[counted if counted.any() else slice(None)]
    wall, cpu = 1e9 * np.median(epochs, axis=0) / case.source.count("train")
    return Trial(float(wall), float(cpu), ends[-1][0] - ends[0][0], training.score() if score else None)


def independent(case: Case, processes: int, turns: int) -> list[float]:
    """How many times as fast as one process are so many, each training on one thread by itself; turn by turn."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(processes, context) as pool:
        barrier = manager.Barrier(processes)
        futures = [pool.submit(_together, case, barrier, turns, rank) for rank in range(processes)]
        times = np.array([future.result() for future in futures])
    together, alone = times[:, :, 0], times[0, :, 1]
    return (alone / together).sum(axis=0).tolist()


def _together(case: Case, barrier: Barrier, turns: int, rank: int) -> list[tuple[float, float]]:
    """`Trial.wall_ns` with all others at work, and that of the first process alone."""
    run_trial(case, 1)
    times = []
    for _ in range(turns):
        barrier.wait(PATIENCE)
        together = run_trial(case, 1).wall_ns
        barrier.wait(PATIENCE)
        times.append((together, 0.0 if rank else run_trial(case, 1).wall_ns))
    return times
