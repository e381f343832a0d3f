"""`kanloom train`: from a data set's name, or a file, to a model file."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any

from sw.commands.interrupts import INTERRUPTED, SIGNALS
from sw.commands.options import (
    DATA_HELP,
    add_data,
    add_json,
    check_folders,
    history_rows,
    open_data,
    tell_notes,
    write_json,
)
from sw.commands.progress import TerminalReporter
from sw.commands.training_options import add_training, preset_of, strategy_of

if TYPE_CHECKING:
    from sw.datasets import Source
    from sw.engine.history import TrainingHistory
    from sw.engine.processes import Processes
    from sw.engine.training import TrainingReport
    from sw.presets.preset import Preset

EXAMPLES = (
    "det4",
    "prices.csv --targets price --threads 2 --json figures.json",
    "norm4 --network 4-16-1 --segments 4,32 --epochs 20 --output norm4.npz",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("dataset", help=DATA_HELP)
    add_data(parser)
    add_training(parser)
    group = parser.add_argument_group("files")
    group.add_argument(
        "--output", type=Path, metavar="FILE", help="where the best model goes (default: the data set's name, .npz)"
    )
    group.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the training's state, written now and then; if it exists, the training goes on from it",
    )
    group.add_argument(
        "--checkpoint-seconds", type=float, default=60, metavar="S", help="between checkpoints (default: %(default)s)"
    )
    add_json(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Train and save the best model.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and the conclusion.

    Returns
    -------
    int
        The exit status.
    """
    with reporter.step("starting"):
        from sw.commands.kernels import preparing
        from sw.engine import checkpoint
        from sw.engine.history import TrainingHistory
        from sw.engine.processes import launched
        from sw.engine.training import Training
        from sw.experiment import first_model

    processes = launched()
    first = processes.rank == 0
    reporter.quiet |= not first
    source = open_data(options)
    tell_notes(source.name, source.notes, reporter.note)
    output = options.output or Path(f"{Path(options.dataset).stem}.npz")
    check_folders(output, options.json, options.checkpoint)
    if output.exists() and output.resolve() == Path(options.dataset).resolve():
        raise ValueError(f"{output} is the data set; name another file with --output")
    preset = preset_of(options, source)
    strategy = strategy_of(options, preset)
    with reporter.step(f"reading the ranges of {source.count('train'):,} records"):
        model = first_model(preset, source, seed=options.seed)
        training = Training(model, source, strategy, threads=options.threads, processes=processes)
    reports = training.run()
    if options.checkpoint:
        if checkpoint.resume(training, options.checkpoint):
            reporter.note(f"Going on from {options.checkpoint}: epochs done {training.state.position.epoch}.")
        reports = checkpoint.run(training, options.checkpoint, options.checkpoint_seconds)
    figures = planned(options, source, preset) | {"processes": processes.size}
    history = TrainingHistory(training)
    began = time.monotonic()
    with processes, stopping() as stop:
        reporter.note(headline(figures))
        total, waiting = figures["epochs"] * figures["records"], preparing(model, strategy.arithmetic)
        report = follow(reports, history, reporter, stop, processes, total=total, waiting=waiting)
        if not first:
            return 0
        history.model.save(output)
    figures |= achieved(history) | {
        "wall_s": time.monotonic() - began,
        "stopped": report.position.epoch < report.epochs,
        "model": str(output),
    }
    if figures["stopped"]:
        reporter.note(f"Stopped after {report.records:,} of {report.total:,} records.")
    reporter.note(conclusion(figures, reporter.program))
    write_json(options.json, figures)
    return INTERRUPTED if figures["stopped"] else 0


def planned(options: argparse.Namespace, source: Source, preset: Preset) -> dict[str, Any]:
    """Return the figures that are known before the training.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    source : Source
        What is trained on.
    preset : Preset
        The network and the schedule.
    """
    from sw.spec.schedule import epochs_in

    strategy = strategy_of(options, preset)
    addends, before = preset.pretraining or (0, 0)
    return {
        "dataset": source.name,
        "records": source.count("train"),
        "holdout": source.count("holdout"),
        "network": str(preset.network),
        "parameters": preset.network.parameters,
        "arithmetic": strategy.arithmetic,
        "threads": options.threads,
        "models": strategy.models,
        "round_records": strategy.round_records,
        "merge": strategy.merging.merge,
        "relaxation": strategy.merging.relaxation,
        "pretraining_addends": addends,
        "pretraining_epochs": before,
        "epochs": epochs_in(strategy.schedule()),
        "seed": options.seed,
    }


