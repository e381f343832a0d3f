"""`kanloom bench`: how long an update takes on this computer, and how good the trained model is."""

from __future__ import annotations

import argparse
import statistics
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sw.commands.options import DATA_HELP, add_data, add_json, data_file, open_data, tell_notes
from sw.commands.progress import TerminalReporter
from sw.commands.training_options import add_training, preset_of, strategy_of
from sw.outputs import FIGURES, Output, add_force, check, write_json
from sw.spec.bounds import SEEDS, TRIALS
from sw.spec.options import whole

if TYPE_CHECKING:
    from rich.table import Table

    from sw.bench.c_baseline import CBaseline
    from sw.bench.timing import Case, Trial

EXAMPLES = ("det4 --threads 1 --json bench.json", "norm4 --trials 30 --baseline baseline.c")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("dataset", nargs="?", default="det4", help=f"{DATA_HELP} (default: %(default)s)")
    add_data(parser)
    add_training(parser)
    group = parser.add_argument_group("measurement")
    group.add_argument(
        "--seeds",
        type=whole(*SEEDS),
        default=3,
        metavar="N",
        help="seeds of records and network (default: %(default)s)",
    )
    group.add_argument(
        "--trials", type=whole(*TRIALS), default=15, metavar="N", help="trainings to measure (default: %(default)s)"
    )
    group.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="C program that is measured in turn with ours; sw/bench/c_baseline.py says what it must print",
    )
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Measure and show the figures.

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
    from sw.bench.c_baseline import CBaseline

    inputs = data_file(options.dataset), options.baseline
    check(Output(options.json, FIGURES, "--json"), inputs=inputs, force=options.force)
    cases = [case_of(options, options.seed + index) for index in range(options.seeds)]
    tell_notes(cases[0].source.name, cases[0].source.notes, reporter.note)
    with CBaseline.compiled(options.baseline) if options.baseline else nullcontext() as baseline:
        figures = measured(cases, options.threads, max(options.trials, options.seeds), baseline, reporter)
    show(figures, reporter)
    write_json(options.json, figures)
    return 0


def case_of(options: argparse.Namespace, seed: int) -> Case:
    """Return what is trained with a seed.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    seed : int
        Of the records and of the first nodes.
    """
    from sw.bench.timing import Case
    from sw.datasets import MemorySource, Split
    from sw.experiment import first_model

    options = argparse.Namespace(**vars(options) | {"seed": seed})
    streamed = open_data(options)
    train, held = (next(streamed.shards(part, streamed.count(part))) for part in ("train", "holdout"))
    source = MemorySource(Split(train, held, streamed.encoding, streamed.selection, streamed.notes))
    preset = preset_of(options, source)
    return Case(source, first_model(preset, source, seed=seed), strategy_of(options, preset))


def alone(case: Case) -> Case:
    """Return the same case, trained as one model.

    Parameters
    ----------
    case : Case
        Any.
    """
    return replace(case, strategy=replace(case.strategy, models=1))


