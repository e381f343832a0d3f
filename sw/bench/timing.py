"""How long trainings take. Machines are noisy: take short turns, many of them, in turn with what is compared."""

import json
import multiprocessing
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import numpy as np

from sw.datasets import Source
from sw.engine.compiled import CompiledFixed, Encoded
from sw.engine.training import Strategy, Training
from sw.experiment import Session
from sw.metrics import Score, pearson
from sw.model import Model
from sw.spec.network import groups_of
from sw.spec.trainer import Phase, Rates

COMPILER = ("gcc", "-O3", "-march=native", "-ffast-math")
PATIENCE = 600.0  # seconds until processes that wait for each other give up
REPEATS = 5  # of a training that takes a few milliseconds


@dataclass(frozen=True, eq=False)
class Case:
    """What is trained: a network before its first record, on a source that is in memory."""

    source: Source
    model: Model
    strategy: Strategy


@dataclass(frozen=True)
class Turn:
    """One training.

    wall_ns, cpu_ns: of one record's update of the whole network, in the median epoch; by the clock, and in the time
        that the calling thread had a processor. seconds: all of it. score: of the hold-out, if asked for.
    """

    wall_ns: float
    cpu_ns: float
    seconds: float
    score: Score | None


def turn(case: Case, threads: int, *, score: bool = False) -> Turn:
    """Train once, in a thread of its own: its stack lies alike in every process, so that times vary less.

    The first epoch, which encodes the records too, and those of pre-training, where groups of addends do the work, are
    in `seconds`; they are among the epochs of the median only if there are no others.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_turn, case, threads, score).result()


def _turn(case: Case, threads: int, score: bool) -> Turn:
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
    return Turn(float(wall), float(cpu), ends[-1][0] - ends[0][0], training.score() if score else None)


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
    """`Turn.wall_ns` with all others at work, and that of the first process alone."""
    turn(case, 1)
    times = []
    for _ in range(turns):
        barrier.wait(PATIENCE)
        together = turn(case, 1).wall_ns
        barrier.wait(PATIENCE)
        times.append((together, 0.0 if rank else turn(case, 1).wall_ns))
    return times


@dataclass(frozen=True)
class Yardstick:
    """A program to compare with, `./program EPOCHS SEED`: it prints {"ns_per_update": ..., "pearson": ..., ...}."""

    source: Path
    program: Path

    @classmethod
    @contextmanager
    def compiled(cls, source: Path) -> Iterator["Yardstick"]:
        """A C file's. Raises ValueError if it cannot be compiled."""
        if not source.is_file():
            raise ValueError(f"{source}: there is no such file")
        if not shutil.which(COMPILER[0]):
            raise ValueError(f"{source} cannot be compiled: there is no {COMPILER[0]}")
        with TemporaryDirectory() as folder:
            program = Path(folder) / source.stem
            command = [*COMPILER, "-o", str(program), str(source), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise ValueError(f"{source} cannot be compiled: {done.stderr}")
            yield cls(source, program)

    def run(self, epochs: int, seed: int) -> dict[str, float]:
        done = subprocess.run([self.program, str(epochs), str(seed)], capture_output=True, text=True)
        names = "ns_per_update", "pearson"
        try:
            figures = json.loads(done.stdout)
            return {name: float(figures[name]) for name in names}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{self.source} printed {done.stdout!r} (exit code {done.returncode}), not JSON of {', '.join(names)}"
            ) from error


@dataclass(frozen=True)
class Reached:
    """How far a training came until unseen records were predicted well, or it was over.

    `visits`: records trained on, each as often as it was. `passes`: in which they were.
    """

    reached: bool
    visits: int
    passes: int
    pearson: float


class Approach:
    """A session's model on its way to an accuracy in fixed point, by the schedule `phases`, `step` records a pass.

    `pretraining`: addends of a group that is trained alone in phases that are so. Raises ValueError for a step of no
    record, and for groups that the network cannot have.
    """

    def __init__(self, session: Session, phases: tuple[Phase, ...], *, step: int, pretraining: int = 0):
        if step < 1:
            raise ValueError(f"passes of {step} records: must be 1 or more")
        self._session, self._phases, self._step = session, phases, step
        network = session.model.network
        self._groups = tuple(start for start, _ in groups_of(network, pretraining)) if pretraining else ()
        self._machines = self._machines_of(())
        self._records = self._machines[False].encode(session.records)

    def _machines_of(self, delays: tuple[int, ...]) -> dict[bool, CompiledFixed]:
        """By whether groups are trained alone."""
        model, groups = self._session.model, {False: (), True: self._groups}
        return {
            apart: CompiledFixed(model.network, model.nodes, delays, groups=starts, counting=False)
            for apart, starts in groups.items()
        }

    def run(self, goal: float, *, delays: tuple[int, ...]) -> Reached:
        """Train with these delays until the hold-out's Pearson is the goal, judged after each pass."""
        model, holdout = self._session.model, self._session.split.holdout
        machines = self._machines_of(delays)
        unseen = machines[False].encode(model.encode(holdout.features, holdout.targets))
        visits, passes, found = 0, 0, 0.0
        for machine, part, rates in self._passes(machines, self._step):
            machine.run(part, rates)
            visits, passes = visits + len(part), passes + 1
            found = pearson(model.decode(machine.results(unseen)), holdout.targets)
            if found >= goal:
                return Reached(True, visits, passes, found)
        return Reached(False, visits, passes, found)

    def cpu_seconds(self, visits: int) -> float:
        """What so many visits take without delays, an epoch at a time: process time, the least of `REPEATS`."""
        return min(self._timed(visits) for _ in range(REPEATS))

    def _timed(self, visits: int) -> float:
        self._machines[self._phases[0].apart].nodes = self._session.model.nodes
        begun = time.process_time()
        for machine, part, rates in self._passes(self._machines, len(self._records)):
            if len(part) >= visits:
                machine.run(next(part.rounds(visits, self._features)), rates)
                break
            machine.run(part, rates)
            visits -= len(part)
        return time.process_time() - begun

    def _passes(self, machines: dict[bool, CompiledFixed], size: int) -> Iterator[tuple[CompiledFixed, Encoded, Rates]]:
        """The records of the whole schedule in order, `size` of an epoch at a time, and the machine that is to train on
        them; it takes over the nodes of the one before."""
        last = machines[self._phases[0].apart]
        for phase in self._phases:
            machine = machines[phase.apart]
            if machine is not last:
                machine.nodes = last.nodes
            last = machine
            for _ in range(phase.epochs):
                for part in self._records.rounds(size, self._features):
                    yield machine, part, phase.rates

    @property
    def _features(self) -> int:
        return self._session.model.network.features
