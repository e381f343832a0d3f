"""`kanloom stream`: train a board, real or virtual, over its serial port."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands import board_checkpoint
from sw.commands.advice import advice, shares
from sw.commands.board import KEEP_SECONDS, add_port, open_lasting
from sw.commands.board_checkpoint import BoardCheckpoint
from sw.commands.keeping import check_predecessor, judge_on, keep
from sw.commands.options import DATA_HELP, add_data, add_json, load_data, load_model, tell_notes
from sw.commands.progress import TerminalReporter
from sw.commands.rescue import Rescue
from sw.commands.scores import score_figures, score_lines, score_text
from sw.commands.starting import add_from, check_start, files_read, for_network, model_file
from sw.commands.training_options import add_epochs, add_pretraining, preset_for, scheduled
from sw.outputs import FIGURES, Output, add_force, check, write_json
from sw.presets.catalogue import BY_NAME, PRESETS
from sw.presets.preset import Preset
from sw.presets.selection import preset
from sw.spec.bounds import SECONDS
from sw.spec.options import Groups, real

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
        "a file, a rule chooses one by the number of records. A board that was lost is looked for; one that was "
        "reset goes on from the nodes that were read last, to the same bits. Ctrl-C and a board that does not come "
        "back leave the nodes that were trained so far in the output."
    )
    parser.add_argument("dataset", help=DATA_HELP)
    add_port(parser, lasting=True)
    add_data(parser)
    group = parser.add_argument_group("training")
    group.add_argument(
        "--network",
        type=preset,
        metavar="PRESET",
        help=f"whose schedule is taken: {', '.join(BY_NAME)} (default: by the data)",
    )
    add_epochs(group)
    add_pretraining(group)
    group = parser.add_argument_group("files")
    add_from(group)
    group.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the trained model goes (default: the data set's name, .npz); if a better model is there, a number "
        "is added to the name",
    )
    group.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the board's nodes, written now and then; if it exists, the training goes on from it, to the same bits",
    )
    group.add_argument(
        "--checkpoint-seconds",
        type=real(*SECONDS),
        default=KEEP_SECONDS,
        metavar="S",
        help="between readings of the board's nodes, with --checkpoint or without (default: %(default)g)",
    )
    add_json(parser)
    add_force(parser)


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
    from sw.commands.load import check_fixed, check_network
    from sw.datasets import MemorySource
    from sw.device.errors import BoardError, LinkError
    from sw.experiment import Experiment
    from sw.metrics import Score
    from sw.model import MODEL_FILE

    output = model_file(options)
    check(
        Output(output, MODEL_FILE),
        board_checkpoint.output(options.checkpoint),
        Output(options.json, FIGURES, "--json"),
        inputs=files_read(options, output),
        force=options.force,
    )
    began = time.monotonic()
    start = load_model(options.start) if options.start else None
    split = load_data(options, start)
    source = MemorySource(split)
    check_predecessor(output, source.feature_names, source.target_names, force=options.force)
    if start:
        check_start(start, options.start, source)
        check_fixed(start, options.start)
    tell_notes(split.train.name, split.notes, reporter.note)
    progress = TrainingProgress()
    rescue = Rescue()
    with open_lasting(
        options,
        reporter,
        transfer=progress.transfer,
        keep_seconds=options.checkpoint_seconds,
        kept=rescue.kept,
    ) as board:
        if start:
            check_network(board, start, options.start, options.port)
        schedule, name = schedule_for(source, options.network, board.network)
        if start:
            schedule = replace(schedule, pretraining=None)
        groups = groups_for(board.pretraining, options.pretraining)
        chosen = scheduled(schedule, options.epochs, groups)
        phases = chosen.all_phases(pretraining=board.pretraining > 0)
        epochs = sum(phase.epochs for phase in phases)
        reporter.note(
            f"{split.train.name}: {len(split.train):,} records, {len(split.holdout):,} held out; {board.network} on "
            f"{board.configuration.board}; {epochs} epochs by {name}"
        )
        if start:
            experiment = Experiment.of(start, split)
        else:
            experiment = Experiment.begin(chosen, split, seed=options.seed, network=board.network)
        checkpoint, done = None, 0
        if options.checkpoint:
            checkpoint = BoardCheckpoint(options.checkpoint, experiment, phases, board.configuration)
            if found := checkpoint.load():
                nodes, done = found
                experiment = replace(experiment, model=replace(experiment.model, nodes=nodes))
                reporter.note(f"Going on from {options.checkpoint}: {done:,} record updates are done.")
        rescue.begin(board, experiment, epochs, checkpoint, done)
        try:
            with reporter.step("sending records", epochs, "epochs") as progress.step:
                outcome = experiment.run(board, phases, progress.epoch, done=done)
            if checkpoint:
                checkpoint.save(outcome.model.nodes, epochs * len(experiment.records))
        except (KeyboardInterrupt, BoardError, LinkError, OSError):
            print(rescue.save(output, force=options.force), file=sys.stderr)
            raise
        model = replace(outcome.model, history=None)
        with reporter.step(f"saving {output}"):
            saved, remark = keep(model, output, judge_on(source, 1), force=options.force)
        score = Score()
        score.add(outcome.predicted, split.holdout.targets)
        figures = {
            "board": board.configuration.board,
            "network": str(board.network),
            "schedule": name,
            "from": str(options.start) if options.start else None,
            **score_figures(score, split.holdout.target_names),
            "records": len(split.train),
            "epochs": epochs,
            "pretraining_epochs": sum(phase.epochs for phase in phases if phase.pretraining),
            "link_losses": board.losses,
            "cycles": board.cycles,
            "board_ms": 1e3 * board.cycles / board.configuration.clock_hz,
            "counted": shares(board.network, outcome.statistics),
            "link_errors": board.counters(),
            "line": board.hints(),
            "wall_s": time.monotonic() - began,
            "model": str(saved),
        }
    try:
        said = score_text(figures)
        reporter.show(
            f"{said[0].upper()}{said[1:]} on {len(split.holdout):,} unseen records. The board trained for "
            f"{figures['cycles']:,} clocks, {figures['board_ms']:.1f} ms at its clock.",
            *score_lines(figures),
            *advice(board.network, outcome.statistics),
            *figures["line"],
            " ".join(filter(None, (remark, f"The model is in {saved}."))),
        )
    finally:
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
        name = f"the schedule of {next(name for name, each in BY_NAME.items() if each is chosen)}"
    elif source.name in PRESETS:
        name = f"the schedule of {source.name}"
    else:
        name = f"the schedule for {source.count('train'):,} records of any data (sw/presets/by_size.py)"
    return for_network(chosen or preset_for(source), network), name


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
