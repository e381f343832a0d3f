"""Online learners on six streams: each record is predicted, then learnt.

    python scripts/studies/online.py --json online.json

The streams are in `scripts/studies/online_tasks.py`, the learners, and what their parameters are drawn from, in
`scripts/studies/online_learners.py`. All are tuned on a stream of another seed, by the same number of trials, the
first of them with default parameters; then they run in turn over the streams of the seeds, record by record. The error
is the mean absolute one, or the share of wrong classes; the time is that of this thread, the memory that of the pickled
learner.
"""

import argparse
import pickle
import sys
import time
import warnings
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scripts.studies.figures import add_json, check_known, check_outputs
from scripts.studies.online_learners import BATCH, METHODS, Method, Ours, Parameters
from scripts.studies.online_tasks import TASKS, Stream, Task
from sw.outputs import write_json
from sw.spec.bounds import RECORDS, SEEDS, TRIALS
from sw.spec.options import whole

TUNING_SEED = 1000
OURS = next(iter(METHODS))


def run(task: Task, stream: Stream, method: Method, parameters: Parameters, seed: int) -> dict[str, float]:
    """Let a learner predict and learn a stream.

    Parameters
    ----------
    task : Task
        Says how errors are counted.
    stream : (ndarray, ndarray)
        Features and targets.
    method : Method
        The learner.
    parameters : dict
        Its parameters.
    seed : int
        Of the learner.

    Returns
    -------
    dict
        `error`, infinite if a prediction is not finite; `us`, of a record; `bytes`; for ours, also `us_in_batches`.
    """
    rows, targets, predictions = stream[0].tolist(), stream[1].tolist(), []
    learner = method.make(task, seed, **parameters)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        began = time.thread_time()
        for features, target in zip(rows, targets, strict=True):
            try:
                predictions.append(learner.predict(features))
                learner.learn(features, target)
            except (ValueError, OverflowError):  # a learner that has diverged
                predictions = [np.inf]
                break
        seconds = time.thread_time() - began
    predicted = np.array(predictions)
    if not np.isfinite(predicted).all():
        error = np.inf
    elif task.classes:
        error = float(np.mean((predicted >= 0.5) != (stream[1] >= 0.5)))
    else:
        error = float(np.mean(np.abs(predicted - stream[1])))
    figures = {"error": error, "us": 1e6 * seconds / len(rows), "bytes": len(pickle.dumps(learner))}
    if isinstance(learner, Ours):
        again = Ours(task, seed, **parameters)
        began = time.thread_time()
        same = np.array_equal(again.predict_then_learn(*stream), predicted)
        figures["us_in_batches"] = 1e6 * (time.thread_time() - began) / len(rows)
        assert same, "batches give other predictions"
    return figures


def tuned(name: str, task: Task, records: int, trials: int) -> Parameters:
    """Choose the parameters of a learner that are best on the tuning stream.

    Parameters
    ----------
    name : str
        Of the method.
    task : Task
        Of the stream.
    records : int
        Of the stream.
    trials : int
        Sets of parameters that are tried.
    """
    stream, method = task.make(TUNING_SEED, records), METHODS[name]
    drawn = method.trials(trials, np.random.default_rng(TUNING_SEED))
    return min(drawn, key=lambda each: run(task, stream, method, each, TUNING_SEED)["error"])


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="TASK", help=f"of: {'; '.join(TASKS)} (default: all)")
    parser.add_argument("--learners", nargs="+", metavar="NAME", help=f"of: {'; '.join(METHODS)} (default: all)")
    parser.add_argument(
        "--seeds", type=whole(*SEEDS), default=6, metavar="N", help="streams of each task (default: %(default)s)"
    )
    parser.add_argument(
        "--trials", type=whole(*TRIALS), default=8, metavar="N", help="sets of parameters (default: %(default)s)"
    )
    parser.add_argument("--records", type=whole(*RECORDS), metavar="N", help="at most, of each stream (default: all)")
    parser.add_argument(
        "--tuning-records",
        type=whole(*RECORDS),
        default=5000,
        metavar="N",
        help="at most, of a tuning stream (default: %(default)s)",
    )
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)
    check_known(parser, options.names, TASKS)
    check_known(parser, options.learners or (), METHODS)
    options.names = options.names or list(TASKS)
    options.learners = options.learners or list(METHODS)
    return options


def compared(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Tune the learners for a task, and run them in turn; returns a row of figures for each."""
    task = TASKS[name]
    records = min(task.records, options.records or task.records)
    chosen = {
        learner: tuned(learner, task, min(records, options.tuning_records), options.trials)
        for learner in track(options.learners, f"tuning: {name}", console=Console(stderr=True), transient=True)
    }
    runs: dict[str, list[dict[str, float]]] = {learner: [] for learner in options.learners}
    for seed in track(range(options.seeds), name, console=Console(stderr=True), transient=True):
        stream = task.make(seed, records)
        for learner in options.learners:
            runs[learner].append(run(task, stream, METHODS[learner], chosen[learner], seed))
    return [
        {
            "task": name,
            "records": records,
            "learner": learner,
            "parameters": {key: str(value) for key, value in chosen[learner].items()},
            "errors": [each["error"] for each in runs[learner]],
            "error": float(np.mean([each["error"] for each in runs[learner]])),
            "us": float(np.median([each["us"] for each in runs[learner]])),
            **({"us_in_batches": in_batches(runs[learner])} if learner == OURS else {}),
            "kib": float(np.mean([each["bytes"] for each in runs[learner]])) / 1024,
        }
        for learner in options.learners
    ]


def in_batches(runs: list[dict[str, float]]) -> float:
    """Return the median time of a record in batches."""
    return float(np.median([each["us_in_batches"] for each in runs]))


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    options = parsed(arguments)
    console, rows = Console(highlight=False, width=None if sys.stdout.isatty() else 160), []
    for name in options.names:
        found = compared(name, options)
        rows += found
        table = Table(
            title=f"{name}: {found[0]['records']:,} records, mean of {options.seeds} streams", title_justify="left"
        )
        for column in ("learner", "error", "us a record", "times ours", "KiB", "parameters"):
            table.add_column(column, justify="left" if column in ("learner", "parameters") else "right")
        ours = next((row["us"] for row in found if row["learner"] == OURS), np.nan)
        for row in sorted(found, key=lambda row: row["error"]):
            said = ", ".join(f"{key} {value}" for key, value in row["parameters"].items())
            cells = f"{row['error']:.4f}", f"{row['us']:.1f}", f"{row['us'] / ours:.1f}", f"{row['kib']:.1f}"
            table.add_row(row["learner"], *cells, said)
            if row["learner"] == OURS:
                time_of_batches = row["us_in_batches"]
                table.add_row(f"  in batches of {BATCH}", "", f"{time_of_batches:.2f}", f"{time_of_batches / ours:.2f}")
        console.print(table)
        write_json(options.json, {"seeds": options.seeds, "trials": options.trials, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
