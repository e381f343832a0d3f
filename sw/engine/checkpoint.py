"""Checkpoints: the state of a training in a file, so that a training that was killed can go on to the same end.

    resume(training, path)
    for report in run(training, path, seconds=60):
        ...

At any time there is a whole checkpoint on the disk: a new one replaces the last one when it is written completely. The
last one is kept beside it, as `path` with .previous added, in case the new one is damaged.
"""

import json
import os
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from sw import archive
from sw.engine.training import State, Training, TrainingReport
from sw.spec.bounds import shown
from sw.spec.schedule import Position

FILE_FORMAT = "kanloom-checkpoint"
FILE_VERSION = 2


class CheckpointError(ValueError):
    """A checkpoint is damaged, or it is one of another training."""


def resume(training: Training, path: Path) -> bool:
    """Bring a training to the state in its checkpoint.

    All processes must call this at the same time; the first one reads the file.

    Parameters
    ----------
    training : Training
        The training; it is left as it is if there is no checkpoint.
    path : Path
        The file.

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
    return state is not None


def run(training: Training, path: Path, seconds: float) -> Generator[TrainingReport, None, None]:
    """Run a training, as `Training.run`, and write checkpoints.

    The first process writes one when `seconds` have passed since the last one, and one where the training ends or the
    caller stops.

    Parameters
    ----------
    training : Training
        The training.
    path : Path
        The file.
    seconds : float
        Time between checkpoints.

    Yields
    ------
    TrainingReport
        The progress after each shard.
    """
    writes, written = training.processes.rank == 0, time.monotonic()
    for report in training.run():
        due = time.monotonic() - written >= seconds or report.records == report.total
        if writes and due:
            save(training, path)
            written = time.monotonic()
        try:
            yield report
        except GeneratorExit:
            if writes and not due:
                save(training, path)
            raise


def save(training: Training, path: Path) -> None:
    """Write a checkpoint of a training that is between two reports."""
    state, new = training.state, _beside(path, ".new")
    header = {
        "format": FILE_FORMAT,
        "version": FILE_VERSION,
        "epoch": state.position.epoch,
        "shard": state.position.shard,
        "training": training.identity,
    }
    with open(new, "wb") as file:
        archive.write(file, header, {"parameters": state.parameters}, compressed=False)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        os.replace(path, _beside(path, ".previous"))
    os.replace(new, path)


def load(training: Training, path: Path) -> State | None:
    """Read the state in a checkpoint, or in the previous one if it is damaged, which a warning says.

    Returns
    -------
    State or None
        None if there is no checkpoint.

    Raises
    ------
    CheckpointError
        As `resume`.
    """
    damages = []
    # A .new one that is whole has been written by a process killed before it gave it its name.
    for file in filter(Path.exists, (path, _beside(path, ".new"), _beside(path, ".previous"))):
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


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _read(path: Path, training: Training) -> State:
    """Read the state in a file, and check it before anything is made of it.

    Raises
    ------
    ArchiveError
        For a file that is damaged, or no checkpoint.
    CheckpointError
        For a checkpoint of another training.
    """
    with archive.reading(path, FILE_FORMAT) as file:
        header = file.header
        _check(path, header, training)
        parameters = file.arrays({"parameters": _wanted(training)})["parameters"]
    state = State(Position(header.get("epoch"), header.get("shard")), parameters)  # type: ignore[arg-type]
    try:
        training.check(state)
    except ValueError as error:
        raise archive.ArchiveError(f"{path} is damaged: {error}") from error
    return state


def _wanted(training: Training) -> archive.Wanted:
    """Return what the array of parameters has to be: a row for all models, or one for each."""
    present = training.state.parameters
    return archive.Wanted((range(1, training.models + 1), present.shape[1]), present.dtype)


def _check(path: Path, header: dict[str, Any], training: Training) -> None:
    """Raise CheckpointError, naming what differs, unless the checkpoint is of this training."""
    if header.get("version") != FILE_VERSION:
        raise CheckpointError(f"{path} is of version {shown(header.get('version'))}; this program reads {FILE_VERSION}")
    if not isinstance(header.get("training"), dict):
        raise archive.ArchiveError(f"{path} is damaged: it does not say of which training it is")
    theirs, ours = (_flat(identity) for identity in (header["training"], training.identity))
    differing = [
        f"{name} {theirs.get(name)}, not {ours.get(name)}"
        for name in {**ours, **theirs}
        if theirs.get(name) != ours.get(name)
    ]
    if differing:
        raise CheckpointError(f"{path} is of another training: {'; '.join(differing)}")


def _flat(identity: dict[str, Any]) -> dict[str, str]:
    """Flatten to one level of names, with values as text, so that tuples and lists compare equal."""
    flat: dict[str, str] = {}
    for name, value in identity.items():
        nested = {f"{name} {key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
        flat |= {key: json.dumps(each) for key, each in nested.items()}
    return flat
