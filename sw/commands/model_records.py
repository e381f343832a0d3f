"""The records of a data set as a model takes them: some to look at, and the hold-out for scores."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sw.commands.options import DATA_HELP, add_data, tell_notes
from sw.commands.plot import open_as_trained, whose_holdout
from sw.commands.progress import TerminalReporter
from sw.datasets.matching import match

if TYPE_CHECKING:
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
    source = open_as_trained(options, model)
    tell_notes(source.name, source.notes, reporter.note)
    reporter.note(f"{source.name}: {whose_holdout(model.selection, source.selection)}")
    names = model.feature_names or source.feature_names
    model.network.check_columns(len(names), len(source.target_names), source.name, "the model")
    found, _ = match(names, source.feature_names, source.name)
    chosen = [source.feature_names.index(name) for name in found]
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
