"""`kanloom stream`: train a board, real or virtual, over its serial port."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.board import add_port, open_board
from sw.commands.options import DATA_HELP, add_data, add_json, check_folders, load_data, tell_notes, write_json
from sw.commands.progress import TerminalReporter
from sw.commands.training_options import add_epochs, add_pretraining, preset_for, scheduled
from sw.presets.catalogue import PRESETS
from sw.presets.preset import Preset, shaped
from sw.presets.selection import preset
from sw.spec.options import Groups

if TYPE_CHECKING:
    from sw.commands.progress import TerminalStep
    from sw.datasets import Source
    from sw.spec.network import Network
    from sw.spec.trainer import Statistics

EXAMPLES = (
    "norm2 --port /dev/ttyUSB1",
    "prices.csv --targets price --port /dev/ttyUSB1 --output prices.npz",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} The board says which network it trains. A named data set has a schedule of its own; for "
        "a file, a rule chooses one by the number of records."
    )
    parser.add_argument("dataset", help=DATA_HELP)
    add_port(parser)
    add_data(parser)
    group = parser.add_argument_group("training")
    group.add_argument(
        "--network",
        type=preset,
        metavar="PRESET",
        help=f"whose schedule is taken: {', '.join(PRESETS)} (default: by the data)",
    )
    add_epochs(group)
    add_pretraining(group)
    group = parser.add_argument_group("files")
    group.add_argument("--output", type=Path, metavar="FILE", help="where the trained model goes, .npz")
    add_json(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Train the board and say how good its model is.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and results.

    Returns
    -------
    int
        The exit status.
    """
    from sw.datasets import MemorySource
    from sw.experiment import Experiment

    check_folders(options.output, options.json)
    began = time.monotonic()
    split = load_data(options)
    tell_notes(split.train.name, split.notes, reporter.note)
    progress = TrainingProgress()
    with open_board(options.port, options.baud, transfer=progress.transfer) as board:
        schedule, name = schedule_for(MemorySource(split), options.network, board.network)
        groups = groups_for(board.pretraining, options.pretraining)
        chosen = scheduled(schedule, options.epochs, groups)
        phases = chosen.all_phases(pretraining=board.pretraining > 0)
        epochs = sum(phase.epochs for phase in phases)
        reporter.note(
            f"{split.train.name}: {len(split.train):,} records, {len(split.holdout):,} held out; {board.network} on "
            f"{board.configuration.board}; {epochs} epochs by {name}"
        )
        experiment = Experiment.begin(chosen, split, seed=options.seed, network=board.network)
        with reporter.step("sending records", epochs, "epochs") as progress.step:
            outcome = experiment.run(board, phases, progress.epoch)
        figures = {
            "board": board.configuration.board,
            "network": str(board.network),
            "schedule": name,
            "pearson": outcome.pearson,
            "rmse": outcome.rmse,
            "records": len(split.train),
            "epochs": epochs,
            "pretraining_epochs": sum(phase.epochs for phase in phases if phase.pretraining),
            "cycles": board.cycles,
            "board_ms": 1e3 * board.cycles / board.configuration.clock_hz,
            "link_errors": board.counters(),
            "wall_s": time.monotonic() - began,
        }
    reporter.show(
        f"Pearson {outcome.pearson:.5f}, RMSE {outcome.rmse:.5g} on {len(split.holdout):,} unseen records. The board "
        f"trained for {figures['cycles']:,} clocks, {figures['board_ms']:.1f} ms at its clock."
    )
    if options.output:
        outcome.model.save(options.output)
        reporter.note(f"The model is in {options.output}.")
    write_json(options.json, figures)
    return 0


def schedule_for(source: Source, chosen: Preset | None, network: Network) -> tuple[Preset, str]:
    """Choose the schedule that fits the data, for the network that a board has.

    Parameters
    ----------
    source : Source
        The data.
    chosen : Preset or None
        One that the user named.
    network : Network
        The board's.

    Returns
    -------
    preset : Preset
        The schedule, the headroom and the spreads, with the board's network.
    name : str
        What the schedule is, in words.
    """
    if chosen:
        name = f"the schedule of {next(name for name, each in PRESETS.items() if each is chosen)}"
    elif source.name in PRESETS:
        name = f"the schedule of {source.name}"
    else:
        name = f"the schedule for {source.count('train'):,} records of any data (sw/presets/by_size.py)"
    sizes = (network.features, *(layer.outputs for layer in network.layers))
    segments = tuple(layer.segments for layer in network.layers)
    return replace(shaped(chosen or preset_for(source), sizes, segments), network=network), name


def groups_for(board: int, asked: Groups | None) -> Groups | None:
    """Check the groups of pre-training that the user wants against those that a board has.

    Parameters
    ----------
    board : int
        Addends of the board's groups, 0 for a board without.
    asked : tuple of int and (int or None), or None
        What `--pretraining` said.

    Returns
    -------
    tuple of int and (int or None), or None
        The same.

    Raises
    ------
    ValueError
        For groups that the board does not have.
    """
    if asked and asked[0] not in (0, board):
        has = f"groups of {board} addends" if board else "no groups of addends"
        raise ValueError(f"--pretraining {asked[0]}: the board has {has}; build it with --pretraining {asked[0]}")
    return asked


class TrainingProgress:
    """Shows the records on the wire and the epochs of the training in one step.

    Attributes
    ----------
    step : TerminalStep or None
        Where it is shown.
    """

    step: TerminalStep | None = None

    def transfer(self, done: int, total: int) -> None:
        """Show the progress of records on the wire.

        Parameters
        ----------
        done, total : int
            Words on the board, and words in all.
        """
        if self.step:
            self.step.update(note=f"{done / total:.0%} of the records on the board")

    def epoch(self, done: int, total: int, statistics: Statistics) -> None:
        """Show the progress of the training.

        Parameters
        ----------
        done, total : int
            Epochs.
        statistics : Statistics
            Of the last one.
        """
        if self.step:
            self.step.update(done, what="training", note=f"mean |residual| {statistics.mean_residual:.1f}")
