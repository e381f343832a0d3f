"""Options that several commands have."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from sw.datasets import NAMES, Source, open_source

INTERRUPTED = 130
"""The exit code of a command that was stopped."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """What says which records of a data set are meant."""
    group = parser.add_argument_group("records")
    group.add_argument("--targets", nargs="+", metavar="COLUMN", help="target columns of a file (default: the last)")
    group.add_argument("--records", type=int, help="to train on (default: the data set's, or all)")
    group.add_argument("--holdout", type=int, help="to hold out (default: the data set's, or a fifth)")
    group.add_argument("--seed", type=int, default=0, help="of the records and of the training (default: %(default)s)")


DATA_HELP = f"{', '.join(NAMES)}; or a .csv, .npy, .npz or .parquet file"


def open_data(options: argparse.Namespace) -> Source:
    return open_source(
        options.dataset,
        records=options.records,
        holdout=options.holdout,
        seed=options.seed,
        targets=options.targets,
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")


def write_json(path: Path | None, figures: dict[str, Any]) -> None:
    if path:
        path.write_text(json.dumps(figures, indent=1) + "\n")


def history_rows(history: np.ndarray) -> list[dict[str, Any]]:
    """A model's history as plain data."""
    return [dict(zip(history.dtype.names or (), row, strict=True)) for row in history.tolist()]


def check_folders(*paths: Path | None) -> None:
    """Raise ValueError for a file that cannot be written later since its folder is not there."""
    for path in paths:
        if path and not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
