"""Where a trained model goes: its file, unless a better model is there already."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sw.outputs import OutputError, take_place

if TYPE_CHECKING:
    from sw.datasets import Source
    from sw.model import Model

Judge = Callable[["Model"], float | None]
"""Computes the RMSE of a model on the hold-out; None if that was given up."""


def check_predecessor(output: Path, features: tuple[str, ...], targets: tuple[str, ...], *, force: bool) -> None:
    """Refuse to train for a file that holds a model of other data: no figure could tell which of them is better.

    Parameters
    ----------
    output : Path
        Where the trained model will go.
    features, targets : tuple of str
        Columns that are trained on.
    force : bool
        Whether any model may be replaced.

    Raises
    ------
    ValueError
        For such a file.
    """
    from sw.model import Model, ModelFileError

    if force or not _holds_something(output):
        return
    otherwise = "name another file with --output, or replace it with --force"
    try:
        model = Model.load(output)
    except ModelFileError as error:
        raise ValueError(f"{error}; {otherwise}") from error
    if (model.feature_names, model.target_names) != (features, targets):
        raise ValueError(
            f"{output} is a model of other columns, {', '.join(model.feature_names)} for "
            f"{', '.join(model.target_names)}; {otherwise}"
        )


def keep(model: Model, output: Path, judge: Judge | None, *, force: bool) -> tuple[Path, str]:
    """Save a model, and replace one that is there only by a better one.

    The model is saved under a free name before it is compared, so that nothing is lost whatever happens then.

    Parameters
    ----------
    model : Model
        The new one.
    output : Path
        Its file.
    judge : callable or None
        Compares it with the model that is there; None if nothing can be compared.
    force : bool
        Whether any model is replaced.

    Returns
    -------
    path : Path
        Where the new model is.
    remark : str
        Why it is not in `output`; empty if it is.

    Raises
    ------
    OutputError
        If the model cannot be written; the message says where it is instead.
    """
    from sw.model import Model, ModelFileError

    if force or not _holds_something(output):
        _save(model, output)
        return output, ""
    second = next(path for path in map(output.with_stem, _stems(output)) if not path.exists())
    _save(model, second)
    before = after = None
    try:
        if judge and (before := judge(Model.load(output))) is not None:
            after = judge(model)
    except (KeyboardInterrupt, ModelFileError):
        pass  # the new model is saved, which is what matters
    if before is None or after is None:
        return second, f"{output} is left as it is: which of the two models is better was not found out."
    if after > before:
        return second, (
            f"{output} is left as it is: its model is better, RMSE {before:.5g} against {after:.5g} on the same "
            "hold-out. --force replaces it."
        )
    try:
        take_place(second, output)
    except OutputError as error:
        return second, f"{error}."
    return output, ""


def judge_on(source: Source, threads: int, stop: Callable[[], bool] = lambda: False) -> Judge:
    """Make what computes the RMSE of models on a source's hold-out.

    Parameters
    ----------
    source : Source
        The records.
    threads : int
        Threads that work at a time.
    stop : callable, optional
        Asked before each shard; the judge gives up if it says True.
    """
    from sw.engine.prediction import Predictor
    from sw.engine.shards import SHARD_RECORDS
    from sw.metrics import Score

    def judge(model: Model) -> float | None:
        predictor, score = Predictor(model, threads=threads), Score()
        for shard in source.shards("holdout", SHARD_RECORDS):
            if stop():
                return None
            score.add(predictor.predict(shard.features), shard.targets)
        return score.rmse

    return judge


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _stems(path: Path) -> map[str]:
    return map(f"{path.stem}.{{}}".format, count(1))


def _save(model: Model, path: Path) -> None:
    """Save a model; where that fails, in the folder of temporary files, which the error then names."""
    try:
        model.save(path)
    except OutputError as error:
        instead = Path(tempfile.mkdtemp(prefix="kanloom-")) / path.name
        model.save(instead)
        raise OutputError(f"{error}; the model is in {instead} instead") from error
