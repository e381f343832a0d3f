"""`python -m sw train`: from a data set's name, or a file, to a model file."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sw.commands.options import DATA_HELP, add_data, add_json, check_folders, history_rows, open_data, write_json
from sw.commands.plan import add_plan, preset_of, strategy_of, training_of
from sw.course import Course
from sw.training import Report, Training

INTERRUPTED = 130


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", help=DATA_HELP)
    add_data(parser)
    add_plan(parser)
    parser.add_argument("--save", type=Path, metavar="FILE", help="of the best model (default: its data set's, .npz)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    console = Console(highlight=False, soft_wrap=True)
    source = open_data(options)
    save = options.save or Path(f"{Path(options.dataset).stem}.npz")
    check_folders(save, options.json)
    if save.exists() and save.resolve() == Path(options.dataset).resolve():
        raise ValueError(f"{save} is the data set; name another file with --save")
    preset = preset_of(options, source)
    strategy = strategy_of(options, preset)
    records, holdout, network = source.count("train"), source.count("holdout"), preset.network
    before, after = preset.pretraining[1] if preset.pretraining else 0, sum(phase.epochs for phase in preset.phases)
    with console.status(f"reading the ranges of {records:,} records"):
        training = training_of(options, source, preset)
    course = Course(training)
    with stopping() as stop:
        console.print(
            f"[bold]{escape(source.name)}[/]: {records:,} records, {holdout:,} held out; network {network}, "
            f"{network.parameters:,} parameters; epochs {f'{before} of pre-training + ' if before else ''}{after}, "
            f"{strategy.arithmetic}, models {strategy.models}, threads {options.threads}"
        )
        report = follow(training, course, console, stop, total=(before + after) * records)
        course.model.save(save)
    best = course.best
    stopped = report.position.epoch < report.epochs
    if stopped:
        console.print(f"[yellow]Stopped[/] after {report.records:,} of {report.total:,} records.")
    console.print(
        f"Pearson {best.pearson:.5f}, RMSE {best.rmse:.5g}, R2 {best.r2:.5f} on {holdout:,} unseen records: epoch "
        f"{course.best_epoch}, the best of {len(course.history)}. Training took {course.seconds:.2f} s"
        f"{f', at {course.pace:,.0f} records/s' if course.pace else ''}."
    )
    console.print(f"The best model is in {save}. Next:", markup=False)
    console.print(f"  python -m sw plot {save} --output {save.with_suffix('.png')}", markup=False)
    console.print(f"  python -m sw predict {save} FILE", markup=False)
    figures = {
        "dataset": source.name,
        "records": records,
        "holdout": holdout,
        "network": str(network),
        "parameters": network.parameters,
        "arithmetic": strategy.arithmetic,
        "threads": options.threads,
        "models": strategy.models,
        "round_records": strategy.round_records,
        "merge": strategy.merging.merge,
        "relaxation": strategy.merging.relaxation,
        "pretraining_addends": preset.pretraining[0] if preset.pretraining else None,
        "pretraining_epochs": before,
        "epochs": before + after,
        "seed": options.seed,
        "pearson": best.pearson,
        "rmse": best.rmse,
        "r2": best.r2,
        "best_epoch": course.best_epoch,
        "seconds": course.seconds,
        "records_per_s": course.pace,
        "stopped": stopped,
        "model": str(save),
        "history": history_rows(course.history),
    }
    write_json(options.json, figures)
    return INTERRUPTED if stopped else 0


def follow(training: Training, course: Course, console: Console, stop: Event, *, total: int) -> Report:
    """Train, show how far it is, evaluate after each epoch; until the end, or the first shard after `stop` is set."""
    with Progress(
        TextColumn("{task.description:12}"),
        BarColumn(16),
        TextColumn("{task.percentage:3.0f}%"),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[score]}"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("preparing", total=total, pace="", score="")
        for report in training.run():
            stopping = stop.is_set()
            course.follow(report)
            fields: dict[str, Any] = {"description": "pre-training" if report.pretraining else "training"}
            if course.pace:
                fields["pace"] = f"{course.pace:,.0f} records/s"
            if report.epoch_done or stopping:
                fields["score"] = f"Pearson {course.evaluate(report).pearson:.5f}"
            progress.update(bar, completed=report.records, **fields)
            if stopping:
                break
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

    for number in before:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        restore()
