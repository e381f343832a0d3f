"""`kanloom online`: learn from a stream of records, each of which is predicted before it is learnt."""

from __future__ import annotations

import argparse
import csv
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.commands.incoming import SOCKET, batches, opened
from sw.commands.interrupts import INTERRUPTED, stopping
from sw.commands.keeping import keep
from sw.commands.options import add_json, load_model, refuse_own
from sw.commands.progress import TerminalReporter, TerminalStep
from sw.commands.scores import score_figures
from sw.commands.starting import for_network
from sw.outputs import FIGURES, TABLE, Output, add_force, check, same_file, whole, write_json
from sw.presets.selection import add_network, network_options, selected
from sw.spec.bounds import SEED, counted
from sw.spec.options import whole as whole_number

if TYPE_CHECKING:
    from sw.metrics import Score
    from sw.model import Model
    from sw.online.learner import Learner
    from sw.online.lines import RecordLines
    from sw.spec.network import Network

DETECTORS = ("page-hinkley", "adwin")  # as in `sw.online.forgetting`, whose import is slow; a test compares
LATELY = 1000  # records
SHOWN_FAULTS = 5  # lines that are told of, at most

EXAMPLES = (
    "readings.csv --target pressure",
    "- --drift page-hinkley --output predictions.csv",
    "tcp://localhost:5000 --resume online.npz",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} Records are lines of numbers, under a header that names them. A line with an empty "
        "target is only predicted. Ranges need not be known: they are learnt, and widen when the stream leaves them. "
        "At the end of the stream, and after Ctrl-C, the model is saved."
    )
    parser.add_argument("stream", help=f"a file, - for standard input, or {SOCKET}HOST:PORT to connect to")
    group = parser.add_argument_group("columns")
    group.add_argument("--target", metavar="COLUMN", help="to predict (default: the last, or the model's)")
    group.add_argument("--ignore", nargs="+", default=(), metavar="COLUMN", help="not to use")
    add_network(parser.add_argument_group("network"), "by the number of columns")
    group = parser.add_argument_group("learning")
    group.add_argument(
        "--drift",
        choices=DETECTORS,
        help="watch the error by a detector of River; an alarm is told, and what has changed is learnt faster "
        "(default: steady rates)",
    )
    group.add_argument(
        "--seed", type=whole_number(*SEED), default=0, metavar="N", help="of first nodes (default: %(default)s)"
    )
    group = parser.add_argument_group("files")
    group.add_argument("--resume", type=Path, metavar="MODEL", help="model to go on from (default: begin anew)")
    group.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="where the model goes (default: that of --resume, else online.npz); if another model is there, a number "
        "is added to the name",
    )
    group.add_argument("--output", type=Path, metavar="FILE", help="write a table of predictions, .csv")
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Follow the stream, and save the model.

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
    save = options.save or options.resume or Path("online.npz")
    check_files(options, save)
    follower = Following(options, reporter)
    force = options.force or (options.resume is not None and same_file(options.resume, save))
    try:
        with stopping("these records") as stop, opened(options.stream) as descriptor, table(options.output) as write:
            with reporter.step("waiting for records") as step:
                for lines in batches(descriptor, stop.is_set):
                    write(follower.take(lines, step))
    except BaseException:
        if follower.learnt:
            saved, remark = keep(follower.model, save, None, force=force)
            print(f"the model so far is in {saved}. {remark}".rstrip(), file=sys.stderr)
        raise
    figures = follower.figures() | {"stopped": stop.is_set(), "model": None}
    try:
        if follower.learnt:
            saved, remark = keep(follower.model, save, None, force=force)
            figures["model"] = str(saved)
            reporter.show(conclusion(figures), " ".join(filter(None, (remark, f"The model is in {saved}."))))
        else:
            reporter.show("No record was learnt, and no model is saved.")
    finally:
        write_json(options.json, figures)
    return INTERRUPTED if stop.is_set() else 0