def measured(
    cases: list[Case], threads: int, trials: int, baseline: CBaseline | None, reporter: TerminalReporter
) -> dict[str, Any]:
    """Train the cases in turn, and after each of them what they are compared with.

    Parameters
    ----------
    cases : list of Case
        One for each seed.
    threads : int
        That work at a time.
    trials : int
        Trainings in all.
    baseline : CBaseline or None
        A C program to compare with.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    dict
        Every figure.
    """
    from sw.bench.timing import independent, run_trial
    from sw.commands.kernels import preparing
    from sw.spec.schedule import epochs_in

    case, schedule = cases[0], cases[0].strategy.schedule()
    epochs = epochs_in(schedule)
    with reporter.step(preparing(case.model, case.strategy.arithmetic)):
        run_trial(case, threads)
    ours: list[Trial] = []
    singles: list[Trial] = []
    theirs: list[dict[str, float]] = []
    with reporter.step("measuring", trials, "trainings") as step:
        for index in range(trials):
            chosen = cases[index % len(cases)]
            ours.append(run_trial(chosen, threads, score=index < len(cases)))
            if threads > 1:
                singles.append(run_trial(alone(chosen), 1))
            if baseline:
                theirs.append(baseline.run(epochs, index + 1))
            step.update(index + 1)
    times = [each.cpu_ns if threads == 1 else each.wall_ns for each in ours]
    scores = [each.score for each in ours if each.score]
    figures = {
        "dataset": case.source.name,
        "network": str(case.model.network),
        "parameters": case.model.network.parameters,
        "arithmetic": case.strategy.arithmetic,
        "threads": threads,
        "models": case.strategy.models,
        "records": case.source.count("train"),
        "holdout": case.source.count("holdout"),
        "epochs": epochs,
        "pretraining_epochs": sum(phase.epochs for phase in schedule if phase.pretraining),
        "trials": trials,
        "ns_per_update": statistics.median(times),
        "ns_per_update_wall": statistics.median(each.wall_ns for each in ours),
        "seconds": statistics.median(each.seconds for each in ours),
        "pearson": statistics.mean(score.pearson for score in scores),
        "pearson_of_seeds": [score.pearson for score in scores],
        "rmse": statistics.mean(score.rmse for score in scores),
    }
    if threads > 1:
        with reporter.step(f"measuring {threads} independent processes"):
            independents = independent(alone(case), threads, trials)
        figures |= {
            "ns_per_update_one_thread": statistics.median(each.wall_ns for each in singles),
            "speedup": statistics.median(a.wall_ns / b.wall_ns for a, b in zip(singles, ours, strict=True)),
            "speedup_of_processes": statistics.median(independents),
        }
    if baseline:
        ratios = [time / their["ns_per_update"] for time, their in zip(times, theirs, strict=True)]
        figures |= {
            "baseline_ns_per_update": statistics.median(their["ns_per_update"] for their in theirs),
            "baseline_pearson": statistics.mean(their["pearson"] for their in theirs),
            "ratio": statistics.median(ratios),
            "ratios": ratios,
        }
    return figures


def show(figures: dict[str, Any], reporter: TerminalReporter) -> None:
    """Show the figures.

    Parameters
    ----------
    figures : dict
        Of `measured`.
    reporter : TerminalReporter
        For results.
    """
    threads, records, epochs = figures["threads"], figures["records"], figures["epochs"]
    lines: list[str | Table] = [
        f"{figures['dataset']}: {records:,} records x {epochs} epochs, {figures['network']}",
        table_of(figures),
        f"Medians of {figures['trials']} trainings, {'wall' if threads > 1 else 'thread CPU'} time; Pearson: mean of "
        f"{len(figures['pearson_of_seeds'])} seeds. A whole training took {figures['seconds']:.3f} s.",
    ]
    if threads > 1:
        lines.append(
            f"{threads} threads are {figures['speedup']:.2f} times as fast as one; {threads} independent processes, "
            f"the limit of this computer now, {figures['speedup_of_processes']:.2f} times."
        )
    if "ratio" in figures:
        lines.append(f"An update takes {figures['ratio']:.3f} of the baseline's time: median of the trials' ratios.")
    reporter.show(*lines)


def table_of(figures: dict[str, Any]) -> Table:
    """Return a row for each trainer that was measured.

    Parameters
    ----------
    figures : dict
        Of `measured`.
    """
    from rich.table import Table

    threads, models, arithmetic = (figures[name] for name in ("threads", "models", "arithmetic"))
    table = Table("", show_edge=False, pad_edge=False)
    for name in ("ns an update", "records/s", "hold-out Pearson"):
        table.add_column(name, justify="right")

    def add(name: str, time: float, pearson: float | None = None) -> None:
        table.add_row(name, f"{time:.1f}", f"{1e9 / time:,.0f}", "" if pearson is None else f"{pearson:.4f}")

    add(f"{arithmetic}, threads {threads}, models {models}", figures["ns_per_update"], figures["pearson"])
    if threads > 1:
        add(f"{arithmetic}, threads 1, models 1", figures["ns_per_update_one_thread"])
    if "ratio" in figures:
        add("baseline", figures["baseline_ns_per_update"], figures["baseline_pearson"])
    return table
