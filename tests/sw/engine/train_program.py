"""A program that trains, alone or as one of many processes, for tests to start and to kill.

It prints its process id, then the position after each shard, and writes the parameters to a file for each strategy.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from sw.engine import checkpoint
from sw.engine.conversion import parameters_of
from sw.engine.processes import SINGLE_PROCESS, Mpi
from sw.engine.training import Training
from sw.spec.schedule import Phase
from tests.trainings import PHASES, STRATEGIES, model_of, source_of

SHARD = 240


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path, help="directory for the parameters of each strategy, by its name")
    parser.add_argument("strategies", nargs="+")
    parser.add_argument("--mpi", action="store_true")
    parser.add_argument("--models", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=1, help="of the last phase")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--fails", type=int, help="the process of this rank raises an exception after its first shard")
    arguments = parser.parse_args()

    with Mpi() if arguments.mpi else SINGLE_PROCESS as processes:
        print(f"process {processes.rank} {os.getpid()}", flush=True)
        source = source_of()
        for name in arguments.strategies:
            phases = (*PHASES[:-1], Phase(arguments.epochs, PHASES[-1].rates))
            strategy = replace(STRATEGIES[name], models=arguments.models, phases=phases)
            training = Training(model_of(source), source, strategy, processes=processes, shard_records=SHARD)
            reports = training.run()
            if arguments.checkpoint:
                if checkpoint.resume(training, arguments.checkpoint):
                    print(f"resumed {training.state.position}", flush=True)  # in one write: others print, too
                reports = checkpoint.run(training, arguments.checkpoint, seconds=0)
            for report in reports:
                if processes.rank == 0:
                    print(report.position, flush=True)
                if processes.rank == arguments.fails:
                    raise RuntimeError("the disk is full")
            if processes.rank == 0:
                np.save(arguments.results / f"{name}.npy", parameters_of(training.model))


if __name__ == "__main__":
    main()