def check_files(options: argparse.Namespace, save: Path) -> None:
    """Refuse files that must not be written, or cannot be, and options that exclude each other.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    save : Path
        Where the model goes.
    """
    from sw.model import MODEL_FILE

    if options.resume and (options.target or options.ignore):
        raise argparse.ArgumentTypeError("--resume MODEL brings its own columns; leave out --target and --ignore")
    if options.resume and any(value is not None for value in network_options(options).values()):
        raise argparse.ArgumentTypeError(
            "--resume MODEL brings its own network; leave out --network, --segments, --width and --fine"
        )
    file = None if options.stream == "-" or options.stream.startswith(SOCKET) else Path(options.stream)
    if file:
        refuse_own(file)
    goes_back = options.resume is not None and same_file(options.resume, save)
    check(
        Output(save, MODEL_FILE),
        Output(options.output, TABLE, "--output"),
        Output(options.json, FIGURES, "--json"),
        inputs=[file, None if goes_back else options.resume],
        force=options.force,
    )


@contextmanager
def table(path: Path | None) -> Iterator[Any]:
    """Open a table of predictions; gives what writes rows to it.

    Parameters
    ----------
    path : Path or None
        The file; None for no table.
    """
    if path is None:
        yield lambda rows: None
        return
    with whole(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        yield csv.writer(text, lineterminator="\n").writerows
        text.detach()


class Following:
    """A learner on a stream of lines, and what has happened so far.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For remarks.

    Attributes
    ----------
    learnt : int
        Records that were trained on.
    """

    def __init__(self, options: argparse.Namespace, reporter: TerminalReporter) -> None:
        self._options, self._reporter = options, reporter
        self._start = load_model(options.resume) if options.resume else None
        if self._start:
            check_numbers(self._start, options.resume)
        self._lines: RecordLines | None = None
        self._learner: Learner
        self._score: Score
        self._line, self._records, self._faults, self._told = 0, 0, 0, 0
        self._absolute, self._lately = 0.0, np.zeros(0)
        self._seconds = 0.0
        self.learnt = 0

    @property
    def model(self) -> Model:
        """The model with its present parameters."""
        return self._learner.model

    def take(self, lines: list[str], step: TerminalStep) -> list[list[Any]]:
        """Predict and learn the records of lines; returns rows for a table.

        Parameters
        ----------
        lines : list of str
            They follow those that were taken before; the first of all is the header.
        step : TerminalStep
            For progress.
        """
        rows: list[list[Any]] = []
        if self._lines is None:
            header, lines, self._line = lines[0], lines[1:], 1
            self._lines = self._begin(header, step)
            rows.append(
                ["line", *self._lines.target_names, *(f"predicted {name}" for name in self._lines.target_names)]
            )
        features, targets, places, faults = self._lines.records(lines)
        self._tell(faults)
        began = time.perf_counter()
        alarms = len(self._learner.alarms)
        predictions = self._learner.predict_then_learn(features, targets)
        self._seconds += time.perf_counter() - began
        self._judge(predictions, targets)
        for alarm in self._learner.alarms[alarms:]:
            self._reporter.show(f"Drift: the error rose at record {alarm:,}.")
        cells = np.column_stack([targets, predictions]).tolist()
        rows += [
            [place, *("" if cell != cell else f"{cell:.10g}" for cell in row)]
            for place, row in zip((places + self._line + 1).tolist(), cells, strict=True)
        ]
        self._line += len(lines)
        step.update(what="learning", note=f"{self._records:,} records, {self._errors()}")
        return rows

    def figures(self) -> dict[str, Any]:
        """Return every figure as plain data."""
        figures = {"stream": self._options.stream, "records": self._records, "learnt": self.learnt}
        figures |= {"skipped": self._faults, "drift": self._options.drift}
        if not self.learnt:
            return figures
        return figures | {
            "network": str(self.model.network),
            "mean_absolute_error": self._absolute / self.learnt,
            "mean_absolute_error_lately": float(self._lately.mean()),
            **score_figures(self._score, self.model.target_names),
            "alarms": self._learner.alarms,
            "seconds": self._seconds,
            "us_a_record": 1e6 * self._seconds / self._records,
        }

    def _begin(self, header: str, step: TerminalStep) -> RecordLines:
        """Read the header, and make the learner."""
        step.update(what="starting")
        from sw.commands.kernels import preparing
        from sw.metrics import Score
        from sw.online.beginning import STREAM_RECORDS, first_learner, next_learner
        from sw.online.lines import RecordLines
        from sw.presets.by_size import default_preset

        start, options = self._start, self._options
        if start:
            lines = RecordLines(header, start.feature_names, start.target_names)
        else:
            lines = RecordLines(header, targets=(options.target,) if options.target else (), ignored=options.ignore)
        preset = default_preset(len(lines.feature_names), len(lines.target_names), STREAM_RECORDS)
        if start:
            self._learner = next_learner(start, for_network(preset, start.network), detector=options.drift)
        else:
            names = lines.feature_names, lines.target_names
            preset = selected(**network_options(options), otherwise=preset)
            check_sizes(preset.network, *map(len, names))
            self._learner = first_learner(preset, *names, seed=options.seed, detector=options.drift)
        self._score = Score()
        self._reporter.note(
            f"Predicting {', '.join(lines.target_names)} from {', '.join(lines.feature_names)}; network "
            f"{self.model.network}, {self.model.network.parameters:,} parameters"
        )
        step.update(what=preparing(self.model))
        self._learner.prepare()
        return lines

    def _judge(self, predictions: np.ndarray, targets: np.ndarray) -> None:
        """Take note of predictions and of the targets that are known."""
        known = ~np.isnan(targets).any(axis=1)
        self._records += len(known)
        self.learnt += int(known.sum())
        if known.any():
            errors = np.abs(predictions - targets)[known].mean(axis=1)
            self._absolute += float(errors.sum())
            self._lately = np.concatenate([self._lately, errors])[-LATELY:]
            self._score.add(predictions[known], targets[known])

    def _errors(self) -> str:
        if not self.learnt:
            return "none learnt"
        return f"mean |error| {self._lately.mean():.4g} lately, {self._absolute / self.learnt:.4g} in all"

    def _tell(self, faults: list[str]) -> None:
        """Tell the first faults of lines."""
        self._faults += len(faults)
        for fault in faults[: SHOWN_FAULTS - self._told]:
            self._told += 1
            more = "; later ones are only counted" if self._told == SHOWN_FAULTS else ""
            self._reporter.note(f"a line is left out: {fault}{more}")


def check_sizes(network: Network, features: int, targets: int) -> None:
    """Check that a stream has as many columns as a network.

    Parameters
    ----------
    network : Network
        The one that is asked for.
    features, targets : int
        Columns of the stream.

    Raises
    ------
    ValueError
        If it has not.
    """
    if (features, targets) != (network.features, network.outputs):
        raise ValueError(
            f"the stream has {counted(features, 'feature')} and {counted(targets, 'target')}; the network {network} "
            f"takes {network.features} and gives {network.outputs}"
        )


def check_numbers(model: Model, path: Path) -> None:
    """Refuse a model of columns that are no numbers, or have no names.

    Parameters
    ----------
    model : Model
        One to go on from.
    path : Path
        Its file.

    Raises
    ------
    ValueError
        For such a model.
    """
    if not model.feature_names:
        raise ValueError(f"{path}: its columns have no names, by which a stream's columns are found")
    if others := [rule.column for rule in model.encoding.features if rule.kind != "number"]:
        raise ValueError(f"{path}: its columns {', '.join(others)} are no numbers, which is all that a stream has")


def conclusion(figures: dict[str, Any]) -> str:
    """Say how good the predictions were.

    Parameters
    ----------
    figures : dict
        Of `Following.figures`.
    """
    skipped = f", {figures['skipped']:,} lines left out" if figures["skipped"] else ""
    alarms = f" Drift alarms: {len(figures['alarms'])}." if figures["drift"] else ""
    return (
        f"{figures['records']:,} records, {figures['learnt']:,} of them learnt{skipped}. Each predicted before it was "
        f"learnt: mean |error| {figures['mean_absolute_error']:.5g} in all, "
        f"{figures['mean_absolute_error_lately']:.5g} of the last {min(LATELY, figures['learnt']):,}; R2 "
        f"{figures['r2']:.5f}.{alarms} {figures['us_a_record']:.2f} us a record."
    )
