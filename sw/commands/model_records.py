"""The records of a data set as a model takes them: some to look at, and the hold-out for scores."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sw.commands.options import DATA_HELP, add_data, tell_notes
from sw.commands.progress import TerminalReporter
from sw.datasets import open_source
from sw.datasets.matching import match

if TYPE_CHECKING:
    from sw.datasets import Source
    from sw.datasets.dataset import Selection
    from sw.metrics import Score
    from sw.model import Model

MOST_RECORDS = 4096  # that functions are looked at on


@dataclass(frozen=True)
class ModelRecords:
    """Records in the order of a model's features.

    Attributes
    ----------
    training : ndarray of shape (n, features)
        The first records to train on, `MOST_RECORDS` at most.
    features, targets : ndarray of shape (n, features) and (n, outputs)
        The hold-out.
    """

    training: np.ndarray
    features: np.ndarray
    targets: np.ndarray


def declare_records(parser: argparse.ArgumentParser) -> None:
    """Add a model, a data set and the options that say which of its records are meant.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("model", type=Path, help="model file, .npz, of one layer or two")
    parser.add_argument("dataset", help=f"as the model was trained on: {DATA_HELP}")
    add_data(parser, of_model=True)


def read_records(options: argparse.Namespace, model: Model, reporter: TerminalReporter) -> ModelRecords:
    """Read the records that the verb's options name.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    model : Model
        What says which columns are meant.
    reporter : TerminalReporter
        For remarks about the data.

    Returns
    -------
    ModelRecords
        The records.
    """
    source = open_as_trained(options, model, reporter)
    names = model.feature_names or source.feature_names
    model.network.check_columns(len(names), len(source.target_names), source.name, "the model")
    chosen = places_of(names, source)
    training = next(iter(source.shards("train", MOST_RECORDS))).features[:, chosen]
    shards = [(each.features[:, chosen], each.targets.copy()) for each in source.shards("holdout", MOST_RECORDS)]
    features, targets = (np.concatenate(each) for each in zip(*shards, strict=True))
    return ModelRecords(training, features, targets)


def score_of(predicted: np.ndarray, true: np.ndarray) -> Score:
    """Score predictions in memory, both (n, outputs)."""
    from sw.metrics import Score

    score = Score()
    score.add(predicted, true)
    return score


def open_as_trained(options: argparse.Namespace, model: Model, reporter: TerminalReporter) -> Source:
    """Open a data set as a model was trained on it, and tell whose its hold-out is.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's. If they say which records are meant, the model's own records are not looked for.
    model : Model
        What is done to the columns, and which records it was trained on.
    reporter : TerminalReporter
        For remarks about the data.

    Returns
    -------
    Source
        The model's own records if this is the data set that it was trained on.
    """
    given = (options.records, options.holdout, options.seed) != (None, None, None)
    source = open_source(
        options.dataset,
        records=options.records,
        holdout=options.holdout,
        seed=options.seed or 0,
        header=options.header,
        encoding=model.encoding,
        like=None if given else model.selection,
    )
    tell_notes(source.name, source.notes, reporter.note)
    reporter.note(f"{source.name}: {whose_holdout(model.selection, source.selection)}")
    return source


def places_of(names: Sequence[str], source: Source) -> list[int]:
    """Find a model's features among the columns of a source.

    Parameters
    ----------
    names : sequence of str
        The model's features; none if they have no names.
    source : Source
        The records.
    """
    found, _ = match(names, source.feature_names, source.name)
    return [source.feature_names.index(name) for name in found]


def whose_holdout(trained: Selection | None, shown: Selection | None) -> str:
    """Say whether the records of a hold-out are new to a model.

    Parameters
    ----------
    trained : Selection or None
        Records that the model was trained on.
    shown : Selection or None
        The records whose hold-out is shown.
    """
    if trained is None or shown is None:
        return "the model does not say which records it was trained on, and may have seen this hold-out"
    held = f"the hold-out of {shown.holdout:,} records by seed {shown.seed}"
    if trained == shown:
        return f"{held} is the one of the training"
    if (trained.name, trained.rows) == (shown.name, shown.rows):
        return f"{held} is not the one of the training (seed {trained.seed}), which may have seen some of it"
    rows = "" if trained.rows is None else f" of {trained.rows:,} rows"
    return f"{held} is of other data than the training's, {trained.name}{rows}, as far as names and sizes tell"
