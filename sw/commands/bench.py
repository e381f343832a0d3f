"""`python -m sw bench`: how long an update takes on this machine, and how good the model is that comes out."""

import argparse
import statistics
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from sw.bench.c_baseline import CBaseline
from sw.bench.timing import Case, Trial, independent, run_trial
from sw.commands.options import DATA_HELP, add_data, add_json, check_folders, open_data, write_json
from sw.commands.training_options import add_plan, preset_of, strategy_of
from sw.datasets import MemorySource, Split
from sw.experiment import first_model
from sw.spec.schedule import epochs_in


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", default="det4", help=f"{DATA_HELP} (default: %(default)s)")
    add_data(parser)
    add_plan(parser)
    group = parser.add_argument_group("measurement")
    group.add_argument("--seeds", type=int, default=3, help="of records and network to try (default: %(default)s)")
    group.add_argument("--turns", type=int, default=15, help="trainings to measure (default: %(default)s)")
    group.add_argument(
        "--baseline", type=Path, metavar="FILE.c", help="a C program to take turns with; sw/bench/timing.py says which"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    for name in ("seeds", "turns"):
        if getattr(options, name) < 1:
            raise ValueError(f"{name} {getattr(options, name)} must be 1 or more")
    check_folders(options.json)
    console = Console(highlight=False, soft_wrap=True)
    cases = [case_of(options, options.seed + index) for index in range(options.seeds)]
    with CBaseline.compiled(options.baseline) if options.baseline else nullcontext() as baseline:
        figures = measured(cases, options.threads, max(options.turns, options.seeds), baseline, console)
    show(figures, console)
    write_json(options.json, figures)
    return 0


def case_of(options: argparse.Namespace, seed: int) -> Case:
    options = argparse.Namespace(**vars(options) | {"seed": seed})
    streamed = open_data(options)
    parts = (next(streamed.shards(part, streamed.count(part))) for part in ("train", "holdout"))
    source = MemorySource(Split(*parts))
    preset = preset_of(options, source)
    return Case(source, first_model(preset, source, seed=seed), strategy_of(options, preset))


def alone(case: Case) -> Case:
    """The same, trained as one model."""
    return replace(case, strategy=replace(case.strategy, models=1))


def measured(
    cases: list[Case], threads: int, turns: int, baseline: CBaseline | None, console: Console
) -> dict[str, Any]:
    """Every figure. The cases are trained in turn; what they are compared with, after each of them."""
    case, schedule = cases[0], cases[0].strategy.schedule()
    epochs = epochs_in(schedule)
    run_trial(case, threads)  # compiles the kernels, or loads them
    ours: list[Trial] = []
    singles: list[Trial] = []
    theirs: list[dict[str, float]] = []
    for index in track(range(turns), "measuring", console=console, transient=True, refresh_per_second=1):
        chosen = cases[index % len(cases)]
        ours.append(run_trial(chosen, threads, score=index < len(cases)))
        if threads > 1:
            singles.append(run_trial(alone(chosen), 1))
        if baseline:
            theirs.append(baseline.run(epochs, index + 1))
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
        "turns": turns,
        "ns_per_update": statistics.median(times),
        "ns_per_update_wall": statistics.median(each.wall_ns for each in ours),
        "seconds": statistics.median(each.seconds for each in ours),
        "pearson": statistics.mean(score.pearson for score in scores),
        "pearson_of_seeds": [score.pearson for score in scores],
        "rmse": statistics.mean(score.rmse for score in scores),
    }
    if threads > 1:
        figures |= {
            "ns_per_update_one_thread": statistics.median(each.wall_ns for each in singles),
            "speedup": statistics.median(a.wall_ns / b.wall_ns for a, b in zip(singles, ours, strict=True)),
            "speedup_of_processes": statistics.median(independent(alone(case), threads, turns)),
        }
    if baseline:
        ratios = [time / their["ns_per_update"] for time, their in zip(times, theirs, strict=True)]
        figures |= {
            "yardstick_ns_per_update": statistics.median(their["ns_per_update"] for their in theirs),
            "yardstick_pearson": statistics.mean(their["pearson"] for their in theirs),
            "ratio": statistics.median(ratios),
            "ratios": ratios,
        }
    return figures


def show(figures: dict[str, Any], console: Console) -> None:
    threads, models, arithmetic = (figures[name] for name in ("threads", "models", "arithmetic"))
    records, epochs = figures["records"], figures["epochs"]
    console.print(f"[bold]{escape(figures['dataset'])}[/]: {records:,} records x {epochs} epochs, {figures['network']}")
    table = Table("", show_edge=False, pad_edge=False)
    for name in ("ns an update", "records/s", "hold-out Pearson"):
        table.add_column(name, justify="right")

    def add(name: str, time: float, pearson: float | None = None) -> None:
        table.add_row(name, f"{time:.1f}", f"{1e9 / time:,.0f}", "" if pearson is None else f"{pearson:.4f}")

    add(f"{arithmetic}, threads {threads}, models {models}", figures["ns_per_update"], figures["pearson"])
    if threads > 1:
        add(f"{arithmetic}, threads 1, models 1", figures["ns_per_update_one_thread"])
    if "ratio" in figures:
        add("baseline", figures["yardstick_ns_per_update"], figures["yardstick_pearson"])
    console.print(table)
    console.print(
        f"Medians of {figures['turns']} trainings, {'wall' if threads > 1 else 'thread CPU'} time; Pearson: mean of "
        f"{len(figures['pearson_of_seeds'])} seeds. A whole training took {figures['seconds']:.3f} s."
    )
    if threads > 1:
        console.print(
            f"{threads} threads are {figures['speedup']:.2f} times as fast as one; {threads} independent processes, "
            f"the limit of this machine now, {figures['speedup_of_processes']:.2f} times."
        )
    if "ratio" in figures:
        console.print(f"An update takes {figures['ratio']:.3f} of the baseline's time: median of the turns' ratios.")