def achieved(history: TrainingHistory) -> dict[str, Any]:
    """Return the figures of the best model and of the whole training.

    Parameters
    ----------
    history : TrainingHistory
        Of a training that has ended.
    """
    return {
        "pearson": history.best.pearson,
        "rmse": history.best.rmse,
        "r2": history.best.r2,
        "best_epoch": history.best_epoch,
        "seconds": history.seconds,
        "records_per_s": history.pace,
        "history": history_rows(history.history),
    }


def headline(figures: dict[str, Any]) -> str:
    """Say what will be trained.

    Parameters
    ----------
    figures : dict
        Of `planned`.
    """
    before, epochs = figures["pretraining_epochs"], figures["epochs"]
    return (
        f"{figures['dataset']}: {figures['records']:,} records, {figures['holdout']:,} held out; "
        f"network {figures['network']}, {figures['parameters']:,} parameters; {epochs} epochs"
        f"{f' ({before} of pre-training)' if before else ''}, {figures['arithmetic']}, models {figures['models']}, "
        f"threads {figures['threads']}"
    )


def conclusion(figures: dict[str, Any], program: str) -> str:
    """Say how good the model is, how long that took, and what can be done with it.

    Parameters
    ----------
    figures : dict
        Of `planned` and `achieved`.
    program : str
        The words that start the command line here.
    """
    history, model = figures["history"], Path(figures["model"])
    records = history[figures["best_epoch"] - 1]["records"]
    rate = f" ({figures['records_per_s']:,.0f} records/s of training alone)" if figures["records_per_s"] else ""
    return (
        f"Pearson {figures['pearson']:.5f}, RMSE {figures['rmse']:.5g}, R2 {figures['r2']:.5f} on "
        f"{figures['holdout']:,} unseen records, after {records:,} of training: the best of {len(history)} "
        f"evaluations, in {figures['wall_s']:.2f} s with loading or compiling kernels and evaluating{rate}.\n"
        f"The best model is in {model}. Next:\n"
        f"  {program} plot {model} --output {model.with_suffix('.png')}\n"
        f"  {program} predict {model} FILE"
    )


def follow(
    reports: Generator[TrainingReport],
    history: TrainingHistory,
    reporter: TerminalReporter,
    stop: Event,
    processes: Processes,
    *,
    total: int,
    waiting: str,
) -> TrainingReport:
    """Train, show how far the training is, and evaluate the model after each epoch.

    Parameters
    ----------
    reports : generator of TrainingReport
        It trains a shard at each step.
    history : TrainingHistory
        It evaluates; in the first process only.
    reporter : TerminalReporter
        For progress.
    stop : Event
        Once it is set in the first process, the training ends after the shard.
    processes : Processes
        That train together.
    total : int
        Records in all epochs.
    waiting : str
        What is done before the first report.

    Returns
    -------
    TrainingReport
        The last one.

    Raises
    ------
    ValueError
        If there is nothing left to train.
    """
    report = None
    with reporter.step(waiting, total, "records") as step:
        for report in reports:
            ending = processes.broadcast(stop.is_set())
            history.follow(report)
            pace = f"{history.pace:,.0f} records/s" if history.pace else ""
            what = "pre-training" if report.pretraining else "training"
            if processes.rank == 0 and (report.epoch_done or ending):
                step.update(report.records, what="evaluating", note=pace)
                score = history.evaluate(report)
                pace = ", ".join(filter(None, (pace, f"Pearson {score.pearson:.5f}")))
                reporter.detail(f"epoch {len(history.history)}: Pearson {score.pearson:.5f}, RMSE {score.rmse:.5g}")
            step.update(report.records, what=what, note=pace)
            if ending:
                break
    reports.close()
    if report is None:
        raise ValueError("the checkpoint is of a training that has ended; remove it to train anew")
    return report


@contextmanager
def stopping() -> Iterator[Event]:
    """Set an event for SIGINT and SIGTERM in a `with` block; a second signal ends the program.

    Yields
    ------
    Event
        It is set when the user wants the training to stop.
    """
    event, before = Event(), {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, frame: FrameType | None) -> None:
        restore()
        event.set()
        os.write(2, b"\nstopping after this shard, at once if asked again\n")  # a print might interrupt a print

    for number in before:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        restore()
