"""`kanloom train`: from a data set's name, or a file, to a model file."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sw.commands.advice import advice, shares
from sw.commands.interrupts import INTERRUPTED, newly_set, stopping
from sw.commands.keeping import check_predecessor, judge_on, keep
from sw.commands.options import (
    DATA_HELP,
    add_data,
    add_json,
    history_rows,
    load_model,
    open_data,
    tell_notes,
)
from sw.commands.progress import TerminalReporter
from sw.commands.scores import score_figures, score_lines, score_text
from sw.commands.starting import add_from, check_start, files_read, goes_back, model_file, preset_from
from sw.commands.training_options import add_training, preset_of, strategy_of
from sw.outputs import FIGURES, Output, OutputError, add_force, check, write_json
from sw.presets.selection import refuse_network
from sw.spec.bounds import SECONDS
from sw.spec.options import real

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
    "det4 --from det4.npz --epochs 5",
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
    add_from(group)
    group.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the best model goes (default: the data set's name, .npz); if a better model is there, a number is "
        "added to the name",
    )
    group.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the training's state, written now and then; if it exists, the training goes on from it, also to more "
        "--epochs",
    )
    group.add_argument(
        "--checkpoint-seconds",
        type=real(*SECONDS),
        default=60,
        metavar="S",
        help="between checkpoints (default: %(default)s)",
    )
    add_json(parser)
    add_force(parser)


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
        from sw.experiment import first_model, with_counts

    output = model_file(options)
    check_files(options, output)
    processes = launched()
    first = processes.rank == 0
    reporter.quiet |= not first
    model = load_model(options.start) if options.start else None
    source = open_data(options, model)
    check_predecessor(output, source.feature_names, source.target_names, force=options.force)
    if model:
        check_start(model, options.start, source)
    preset = preset_from(model, options, source) if model else preset_of(options, source)
    tell_notes(source.name, source.notes, reporter.note)
    strategy = strategy_of(options, preset)
    with reporter.step(f"reading the ranges of {source.count('train'):,} records"):
        begun = replace(model, statistics=None) if model else first_model(preset, source, seed=options.seed)
        training = Training(begun, source, strategy, threads=options.threads, processes=processes)
    history = TrainingHistory(training, begun.history)
    reports = training.run()
    if options.checkpoint:
        # A file of another kind is there only if --force replaces it.
        if checkpoint.found(options.checkpoint) and checkpoint.resume(training, options.checkpoint, history):
            reporter.note(f"Going on from {options.checkpoint}: epochs done {training.state.position.epoch}.")
        reports = checkpoint.run(training, options.checkpoint, options.checkpoint_seconds, history)
    figures = planned(options, source, preset) | {"processes": processes.size}
    began, failure = time.monotonic(), None
    with processes, stopping() as stop:
        reporter.note(headline(figures))
        total, waiting = figures["epochs"] * figures["records"], preparing(begun, strategy.arithmetic)
        judge_first = model is not None and not history.best_epoch
        try:
            follow(reports, history, reporter, stop, processes, total=total, waiting=waiting, judge_first=judge_first)
        except OutputError as error:  # of the last checkpoint: the training itself has come to its end
            failure = error
        except BaseException:
            if first and (history.report or history.best_epoch):
                saved, remark = keep(history.model, output, None, force=options.force)
                print(f"the best model so far is in {saved}. {remark}".rstrip(), file=sys.stderr)
            raise
        if not first:
            return 0
        judge = judge_on(source, options.threads, newly_set(stop)) if history.best_epoch else None
        with reporter.step(f"saving {output}"):
            trained = with_counts(history.model, source, preset.phases[-1].rates)
            saved, remark = keep(trained, output, judge, force=options.force)
    stopped = training.records_done < total or history.behind
    figures |= achieved(history) | {
        "wall_s": time.monotonic() - began,
        "stopped": stopped,
        "counted": shares(trained.network, trained.statistics),
        "model": str(saved),
    }
    try:
        if training.records_done < total:
            reporter.show(f"Stopped after {training.records_done:,} of {total:,} records.")
        elif history.behind:
            reporter.show("Stopped in the evaluation of the last epoch.")
        lines = advice(trained.network, trained.statistics)
        reporter.show("\n".join(filter(None, (*lines, remark, conclusion(figures)))))
        reporter.note(next_steps(saved, reporter.program))
    finally:
        write_json(options.json, figures)
    if failure:
        raise failure
    return INTERRUPTED if stopped else 0


def check_files(options: argparse.Namespace, output: Path) -> None:
    """Refuse files that must not be written, or cannot be, and options that exclude each other.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    output : Path
        Where the best model goes.
    """
    from sw.engine import checkpoint
    from sw.model import MODEL_FILE

    if options.start:
        refuse_network(options, "--from MODEL")
    if options.checkpoint and goes_back(options, output):
        raise ValueError(
            f"{options.start} must stay as it is for a checkpoint to go on; name another file with --output, or leave "
            "out --checkpoint"
        )
    check(
        Output(output, MODEL_FILE),
        *(checkpoint.outputs(options.checkpoint) if options.checkpoint else ()),
        Output(options.json, FIGURES, "--json"),
        inputs=files_read(options, output),
        force=options.force,
    )


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
        "from": str(options.start) if options.start else None,
    }


def achieved(history: TrainingHistory) -> dict[str, Any]:
    """Return the figures of the best model and of the whole training.

    Parameters
    ----------
    history : TrainingHistory
        Of a training that has ended; without an evaluation, the scores are None.
    """
    names = history.model.target_names
    scores = score_figures(history.best, names) if history.best else {"pearson": None, "rmse": None, "r2": None}
    return {
        **scores,
        "records_trained": history.records,
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


def conclusion(figures: dict[str, Any]) -> str:
    """Say how good the model is, how long that took, and where the model is.

    Parameters
    ----------
    figures : dict
        Of `planned` and `achieved`.
    """
    history, model = figures["history"], figures["model"]
    rate = f" ({figures['records_per_s']:,.0f} records/s)" if figures["records_per_s"] else ""
    times = (
        f"{figures['seconds']:.2f} s of training{rate}, {figures['wall_s']:.2f} s of this run with loading or "
        "compiling kernels and evaluating"
    )
    if not history:
        return f"The model was not evaluated; {times}.\nThe model is in {model}."
    said, each = score_text(figures), "".join(f"{line}\n" for line in score_lines(figures))
    records = history[figures["best_epoch"] - 1]["records"]
    return (
        f"{said[0].upper()}{said[1:]} on {figures['holdout']:,} unseen records, after {records:,} of training: the "
        f"best of {len(history)} evaluations; {times}.\n{each}The best model is in {model}."
    )


def next_steps(model: Path, program: str) -> str:
    """Say what can be done with a model.

    Parameters
    ----------
    model : Path
        Its file.
    program : str
        The words that start the command line here.
    """
    return f"Next:\n  {program} plot {model} --output {model.with_suffix('.png')}\n  {program} predict {model} FILE"


def follow(
    reports: Generator[TrainingReport],
    history: TrainingHistory,
    reporter: TerminalReporter,
    stop: Event,
    processes: Processes,
    *,
    total: int,
    waiting: str,
    judge_first: bool,
) -> None:
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
        Once it is set in the first process, the training ends after the shard. An evaluation that has begun before is
        given up.
    processes : Processes
        That train together.
    total : int
        Records in all epochs.
    waiting : str
        What is done before the first report.
    judge_first : bool
        Whether the model is evaluated before it is trained, too.
    """
    first, pearson = processes.rank == 0, ""

    def evaluate() -> None:
        nonlocal pearson
        if score := history.evaluate(newly_set(stop)):
            pearson = f"Pearson {score.pearson:.5f}"
            reporter.detail(f"epoch {history.evaluations}: {pearson}, RMSE {score.rmse:.5g}")

    with reporter.step(waiting, total, "records") as step:
        if first and (judge_first or history.behind):
            evaluate()
        for report in reports:
            history.follow(report)
            pace = f"{history.pace:,.0f} records/s" if history.pace else ""
            if first and report.epoch_done:
                step.update(report.records, what="evaluating", note=pace)
                evaluate()
            ending = processes.broadcast(stop.is_set())
            if first and ending and not report.epoch_done:
                step.update(report.records, what="evaluating", note=pace)
                evaluate()
            what = "pre-training" if report.pretraining else "training"
            step.update(report.records, what=what, note=", ".join(filter(None, (pace, pearson))))
            if ending:
                break
    reports.close()
