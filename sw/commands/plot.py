"""`kanloom plot`: pictures of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.model_records import open_as_trained, places_of
from sw.commands.options import DATA_HELP, add_data, check_suffix, data_file, load_model
from sw.commands.progress import TerminalReporter
from sw.outputs import PICTURE, PICTURE_METADATA, Output, add_force, check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sw.model import Model

KINDS = ("network", "convergence", "predictions")
OUTPUTS = tuple(PICTURE_METADATA)
DOTS = 140  # an inch
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
    add_force(parser)
    add_data(parser, of_model=True)


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
    model = load_model(options.model, options.dataset)
    check(Output(options.output, PICTURE), inputs=[options.model, data_file(options.dataset)], force=options.force)
    with reporter.step("drawing"):
        import matplotlib

        from sw.figures.picture import save

        matplotlib.use("Agg")
        figure = draw(options, model, reporter)
        save(figure, options.output, dpi=DOTS)
    reporter.note(f"{options.model}: {options.kind} drawn in {options.output}.")
    return 0


def draw(options: argparse.Namespace, model: Model, reporter: TerminalReporter) -> Figure:
    """Draw a picture of a model.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    model : Model
        What is drawn.
    reporter : TerminalReporter
        For remarks about the data.

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
            raise ValueError(f"{options.model} has no history; {reporter.program} train writes one")
        return plots.convergence(model.history, model.target_scores, model.target_names)
    if options.dataset is None:
        raise ValueError(
            f"predictions are of a data set's hold-out: {reporter.program} plot MODEL DATASET --kind predictions"
        )
    return _predictions(options, model, reporter)


def _predictions(options: argparse.Namespace, model: Model, reporter: TerminalReporter) -> Figure:
    # They bring Numba, which the other kinds do without.
    import numpy as np

    from sw.engine.prediction import Predictor
    from sw.engine.shards import SHARD_RECORDS
    from sw.figures import plots
    from sw.model import check_fit

    source = open_as_trained(options, model, reporter)
    check_fit(model.network, source)
    chosen = places_of(model.feature_names, source)
    predictor, predicted, true = Predictor(model), [], []
    for shard in source.shards("holdout", SHARD_RECORDS):
        predicted.append(predictor.predict(shard.features[:, chosen]))
        true.append(shard.targets.copy())
    return plots.predictions(np.concatenate(predicted), np.concatenate(true), model.target_names)
