"""What `kanloom online` knows of its stream: the learner, its errors, and the model that is saved."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.commands.board import KEEP_SECONDS
from sw.commands.load import check_fixed
from sw.commands.options import load_model
from sw.commands.progress import TerminalReporter, TerminalStep
from sw.commands.scores import score_figures
from sw.commands.starting import for_model, for_network
from sw.presets.selection import network_options, selected

if TYPE_CHECKING:
    from sw.device.client import BoardClient
    from sw.metrics import Score
    from sw.model import Model
    from sw.online.learner import Learner
    from sw.online.lines import RecordLines
    from sw.spec.network import Network

LATELY = 1000  # records
SHOWN_FAULTS = 5  # lines that are told of, at most


class Following:
    """A learner on a stream of lines, and what has happened so far.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For remarks.
    start : Model, optional
        The model to go on from.
    board : BoardClient, optional
        What trains; by default, this computer does.

    Attributes
    ----------
    learnt : int
        Records that were trained on.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        reporter: TerminalReporter,
        start: Model | None = None,
        board: BoardClient | None = None,
    ) -> None:
        self._options, self._reporter, self._start, self._board = options, reporter, start, board
        self._lines: RecordLines | None = None
        self._learner: Learner
        self._score: Score
        self._network: Network
        self._line, self._records, self._faults, self._told = 0, 0, 0, 0
        self._absolute, self._lately = 0.0, np.zeros(0)
        self._seconds = 0.0
        self._read: tuple[Model, int] | None = None  # from the board, and how many records had been learnt
        self._read_at = -KEEP_SECONDS
        self.learnt = 0

    @property
    def model(self) -> Model:
        """The model with its present parameters."""
        return self._learner.model

    @property
    def rescued(self) -> tuple[Model, int] | None:
        """The last model that can be had after a failure, and how many records it learnt; None if there is none.

        A board may have failed in the middle of a pass, or while its nodes were written.
        """
        if self._board:
            return self._read
        return (self.model, self.learnt) if self.learnt else None

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
        if self._board and self.learnt and time.monotonic() - self._read_at >= KEEP_SECONDS:
            self._read, self._read_at = (self.model, self.learnt), time.monotonic()
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
        if board := self._board:
            figures |= {
                "board": board.configuration.board,
                "cycles": board.cycles,
                "board_ms": 1e3 * board.cycles / board.configuration.clock_hz,
                "link_errors": board.counters(),
            }
        if not self.learnt or not self._lines:
            return figures
        return figures | {
            "network": str(self._network),
            "mean_absolute_error": self._absolute / self.learnt,
            "mean_absolute_error_lately": float(self._lately.mean()),
            **score_figures(self._score, self._lines.target_names),
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
        columns = len(lines.feature_names), len(lines.target_names)
        preset = default_preset(*columns, STREAM_RECORDS)
        if self._board:
            self._board.network.check_columns(*columns, "the stream", owner="the board's network")
            preset = for_network(preset, self._board.network)
        elif not start:
            preset = selected(**network_options(options), otherwise=preset)
            preset.network.check_columns(*columns, "the stream")
        detector = options.drift
        if start:
            preset = for_model(preset, start)
            self._learner = next_learner(start, preset, detector=detector, trainer=self._board)
        else:
            names = lines.feature_names, lines.target_names
            self._learner = first_learner(preset, *names, seed=options.seed, detector=detector, trainer=self._board)
        self._score = Score()
        on = f" on {self._board.configuration.board}" if self._board else ""
        self._network = network = preset.network
        self._reporter.note(
            f"Predicting {', '.join(lines.target_names)} from {', '.join(lines.feature_names)}; network {network}"
            f"{on}, {network.parameters:,} parameters"
        )
        if not self._board:
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


def start_of(path: Path, port: str | None) -> Model:
    """Read the model to go on from.

    Parameters
    ----------
    path : Path
        Its file.
    port : str or None
        The board's, if one trains.

    Raises
    ------
    ValueError
        For a model of columns that are no numbers, or have no names, and for one that no board can train.
    """
    model = load_model(path)
    if not model.feature_names:
        raise ValueError(f"{path}: its columns have no names, by which a stream's columns are found")
    if others := [rule.column for rule in model.encoding.features if rule.kind != "number"]:
        raise ValueError(f"{path}: its columns {', '.join(others)} are no numbers, which is all that a stream has")
    if port:
        check_fixed(model, path)
    return model
