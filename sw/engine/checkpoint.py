"""Checkpoints: the state of a training in a file, so that a training that was killed can go on to the same end.

    resume(training, path, history)
    for report in run(training, path, seconds=60, history=history):
        ...

At any time there is a whole checkpoint on the disk: a new one replaces the last one when it is written completely. The
last one is kept beside it, as `path` with .previous added, in case the new one is damaged.
"""

import os
import time
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sw import archive
from sw.engine.history import TrainingHistory, check_arrays, wanted_arrays
from sw.engine.identity import differences
from sw.engine.training import State, Training, TrainingReport
from sw.outputs import Kind, Output, OutputError, archive_kind, whole
from sw.spec.bounds import shown
from sw.spec.schedule import Position

FILE_FORMAT = "kanloom-checkpoint"
FILE_VERSION = 2
CHECKPOINT_FILE = archive_kind(FILE_FORMAT)
HISTORY_PREFIX = "history_"  # of the names of a history's arrays in the file


class CheckpointError(ValueError):
    """A checkpoint is damaged, or it is one of another training."""


@dataclass(frozen=True, eq=False)
class SavedState(State):
    """A state with the history up to it.

    Attributes
    ----------
    history : dict of str to ndarray
        As `TrainingHistory.arrays`; empty if the checkpoint was written without.
    """

    history: dict[str, np.ndarray]


def files(path: Path) -> tuple[Path, ...]:
    """List the files that checkpoints are kept in, beginning with `path` itself, or with what it is a link to."""
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    return path, _beside(path, ".new"), _beside(path, ".previous")


def found(path: Path) -> bool:
    """Tell whether there is a checkpoint, whole or damaged."""
    return any(CHECKPOINT_FILE.recognises(file) for file in files(path) if file.is_file())


def outputs(path: Path) -> list[Output]:
    """List the files that checkpoints are written to; one that is damaged may be replaced if another one is not.

    Raises
    ------
    OutputError
        For a device or a pipe: a checkpoint gets its name when it is whole, and a device would lose its own.
    """
    _refuse_special(path)
    kind = Kind(CHECKPOINT_FILE.name, lambda _: found(path))
    return [Output(file, kind, "--checkpoint") for file in files(path)]


def resume(training: Training, path: Path, history: TrainingHistory | None = None) -> bool:
    """Bring a training to the state in its checkpoint, and its history, too.

    The schedule may be longer than it was when the checkpoint was written.

    All processes must call this at the same time; the first one reads the file.

    Parameters
    ----------
    training : Training
        The training; it is left as it is if there is no checkpoint.
    path : Path
        The file.
    history : TrainingHistory, optional
        Of the training.

    Returns
    -------
    bool
        True if there is a checkpoint.

    Raises
    ------
    CheckpointError
        If neither the checkpoint nor the previous one is whole, or it is one of another training.
    """
    state = training.processes.broadcast(load(training, path) if training.processes.rank == 0 else None)
    if state:
        training.resume(state)
        if history:
            history.restore(state.history)
    return state is not None


def run(
    training: Training, path: Path, seconds: float, history: TrainingHistory | None = None
) -> Generator[TrainingReport, None, None]:
    """Run a training, as `Training.run`, and write checkpoints.

    The first process writes one when `seconds` have passed since the last one, and one where the training ends or the
    caller stops. One that cannot be written does not end the training: a warning says so once, and the next one is
    tried.

    Parameters
    ----------
    training : Training
        The training.
    path : Path
        The file.
    seconds : float
        Time between checkpoints.
    history : TrainingHistory, optional
        Of the training, to be kept in the checkpoints.

    Yields
    ------
    TrainingReport
        The progress after each shard.

    Raises
    ------
    OutputError
        After the last report, or when the caller stops, if the last checkpoint could not be written.
    """
    writes, written = training.processes.rank == 0, time.monotonic()
    failure: OutputError | None = None
    for report in training.run():
        if history:
            history.follow(report)
        due = time.monotonic() - written >= seconds or report.records == report.total
        if writes and due:
            failure = _tried(training, path, history, failure)
            written = time.monotonic()
        try:
            yield report
        except GeneratorExit:
            if writes and (failure or not due):
                save(training, path, history)
            raise
    if failure:
        save(training, path, history)


