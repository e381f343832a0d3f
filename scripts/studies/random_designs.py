"""Random designs, on which everything that trains in fixed point must agree bit for bit.

    python scripts/studies/random_designs.py --designs 5000 --json designs.json
    python scripts/studies/random_designs.py --designs 100 --verilated 5

A design has a random network, folding, word, schedule, board, contexts, groups for pre-training and windows of rates;
it gets random nodes and records, at the ends of every range in half of the cases, for one or two passes of any kind.
The oracle, the gateware in Amaranth's simulator, for some networks the compiled kernels, and for a few designs the
virtual board must give the same results, statistics, nodes and chance words; the gateware, the clocks of its schedule.
Its node memories invert what is read in the clock of a write.

Of a design that disagrees the smallest like it is looked for, and the command is printed that repeats it.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from shlex import quote
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.console import Console
from rich.progress import Progress

from hw.datapath import node_bank
from hw.soc.soc import Soc
from scripts.studies.design_cases import KERNEL_NETWORKS, Case, cases
from scripts.studies.figures import add_json, check_outputs
from sim.simulated_trainer import SimulatedTrainer
from sim.virtual_board import VirtualBoard
from sw.device.client import BoardClient
from sw.engine.compiled import CompiledFixed
from sw.oracle.contexts import ContextReference, Contexts
from sw.outputs import write_json
from sw.spec.bounds import SEEDS
from sw.spec.options import whole
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics, Trainer
from tests.hw.datapath.memories import UnkindMemory

COMMAND = "python scripts/studies/random_designs.py --design"


class DisagreementError(Exception):
    """Something trains a case otherwise than the oracle, or fails; the message has the command that repeats it."""


def check(case: Case) -> None:
    """Train a case with everything that can, and compare.

    Raises
    ------
    DisagreementError
        If anything differs from the oracle, or fails.
    """
    try:
        with trainers_of(case) as trainers:
            compare(case, trainers)
    except Exception as error:
        raise DisagreementError(f"{type(error).__name__}: {error}\n{COMMAND} {quote(case.describe())}") from error


@contextmanager
def trainers_of(case: Case) -> Iterator[dict[str, Trainer]]:
    """Make the trainers of a case, by name."""
    design, configuration, (nodes, _) = case.design, case.design.configuration, case.data
    with ExitStack() as stack:
        stack.enter_context(patch.object(node_bank, "Memory", UnkindMemory))
        trainers: dict[str, Trainer] = {
            "simulator": SimulatedTrainer(
                design.network,
                nodes,
                design.foldings,
                technology=design.board.technology,
                exact=design.exact,
                pretraining=design.pretraining,
                contexts=design.contexts,
                back_windows=design.back_windows,
            )
        }
        if case.compiled:
            kernels = [
                CompiledFixed(design.network, nodes, configuration.staleness, pretraining=design.pretraining)
                for _ in range(design.contexts)
            ]
            trainers["kernels"] = Contexts(kernels, configuration.block)
        if case.verilated:
            board = VirtualBoard(Soc(design), clocks_per_bit=design.board.clocks_per_bit)
            with patch.object(node_bank, "Memory", UnkindMemory.__base__):  # those of the real gateware
                stack.enter_context(board)
            trainers["virtual board"] = stack.enter_context(BoardClient.open(board.port))
        yield trainers


def compare(case: Case, trainers: dict[str, Trainer]) -> None:
    """Run the passes of a case; after each, all trainers must have given and left what the oracle does."""
    nodes, _ = case.data
    oracle = ContextReference.of(case.design.configuration, nodes)
    for trainer in trainers.values():
        trainer.nodes, trainer.chance = nodes, oracle.chance
    for number, (does, rates) in enumerate(case.passes):
        expected = outcome(case, oracle, does, rates)
        for name, trainer in trainers.items():
            where = f"pass {number}, {does}, {name}"
            if does == "mixed" and not isinstance(trainer, SimulatedTrainer):  # nothing else can
                trainer.nodes, trainer.chance = oracle.nodes, oracle.chance
                continue
            differences(where, outcome(case, trainer, does, rates), expected)
            if isinstance(trainer, SimulatedTrainer):
                check_clocks(where, case, trainer)
            if not all(map(np.array_equal, trainer.nodes, oracle.nodes)):
                raise AssertionError(f"{where}: other nodes than the oracle's")
            if trainer.chance != oracle.chance:
                raise AssertionError(f"{where}: chance word {trainer.chance}, not {oracle.chance}")


def outcome(case: Case, trainer: Any, does: str, rates: Rates) -> tuple[np.ndarray | None, Statistics | None]:
    """Run a pass; return its results and its statistics, None for what it does not give."""
    _, records = case.data
    match does:
        case "train":
            return None, trainer.train(records, rates)
        case "pretrain":
            return None, trainer.pretrain(records, rates)
        case "predict":
            return trainer.predict(records.arguments), None
        case "mixed":
            return trainer.run(records, case.trained, rates)
        case _:
            return trainer.predict_and_train(records, rates)


def differences(where: str, found: tuple, expected: tuple) -> None:
    """Raise AssertionError unless results and statistics are the same."""
    if not np.array_equal(found[0], expected[0]):
        raise AssertionError(f"{where}: results {np.array(found[0]).tolist()}, not {np.array(expected[0]).tolist()}")
    if found[1] != expected[1]:
        raise AssertionError(f"{where}: {found[1]}, not {expected[1]}")


def check_clocks(where: str, case: Case, trainer: SimulatedTrainer) -> None:
    """Raise AssertionError unless a pass took the clocks of its schedule, of a design without a merge."""
    if case.design.contexts > 1 or not case.records:
        return
    schedule = case.design.plan.schedule
    clocks = (case.records - 1) * schedule.initiation_interval + schedule.latency
    if trainer.cycles != clocks:
        raise AssertionError(f"{where}: {trainer.cycles} clocks, not {clocks}")


@dataclass
class Tally:
    """Counts of the designs that agreed."""

    designs: int = 0
    passes: int = 0
    records: int = 0
    traits: Counter[str] | None = None

    def add(self, case: Case) -> None:
        """Count a case."""
        design = case.design
        self.designs += 1
        self.passes += len(case.passes)
        self.records += len(case.passes) * case.records
        form = ", low latency" if design.board.technology.operations_per_stage > 1 else ""
        self.traits = (self.traits or Counter()) + Counter(
            [
                f"{len(design.network.layers)} layers",
                f"{design.contexts} contexts",
                f"board {design.board.name}{form}",
                f"schedule {'exact' if design.exact else 'delayed'}",
                f"fine bits {design.network.fine}",
                f"word {design.network.width}",
                f"data {case.kind}",
                *(f"pass {does}" for does, _ in case.passes),
                *(["compiled kernels"] if case.compiled else []),
                *(["virtual board"] if case.verilated else []),
                *(["groups for pre-training"] if design.pretraining else []),
            ]
        )


def search(
    designs: int,
    first_seed: int,
    *,
    kernel_networks: int = len(KERNEL_NETWORKS),
    verilated_in: int = 0,
    smallest: bool = True,
    checked: Callable[[Case], None] = lambda case: None,
) -> None:
    """Draw designs and check each.

    Parameters
    ----------
    designs : int
        How many.
    first_seed : int
        Of Hypothesis: the same seed draws the same designs.
    kernel_networks, verilated_in : int
        As `scripts.studies.design_cases.cases` takes them.
    smallest : bool
        Whether the smallest case is looked for that disagrees; otherwise the first one is raised.
    checked : callable
        Called with each case that agreed.

    Raises
    ------
    DisagreementError
        For a case that disagrees, if any does.
    """

    @seed(first_seed)
    @settings(
        max_examples=designs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if smallest else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(cases(kernel_networks=kernel_networks, verilated_in=verilated_in))
    def agree(case: Case) -> None:
        check(case)
        checked(case)

    agree()


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status: 1 if a design disagrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=whole(1, 10**7), default=100, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=whole(*SEEDS), default=1, help="draws other designs (default: %(default)s)")
    parser.add_argument(
        "--verilated",
        type=whole(0, 10**7),
        default=100,
        metavar="N",
        help="about one design in N also trains on a virtual board, which takes many seconds to compile; 0 for none "
        "(default: %(default)s)",
    )
    parser.add_argument("--design", metavar="JSON", help="check this one, as a failure prints it")
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)
    tally, began = Tally(), time.monotonic()
    try:
        if options.design:
            case = Case.from_text(options.design)
            check(case)
            tally.add(case)
        else:
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task("designs", total=options.designs)

                def checked(case: Case) -> None:
                    tally.add(case)
                    progress.update(task, advance=1)

                search(options.designs, options.seed, verilated_in=options.verilated, checked=checked)
    except DisagreementError as error:
        print(f"after {tally.designs} designs that agreed, one does not: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        parser.error(str(error))
    figures = {
        "designs": tally.designs,
        "passes": tally.passes,
        "records": tally.records,
        "seconds": round(time.monotonic() - began, 1),
        "traits": dict(sorted((tally.traits or {}).items())),
    }
    Console(highlight=False).print(
        f"{tally.designs} designs, {tally.passes} passes, {tally.records} records: all agree"
    )
    write_json(options.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
