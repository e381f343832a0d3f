"""`python -m sw train`: from a data set's name, or a file, to a model file."""

import argparse
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sw.commands.options import (
    DATA_HELP,
    INTERRUPTED,
    add_data,
    add_json,
    check_folders,
    history_rows,
    open_data,
    write_json,
)
from sw.commands.training_options import add_plan, preset_of, strategy_of, training_of
from sw.datasets import Source
from sw.engine import checkpoint
from sw.engine.history import TrainingHistory
from sw.engine.processes import Processes, launched
from sw.engine.training import TrainingReport
from sw.presets.preset import Preset
from sw.spec.schedule import epochs_in


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", help=DATA_HELP)
    add_data(parser)
    add_plan(parser)
    parser.add_argument("--save", type=Path, metavar="FILE", help="of the best model (default: its data set's, .npz)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="go on from it if it is there; write it as the training goes on. The best model is one seen since then",
    )
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=60, metavar="S", help="between checkpoints (default: %(default)s)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    processes = launched()
    first = processes.rank == 0
    console = Console(highlight=False, soft_wrap=True, quiet=not first)
    source = open_data(options)
    save = options.save or Path(f"{Path(options.dataset).stem}.npz")
    check_folders(save, options.json, options.checkpoint)
    if save.exists() and save.resolve() == Path(options.dataset).resolve():
        raise ValueError(f"{save} is the data set; name another file with --save")
    preset = preset_of(options, source)
    with console.status(f"reading the ranges of {source.count('train'):,} records"):
        training = training_of(options, source, preset, processes=processes)
    reports = training.run()
    if options.checkpoint:
        if checkpoint.resume(training, options.checkpoint):
            console.print(f"Going on from {options.checkpoint}: epochs done {training.state.position.epoch}.")
        reports = checkpoint.run(training, options.checkpoint, options.checkpoint_seconds)
    figures = planned(options, source, preset) | {"processes": processes.size}
    course = TrainingHistory(training)
    with processes, stopping() as stop:
        console.print(headline(figures))
        report = follow(reports, course, console, stop, processes, total=figures["epochs"] * figures["records"])
        if not first:
            return 0
        course.model.save(save)
    figures |= achieved(course) | {"stopped": report.position.epoch < report.epochs, "model": str(save)}
    if figures["stopped"]:
        console.print(f"[yellow]Stopped[/] after {report.records:,} of {report.total:,} records.")
    console.print(conclusion(figures), markup=False)
    write_json(options.json, figures)
    return INTERRUPTED if figures["stopped"] else 0


def planned(options: argparse.Namespace, source: Source, preset: Preset) -> dict[str, Any]:
    """The figures that are known before the training."""
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


def achieved(course: TrainingHistory) -> dict[str, Any]:
    """The figures of the training: of its best model, unless they are of all of it."""
    return {
        "pearson": course.best.pearson,
        "rmse": course.best.rmse,
        "r2": course.best.r2,
        "best_epoch": course.best_epoch,
        "seconds": course.seconds,
        "records_per_s": course.pace,
        "history": history_rows(course.history),
    }


def headline(figures: dict[str, Any]) -> str:
    before, epochs = figures["pretraining_epochs"], figures["epochs"]
    return (
        f"[bold]{escape(figures['dataset'])}[/]: {figures['records']:,} records, {figures['holdout']:,} held out; "
        f"network {figures['network']}, {figures['parameters']:,} parameters; {epochs} epochs"
        f"{f' ({before} of pre-training)' if before else ''}, {figures['arithmetic']}, models {figures['models']}, "
        f"threads {figures['threads']}"
    )


def conclusion(figures: dict[str, Any]) -> str:
    history, model = figures["history"], Path(figures["model"])
    records = history[figures["best_epoch"] - 1]["records"]
    pace = f", {figures['records_per_s']:,.0f} records/s" if figures["records_per_s"] else ""
    return (
        f"Pearson {figures['pearson']:.5f}, RMSE {figures['rmse']:.5g}, R2 {figures['r2']:.5f} on "
        f"{figures['holdout']:,} unseen records, after {records:,} of training: the best of {len(history)} "
        f"evaluations. {figures['seconds']:.2f} s{pace}.\n"
        f"The best model is in {model}. Next:\n"
        f"  python -m sw plot {model} --output {model.with_suffix('.png')}\n"
        f"  python -m sw predict {model} FILE"
    )


def follow(
    reports: Generator[TrainingReport],
    course: TrainingHistory,
    console: Console,
    stop: Event,
    processes: Processes,
    *,
    total: int,
) -> TrainingReport:
    """Train, show how far it is, evaluate after each epoch; until the end, or the first shard after `stop` is set in
    the first process, which alone evaluates. Raises ValueError if there is nothing left to train."""
    report = None
    with Progress(
        TextColumn("{task.description:12}"),
        BarColumn(16),
        TextColumn("{task.percentage:3.0f}%"),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[score]}"),
        TimeRemainingColumn(),
        console=console,
        disable=console.quiet,
    ) as progress:
        bar = progress.add_task("preparing", total=total, pace="", score="")
        for report in reports:
            stopping = processes.broadcast(stop.is_set())
            course.follow(report)
            fields: dict[str, Any] = {"description": "pre-training" if report.pretraining else "training"}
            if course.pace:
                fields["pace"] = f"{course.pace:,.0f} records/s"
            if processes.rank == 0 and (report.epoch_done or stopping):
                fields["score"] = f"Pearson {course.evaluate(report).pearson:.5f}"
            progress.update(bar, completed=report.records, **fields)
            if stopping:
                break
    reports.close()
    if report is None:
        raise ValueError("the checkpoint is of a training that has ended; remove it to train anew")
    return report


@contextmanager
def stopping() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; a second one of them ends the program as it would have at first."""
    event, before = Event(), {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

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