def _tried(
    training: Training, path: Path, history: TrainingHistory | None, failure: OutputError | None
) -> OutputError | None:
    """Write a checkpoint; return the error if that fails, and warn of it if the one before did not."""
    try:
        save(training, path, history)
    except OutputError as error:
        if failure is None:
            warnings.warn(f"{error}; the training goes on, and tries again later", stacklevel=3)
        return error
    return None


def save(training: Training, path: Path, history: TrainingHistory | None = None) -> None:
    """Write a checkpoint of a training that is between two reports.

    Raises
    ------
    OutputError
        If it cannot be written; the last one is left as it is.
    """
    _refuse_special(path)
    state, (file, new, previous) = training.state, files(path)
    header = {
        "format": FILE_FORMAT,
        "version": FILE_VERSION,
        "epoch": state.position.epoch,
        "shard": state.position.shard,
        "training": training.identity,
    }
    arrays = {f"{HISTORY_PREFIX}{name}": array for name, array in (history.arrays() if history else {}).items()}
    with whole(new) as stream:
        archive.write(stream, header, {"parameters": state.parameters, **arrays}, compressed=False)
    try:
        if file.exists():
            os.replace(file, previous)
        os.replace(new, file)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def load(training: Training, path: Path) -> SavedState | None:
    """Read the state in a checkpoint, or in the previous one if it is damaged, which a warning says.

    Returns
    -------
    SavedState or None
        None if there is no checkpoint.

    Raises
    ------
    CheckpointError
        As `resume`.
    """
    damages = []
    # A .new one that is whole has been written by a process killed before it gave it its name.
    for file in filter(Path.exists, files(path)):
        try:
            state = _read(file, training)
        except archive.ArchiveError as error:
            damages.append(str(error))
            continue
        if damages:
            warnings.warn(f"{damages[0]}; going on from {file}", stacklevel=3)
        return state
    if damages:
        raise CheckpointError("; ".join(damages))
    return None


def _refuse_special(path: Path) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OutputError(f"{path} is a device or a pipe; --checkpoint names a file")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _read(path: Path, training: Training) -> SavedState:
    """Read the state in a file, and check it before anything is made of it.

    Raises
    ------
    ArchiveError
        For a file that is damaged, or no checkpoint.
    CheckpointError
        For a checkpoint of another training.
    """
    present = training.state.parameters
    models = range(1, training.models + 1)  # a row for all of them, or one for each
    wanted = {f"{HISTORY_PREFIX}{name}": each for name, each in wanted_arrays(training.model).items()}
    wanted["parameters"] = archive.Wanted((models, present.shape[1]), present.dtype)
    with archive.reading(path, FILE_FORMAT) as file:
        header = file.header
        _check(path, header, training)
        arrays = file.arrays(wanted)
    position = Position(header.get("epoch"), header.get("shard"))  # type: ignore[arg-type]
    history = {
        name.removeprefix(HISTORY_PREFIX): array for name, array in arrays.items() if name.startswith(HISTORY_PREFIX)
    }
    state = SavedState(position, arrays["parameters"], history)
    try:
        training.check(state)
        check_arrays(history)
    except ValueError as error:
        raise archive.ArchiveError(f"{path} is damaged: {error}") from error
    return state


def _check(path: Path, header: dict[str, Any], training: Training) -> None:
    """Raise CheckpointError, naming what differs, unless the checkpoint is of this training."""
    if header.get("version") != FILE_VERSION:
        raise CheckpointError(f"{path} is of version {shown(header.get('version'))}; this program reads {FILE_VERSION}")
    if not isinstance(header.get("training"), dict):
        raise archive.ArchiveError(f"{path} is damaged: it does not say of which training it is")
    try:
        found = differences(header["training"], training.identity)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise archive.ArchiveError(f"{path} is damaged: it does not say of which training it is") from error
    if found:
        raise CheckpointError(f"{path} is of another training: {'; '.join(found)}")
