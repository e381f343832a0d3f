"""Measurement of the time that a record's update takes.

Times vary with all else that the computer does: measure many short trials, alternating with those of the baseline.
"""

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
    """A training to measure.

    Attributes
    ----------
    source : Source
        The records, in memory.
    model : Model
        The model before its first record.
    strategy : Strategy
        How it is trained.
    """

    source: Source
    model: Model
    strategy: Strategy


@dataclass(frozen=True)
class Trial:
    """The measurement of one training.

    Attributes
    ----------
    wall_ns : float
        Wall time of one record's update of the whole network, in the median epoch.
    cpu_ns : float
        The same in processor time of the thread that trains.
    seconds : float
        Wall time of the whole training.
    score : Score or None
        The score on the hold-out, if it was asked for.
    """

    wall_ns: float
    cpu_ns: float
    seconds: float
    score: Score | None


def run_trial(case: Case, threads: int, *, score: bool = False) -> Trial:
    """Train once, in a thread of its own: its stack lies alike in every process, so that times vary less.

    The first epoch, which encodes the records too, and those of pre-training, where groups of addends are trained, are
    in `Trial.seconds`; they are among the epochs of the median only if there are no others.

    Parameters
    ----------
    case : Case
        The training.
    threads : int
        Threads that work at a time.
    score : bool, default=False
        Score the model on the hold-out afterwards.

    Returns
    -------
    Trial
        The measurement.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_measure, case, threads, score).result()


def _measure(case: Case, threads: int, score: bool) -> Trial:
    training = Training(case.model, case.source, case.strategy, threads=threads)
    ends, pretraining = [(time.perf_counter(), time.thread_time())], []
    for report in training.run():
        if report.epoch_done:
            ends.append((time.perf_counter(), time.thread_time()))
            pretraining.append(report.pretraining)
    counted = ~np.array(pretraining)
    counted[0] = False
    epochs = np.diff(ends, axis=0)[counted if counted.any() else slice(None)]
    wall, cpu = 1e9 * np.median(epochs, axis=0) / case.source.count("train")
    return Trial(float(wall), float(cpu), ends[-1][0] - ends[0][0], training.score() if score else None)


def independent(case: Case, processes: int, trials: int) -> list[float]:
    """Measure how many times as fast as one process are several that train independently, on one thread each.

    Parameters
    ----------
    case : Case
        The training of each process.
    processes : int
        Their number.
    trials : int
        Measurements of each kind.

    Returns
    -------
    list of float
        The speed-up in each trial.
    """
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(processes, context) as pool:
        barrier = manager.Barrier(processes)
        futures = [pool.submit(_measure_together, case, barrier, trials, rank) for rank in range(processes)]
        times = np.array([future.result() for future in futures])
    together, alone = times[:, :, 0], times[0, :, 1]
    return (alone / together).sum(axis=0).tolist()


def _measure_together(case: Case, barrier: Barrier, trials: int, rank: int) -> list[tuple[float, float]]:
    """Measure `Trial.wall_ns` with all processes at work, and that of the first process alone."""
    run_trial(case, 1)
    times = []
    for _ in range(trials):
        barrier.wait(PATIENCE)
        together = run_trial(case, 1).wall_ns
        barrier.wait(PATIENCE)
        times.append((together, 0.0 if rank else run_trial(case, 1).wall_ns))
    return times
