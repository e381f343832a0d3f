"""Watch a Kolmogorov-Arnold network train on the gateware of a board: simulated cycle by cycle, fed over its UART.

The floating-point oracle and the fixed-point one train on the same records beside it. At the end every parameter is
read back from the board and compared with the fixed-point oracle's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hw.plan.options import add_design, board_of, search_of
from sw.__main__ import main
from sw.commands.board import open_board
from sw.commands.interrupts import SIGNALS
from sw.commands.options import DATA_HELP, add_data, add_json, data_file, load_data
from sw.commands.progress import TerminalReporter
from sw.commands.stream import TrainingProgress
from sw.commands.training_options import add_epochs, preset_for, scheduled
from sw.commands.verbs import BOARDS, Verb
from sw.outputs import FIGURES, Output, add_force, check, write_json
from sw.presets.catalogue import DEFAULT
from sw.presets.selection import network_options, selected

if TYPE_CHECKING:
    from sw.experiment import Experiment, Outcome
    from sw.spec.configuration import Configuration
    from sw.spec.schedule import Phase

ONLINE = "online"  # as the first argument, stands for the other demo

DEMO = Verb("demo", "watch a network train on the simulated gateware of a board", BOARDS, "scripts.demo", "simulation")

EXAMPLES = ("", "triangle.csv --network triangle --board ulx3s", "norm2 --schedule exact --records 2000", "online")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the command's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    """
    parser.description = __doc__
    parser.add_argument("dataset", nargs="?", default=DEFAULT, help=f"{DATA_HELP} (default: %(default)s)")
    add_design(parser, board="icebreaker", by_data=True)
    add_data(parser)
    add_epochs(parser.add_argument_group("epochs"))
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Train on the virtual board, compare, and show the figures.

    Parameters
    ----------
    options : argparse.Namespace
        The command's.
    reporter : TerminalReporter
        For progress and results.

    Returns
    -------
    int
        The exit status: 1 if a parameter differs.
    """
    check(Output(options.json, FIGURES, "--json"), inputs=[data_file(options.dataset)], force=options.force)
    figures = trained(options, reporter)
    show(figures, reporter)
    write_json(options.json, figures)
    return 0 if figures["parameters_equal"] == figures["parameters"] else 1


def trained(options: argparse.Namespace, reporter: TerminalReporter) -> dict[str, Any]:
    """Train the board and the oracles.

    Parameters
    ----------
    options : argparse.Namespace
        The command's.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    dict
        Every figure.
    """
    with reporter.step("planning"):
        import numpy as np

        from hw.soc.soc import Soc
        from sim.virtual_board import VirtualBoard
        from sw.datasets import MemorySource
        from sw.experiment import Experiment

        began = time.monotonic()
        split = load_data(options)
        base = selected(**network_options(options), otherwise=preset_for(MemorySource(split)))
        preset = scheduled(base, options.epochs, options.pretraining)
        addends, _ = preset.pretraining or (0, 0)
        phases = preset.all_phases(pretraining=addends > 0)
        epochs = sum(phase.epochs for phase in phases)
        experiment = Experiment.begin(preset, split, seed=options.seed)
        asked = vars(options) | {"network": preset, "segments": None, "pretraining": (addends, None)}
        design = search_of(board_of(options), argparse.Namespace(**asked)).design
        board = design.board
        configuration = design.configuration

    lanes = "-".join(str(folding.lanes) for folding in design.foldings)
    reporter.note(
        f"{split.train.name}: {len(split.train)} records x {epochs} epochs, network {preset.network}, "
        f"{preset.network.parameters} parameters, on a virtual {board.name} "
        f"({lanes} lanes, {design.taps} taps, a record every {configuration.initiation_interval} clocks)"
    )
    reporter.note("The oracles train in the background; Verilator compiles the gateware (once a machine).")
    progress = TrainingProgress()
    with workers(2) as pool:
        fixed = pool.submit(train_oracle, experiment, configuration, phases)
        paper = pool.submit(experiment.run_float, epochs, seed=options.seed)
        unquantised = pool.submit(experiment.run_unquantised, phases, addends)
        with reporter.step("compiling the gateware", epochs, "epochs") as progress.step:
            with VirtualBoard(Soc(design), clocks_per_bit=board.clocks_per_bit) as virtual:
                progress.step.update(what="sending records", note=f"to the board at {virtual.port}")
                with open_board(virtual.port, transfer=progress.transfer) as client:
                    client.link.hello(configuration.digest)
                    outcome = experiment.run(client, phases, progress.epoch)
                    cycles = client.cycles
                simulated = virtual.cycles
            progress.step.update(what="waiting for the oracles", note="")
            oracle = fixed.result()
            (pearson_float, rmse_float), (pearson_twin, rmse_twin) = paper.result(), unquantised.result()

    nodes = zip(outcome.model.nodes, oracle.model.nodes, strict=True)
    equal = sum(int(np.count_nonzero(ours == theirs)) for ours, theirs in nodes)
    return {
        "dataset": split.train.name,
        "board": board.name,
        "network": str(preset.network),
        "schedule": options.schedule,
        "pearson": outcome.pearson,
        "rmse": outcome.rmse,
        "pearson_float": pearson_float,
        "rmse_float": rmse_float,
        "pearson_float_twin": pearson_twin,
        "rmse_float_twin": rmse_twin,
        "parameters": preset.network.parameters,
        "parameters_equal": equal,
        "records": len(split.train),
        "holdout": len(split.holdout),
        "width": preset.network.width,
        "epochs": epochs,
        "pretraining_addends": addends,
        "cycles": cycles,
        "simulated_cycles": simulated,
        "clock_mhz": board.clock_hz / 1e6,
        "board_ms": 1e3 * cycles / board.clock_hz,
        "wall_s": time.monotonic() - began,
    }


def show(figures: dict[str, Any], reporter: TerminalReporter) -> None:
    """Show the accuracies side by side, and what was compared.

    Parameters
    ----------
    figures : dict
        Of `trained`.
    reporter : TerminalReporter
        For results.
    """
    from rich.table import Table

    table = Table(title=f"On {figures['holdout']} unseen records", title_justify="left")
    for column in ("", "Pearson", "RMSE"):
        table.add_column(column)
    for name, suffix in (
        (f"gateware, {figures['width']}-bit fixed point", ""),
        ("floating point, same start and schedule", "_float_twin"),
        ("floating point, as in the paper", "_float"),
    ):
        table.add_row(name, f"{figures[f'pearson{suffix}']:.6f}", f"{figures[f'rmse{suffix}']:.5g}")
    reporter.show(
        table,
        f"{figures['parameters_equal']} of {figures['parameters']} parameters equal the fixed-point oracle's. Training "
        f"took {figures['cycles']} clocks: {figures['board_ms']:.1f} ms on the board at {figures['clock_mhz']:g} MHz; "
        f"the demo took {figures['wall_s']:.0f} s.",
    )
    reporter.note(f"Next: kanloom build --board {figures['board']}, or scripts/demo --help.")


def train_oracle(experiment: Experiment, configuration: Configuration, phases: tuple[Phase, ...]) -> Outcome:
    """Train the fixed-point oracle of a board.

    Parameters
    ----------
    experiment : Experiment
        The records and the first nodes.
    configuration : Configuration
        The board's.
    phases : tuple of Phase
        The schedule.
    """
    from sw.oracle.contexts import ContextReference

    return experiment.run(ContextReference.of(configuration, experiment.model.nodes), phases)


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Run processes beside a `with` block; an exception in it ends them.

    Parameters
    ----------
    count : int
        Processes.

    Yields
    ------
    ProcessPoolExecutor
        Their pool.
    """
    with ProcessPoolExecutor(count, initializer=end_silently) as pool:
        try:
            yield pool
        except BaseException:
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def end_silently() -> None:
    """Let Ctrl-C, which a terminal sends to all processes, end this one without a traceback."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def chosen(arguments: Sequence[str]) -> tuple[Verb, str]:
    """Choose the demo that a command line is of.

    Parameters
    ----------
    arguments : sequence of str
        The words after `scripts/demo`.

    Returns
    -------
    verb : Verb
        The demo.
    program : str
        The words that start it.
    """
    if arguments[:1] != [ONLINE]:
        return DEMO, "scripts/demo"
    from scripts import online_demo

    return online_demo.DEMO, f"scripts/demo {ONLINE}"


if __name__ == "__main__":
    demo, program = chosen(sys.argv[1:])
    if demo is not DEMO:
        del sys.argv[1]
    sys.exit(main(demo, program))
