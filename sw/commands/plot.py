"""`python -m sw plot`: pictures of a model."""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from sw.commands.options import DATA_HELP, add_data, check_folders, open_data
from sw.datasets import NAMES
from sw.figures import plots
from sw.figures.network_diagram import diagram
from sw.model import Model, check_fit

KINDS = ("network", "convergence", "predictions")
OUTPUTS = (".png", ".svg")
DOTS = 140  # an inch
SHARD_RECORDS = 1 << 16


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("dataset", nargs="?", help=f"whose hold-out is predicted: {DATA_HELP}")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help=", ".join(OUTPUTS))
    add_data(parser)


def run(options: argparse.Namespace) -> int:
    if options.output.suffix.lower() not in OUTPUTS:
        raise ValueError(f"{options.output} does not end in {', '.join(OUTPUTS)}")
    check_folders(options.output)
    matplotlib.use("Agg")
    figure = draw(options, Model.load(options.model))
    figure.savefig(options.output, dpi=DOTS)
    print(f"{options.model}: {options.kind} drawn in {options.output}.")
    return 0


def draw(options: argparse.Namespace, model: Model) -> Figure:
    if options.kind == "network":
        return diagram(model, f"{options.model.name}: {model.network}")
    if options.kind == "convergence":
        if model.history is None:
            raise ValueError(f"{options.model} has no history; python -m sw train writes one")
        return plots.convergence(model.history)
    if options.dataset is None:
        raise ValueError("predictions are of a data set's hold-out: python -m sw plot MODEL DATASET --kind predictions")
    return _predictions(options, model)


def _predictions(options: argparse.Namespace, model: Model) -> Figure:
    # They bring Numba, which the other kinds do without.
    from sw.commands.predict import feature_columns
    from sw.engine.prediction import Predictor

    if options.targets is None and options.dataset not in NAMES:
        options.targets = list(model.target_names)
    source = open_data(options)
    check_fit(model.network, source)
    chosen = feature_columns(model, source.name, source.feature_names)
    predictor, predicted, true = Predictor(model), [], []
    for shard in source.shards("holdout", SHARD_RECORDS):
        predicted.append(predictor.predict(shard.features[:, chosen]))
        true.append(shard.targets.copy())
    return plots.predictions(np.concatenate(predicted), np.concatenate(true), model.target_names)
