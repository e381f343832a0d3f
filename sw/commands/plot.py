"""`kanloom plot`: pictures of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.options import DATA_HELP, add_data, check_folders, check_suffix, load_model, open_data
from sw.commands.progress import TerminalReporter
from sw.datasets import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sw.model import Model

KINDS = ("network", "convergence", "predictions")
OUTPUTS = (".png", ".svg")
DOTS = 140  # an inch
SHARD_RECORDS = 1 << 16
EXAMPLES = ("det4.npz --output det4.png", "det4.npz det4 --kind predictions --output fit.png")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("dataset", nargs="?", help=f"whose hold-out is predicted: {DATA_HELP}")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="what is drawn (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help=f"picture, {', '.join(OUTPUTS)}")
    add_data(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Draw the picture that is asked for.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    int
        The exit status.
    """
    check_suffix(options.output, OUTPUTS)
    check_folders(options.output)
    with reporter.step("drawing"):
        import matplotlib

        matplotlib.use("Agg")
        figure = draw(options, load_model(options.model, options.dataset), reporter.program)
        figure.savefig(options.output, dpi=DOTS)
    reporter.note(f"{options.model}: {options.kind} drawn in {options.output}.")
    return 0


def draw(options: argparse.Namespace, model: Model, program: str) -> Figure:
    """Draw a picture of a model.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    model : Model
        What is drawn.
    program : str
        The words that start the command line here.

    Returns
    -------
    Figure
        Of Matplotlib.

    Raises
    ------
    ValueError
        If the picture needs something that is not given.
    """
    from sw.figures import plots
    from sw.figures.lettering import shown
    from sw.figures.network_diagram import diagram

    if options.kind == "network":
        return diagram(model, f"{shown(options.model.name)}: {model.network}")
    if options.kind == "convergence":
        if model.history is None:
            raise ValueError(f"{options.model} has no history; {program} train writes one")
        return plots.convergence(model.history, model.target_scores, model.target_names)
    if options.dataset is None:
        raise ValueError(f"predictions are of a data set's hold-out: {program} plot MODEL DATASET --kind predictions")
    return _predictions(options, model)


def _predictions(options: argparse.Namespace, model: Model) -> Figure:
    # They bring Numba, which the other kinds do without.
    import numpy as np

    from sw.commands.predict import feature_columns
    from sw.engine.prediction import Predictor
    from sw.figures import plots
    from sw.model import check_fit

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
