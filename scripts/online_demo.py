"""Watch a network follow a sensor whose gain and offset drift, beside a copy that no longer learns.

Both learn the first quarter of the stream. Then the copy is frozen, and the sensor jumps and ages on. It runs on this
computer, in the fixed point of a board. The picture at the end shows the errors of both.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sw.commands.options import add_json, check_suffix
from sw.commands.progress import TerminalReporter
from sw.commands.verbs import DATA, Verb
from sw.outputs import FIGURES, PICTURE, PICTURE_METADATA, Output, add_force, check, write_json
from sw.spec.bounds import RECORDS, SECONDS, SEED
from sw.spec.options import real, whole

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from rich.console import RenderableType

DEMO = Verb("online", "watch a network follow a drifting sensor", DATA, "scripts.online_demo", "online")

FRAMES = 20  # a second
DPI = 130
WINDOW = 200  # records of a mean error
LEARNT_SHARE = 0.25  # of the stream, before the copy is frozen
COLUMNS = 60  # of the terminal, for places and errors
BARS = "▁▂▃▄▅▆▇█"
EXAMPLES = ("", "--seconds 60 --records 60000 --output drift.svg")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the command's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    """
    parser.description = __doc__
    parser.add_argument(
        "--records", type=whole(*RECORDS), default=20_000, metavar="N", help="of the stream (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=real(0, SECONDS[1]), default=20, metavar="S", help="that it takes (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole(*SEED), default=0, metavar="N", help="of stream and first nodes (default: %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("online-demo.png"),
        metavar="FILE",
        help="the picture (default: %(default)s)",
    )
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Follow the sensor, and draw the picture.

    Parameters
    ----------
    options : argparse.Namespace
        The command's.
    reporter : TerminalReporter
        For progress and results.

    Returns
    -------
    int
        The exit status.
    """
    check_suffix(options.output, tuple(PICTURE_METADATA))
    check(Output(options.output, PICTURE), Output(options.json, FIGURES, "--json"), force=options.force)
    with reporter.step("starting"):
        import numpy as np

        from scripts.studies.online_tasks import sensor
        from sw.engine.prediction import Predictor
        from sw.figures.picture import save
        from sw.online.beginning import STREAM_RECORDS, first_learner
        from sw.presets.by_size import default_preset

        features, targets = sensor(options.seed, options.records)
        preset = default_preset(features.shape[1], 1, STREAM_RECORDS)
        learner = first_learner(preset, seed=options.seed, detector="page-hinkley")
        learner.prepare()
    reporter.note(
        f"A network {preset.network} follows the sensor; after {LEARNT_SHARE:.0%} of {options.records:,} records, a "
        "copy is frozen."
    )
    frames = max(1, round(FRAMES * options.seconds))
    ends = np.linspace(0, options.records, frames + 1).round().astype(int)
    live, frozen = np.zeros(options.records), np.zeros(options.records)
    predictor, began = None, time.monotonic()
    with screen(reporter, options.records) as show:
        for index, (start, stop) in enumerate(pairwise(ends)):
            rows = slice(start, stop)
            live[rows] = learner.predict_then_learn(features[rows], targets[rows, None])[:, 0]
            frozen[rows] = live[rows] if predictor is None else predictor.predict(features[rows])[:, 0]
            if predictor is None and stop >= LEARNT_SHARE * options.records:
                predictor = Predictor(learner.model)
            show(int(stop), targets[:stop], live[:stop], frozen[:stop], learner.alarms)
            time.sleep(max(0.0, began + (index + 1) * options.seconds / frames - time.monotonic()))
    after = slice(int(LEARNT_SHARE * options.records), None)
    ours, theirs = (float(np.abs(each - targets)[after].mean()) for each in (live, frozen))
    save(picture(targets, live, frozen, learner.alarms), options.output, dpi=DPI)
    reporter.show(
        f"Mean |error| after the copy was frozen: {ours:.4f} of the one that learns, {theirs:.4f} of the copy, "
        f"{theirs / ours:.1f} times as much. Drift alarms at {', '.join(f'{alarm:,}' for alarm in learner.alarms)}.",
        f"The picture is in {options.output}.",
    )
    write_json(options.json, {"records": options.records, "learning": ours, "frozen": theirs, "alarms": learner.alarms})
    return 0


@contextmanager
def screen(reporter: TerminalReporter, records: int) -> Iterator[Any]:
    """Show the stream as it moves at a terminal; elsewhere, how far it is; gives what is told of each frame.

    Parameters
    ----------
    reporter : TerminalReporter
        For progress.
    records : int
        In all.
    """
    if reporter.quiet or not sys.stdout.isatty():
        with reporter.step("following the sensor", records, "records") as step:
            yield lambda done, *_: step.update(done)
        return
    from rich.live import Live

    with Live(refresh_per_second=FRAMES) as live:
        yield lambda done, *arrays: live.update(frame(done, records, *arrays))


def frame(
    done: int, records: int, targets: np.ndarray, live: np.ndarray, frozen: np.ndarray, alarms: list[int]
) -> RenderableType:
    """Draw truth and predictions of the last record, and the errors until now.

    Parameters
    ----------
    done, records : int
        Records until now, and in all.
    targets, live, frozen : ndarray of shape (done,)
        Until now.
    alarms : list of int
        Records at which the error rose.
    """
    import numpy as np
    from rich.table import Table

    errors = [np.abs(each - targets) for each in (live, frozen)]
    lately = [float(each[-WINDOW:].mean()) for each in errors]
    grid = Table.grid(padding=(0, 2))
    grid.add_row(f"[bold]record {done:,} of {records:,}[/]", "", f"drift alarms {len(alarms)}")
    grid.add_row("truth", place(targets[-1], "●"), f"{targets[-1]:+.3f}")
    grid.add_row("[blue]learns[/]", place(live[-1], "[blue]●[/]"), f"[blue]{live[-1]:+.3f}[/]")
    grid.add_row("[red]frozen[/]", place(frozen[-1], "[red]●[/]"), f"[red]{frozen[-1]:+.3f}[/]")
    top = max(float(means(each).max()) for each in errors)
    for colour, each, mean in zip(("blue", "red"), errors, lately, strict=True):
        grid.add_row(f"[{colour}]error[/]", f"[{colour}]{bars(means(each), top)}[/]", f"[{colour}]{mean:.3f}[/]")
    return grid


def place(value: float, mark: str) -> str:
    """Put a mark at the place of a value in -1.2..1.2."""
    at = min(COLUMNS - 1, max(0, int((value + 1.2) / 2.4 * COLUMNS)))
    return f"[dim]{'·' * at}[/]{mark}[dim]{'·' * (COLUMNS - 1 - at)}[/]"


def means(errors: np.ndarray) -> np.ndarray:
    """Compute the means of at most `COLUMNS` equal pieces."""
    import numpy as np

    return np.array([each.mean() for each in np.array_split(errors, min(COLUMNS, len(errors)))])


def bars(values: np.ndarray, top: float) -> str:
    """Draw values up to `top` as bars of text."""
    return "".join(BARS[min(len(BARS) - 1, int(len(BARS) * value / (top or 1)))] for value in values)


def picture(targets: np.ndarray, live: np.ndarray, frozen: np.ndarray, alarms: list[int]) -> Figure:
    """Draw the errors over the stream, and the predictions of its end against the truth.

    Parameters
    ----------
    targets, live, frozen : ndarray of shape (n,)
        Of all records.
    alarms : list of int
        Records at which the error rose.
    """
    import numpy as np
    from matplotlib.figure import Figure

    from sw.figures.plots import ACCENT, FAINT, INK, SECOND

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    window = np.ones(min(WINDOW, len(targets))) / min(WINDOW, len(targets))
    ends = np.arange(len(window), len(targets) + 1)
    for name, predicted, colour in (("frozen copy", frozen, SECOND), ("learns on", live, ACCENT)):
        error = np.convolve(np.abs(predicted - targets), window, "valid")
        left.semilogy(ends, error, color=colour, linewidth=1.5, label=name)
        last = slice(-max(1, len(targets) // 20), None)
        right.plot(targets[last], predicted[last], ".", color=colour, markersize=3)
    for index, alarm in enumerate(alarms):
        left.axvline(alarm, color=INK, linewidth=0.8, linestyle=":", label="drift alarm" if index == 0 else None)
    left.axvspan(0, LEARNT_SHARE * len(targets), color=FAINT, alpha=0.35, linewidth=0, label="both learn")
    left.set_xlim(0, len(targets))
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.set_xlabel("records")
    left.set_ylabel(f"mean |error| of {len(window)} records")
    left.legend(frameon=False)
    right.plot([-1, 1], [-1, 1], color=INK, linewidth=0.8)
    right.set_xlabel("truth, last twentieth of the stream")
    right.set_ylabel("prediction")
    figure.suptitle("A sensor whose gain and offset drift", color=INK)
    return figure
