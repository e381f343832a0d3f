"""`kanloom info`: what a model file holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sw.commands.advice import advice, shares
from sw.commands.options import add_json, history_rows, load_model
from sw.commands.progress import TerminalReporter
from sw.outputs import FIGURES, Output, add_force, check, write_json

if TYPE_CHECKING:
    import numpy as np

    from sw.datasets.dataset import Selection
    from sw.datasets.encoding import Encoding
    from sw.model import Model

RANGES_MEAN = (
    "A feature's low and high are the ends of its range in training; values beyond count as these.",
    "A target's low and high are what -1 and 1 of the network stand for; data and predictions may lie beyond.",
)

EXAMPLES = ("det4.npz", "det4.npz --json det4.json")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.add_argument("model", type=Path, help="model file, .npz")
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Show what the model file holds.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For results.

    Returns
    -------
    int
        The exit status.
    """
    from rich.table import Table
    from rich.text import Text

    check(Output(options.json, FIGURES, "--json"), inputs=[options.model], force=options.force)
    model = load_model(options.model)
    figures = describe(model)
    network = model.network
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "name"):
        table.add_column(name)
    scored = model.target_scores is not None
    for name in ("low", "high", *(("hold-out Pearson", "RMSE") if scored else ())):
        table.add_column(name, justify="right")
    for kind in ("features", "targets"):
        for each in figures[kind]:
            scores = (f"{each['pearson']:.5f}", f"{each['rmse']:.5g}") if "pearson" in each else ()
            table.add_row(kind[:-1], Text(each["name"]), f"{each['low']:.6g}", f"{each['high']:.6g}", *scores)
    reporter.show(
        f"{options.model}, file version {figures['version']}",
        f"network     {network}, {network.parameters:,} parameters",
        f"arithmetic  {figures['arithmetic']}",
        f"trained     {trained(model.history, network.outputs)}",
        f"on          {trained_on(model.selection)}",
        *counted(model),
        table,
        *RANGES_MEAN,
        *columns_of(model.encoding),
    )
    write_json(options.json, figures)
    return 0


def describe(model: Model) -> dict[str, Any]:
    """Return everything about a model but its nodes.

    Parameters
    ----------
    model : Model
        From a file.

    Returns
    -------
    dict
        Plain data, for JSON.
    """
    from sw.model import FILE_VERSION

    network, scaling, history = model.network, model.scaling, model.history
    targets = _ranges(model.target_names, scaling.target_low, scaling.target_high)
    if model.target_scores is not None and history is not None:
        for each, (pearson, rmse) in zip(targets, model.target_scores[best_row(history)].tolist(), strict=True):
            each |= {"pearson": pearson, "rmse": rmse}
    return {
        "version": FILE_VERSION,
        "network": network.describe(),
        "parameters": network.parameters,
        "arithmetic": f"fixed{network.width}" if model.domains is None else "floating point",
        "headroom": model.headroom,
        "features": _ranges(model.feature_names, scaling.feature_low, scaling.feature_high),
        "targets": targets,
        "encoding": model.encoding.plain(),
        "selection": model.selection and model.selection.plain(),
        "history": None if history is None else history_rows(history),
        "counted": shares(network, model.statistics),
    }


def _ranges(names: tuple[str, ...], lows: np.ndarray, highs: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"name": name, "low": low, "high": high}
        for name, low, high in zip(names, lows.tolist(), highs.tolist(), strict=True)
    ]


def trained(history: np.ndarray | None, targets: int = 1) -> str:
    """Say how a model was trained.

    Parameters
    ----------
    history : array of `sw.model.HISTORY` or None
        The model's.
    targets : int
        Targets of the model.
    """
    if history is None:
        return "no history in the file"
    last, best = history[-1], history[best_row(history)]
    return (
        f"{last['records']:,} records in {last['seconds']:.2f} s, {len(history)} epochs; hold-out Pearson "
        f"{best['pearson']:.5f}{', the lowest of the targets' if targets > 1 else ''}, RMSE {best['rmse']:.5g}"
        f"{' over all' if targets > 1 else ''}, after {best['records']:,} records"
    )


def counted(model: Model) -> list[str]:
    """Say what was counted in a model's last epoch, and what to do about it, a line each.

    Parameters
    ----------
    model : Model
        From a file.
    """
    share = shares(model.network, model.statistics)
    if share is None:
        return []
    clips = f"{share['clips']:.2%} of hidden arguments clipped, " if len(model.network.layers) > 1 else ""
    return [
        f"counted     {share['saturations']:.2%} of moved nodes cut to the word, {clips}{share['zero_steps']:.0%} of "
        "steps zero",
        *(f"            {line}" for line in advice(model.network, model.statistics)),
    ]


def best_row(history: np.ndarray) -> int:
    """Find the row of a history that the model was kept of: the least RMSE.

    Parameters
    ----------
    history : array of `sw.model.HISTORY`
        The model's.
    """
    return int(history["rmse"].argmin())


def trained_on(selection: Selection | None) -> str:
    """Say which records a model was trained on.

    Parameters
    ----------
    selection : Selection or None
        The model's.
    """
    if selection is None:
        return "records that the file does not name"
    rows = "" if selection.rows is None else f"; the file had {selection.rows:,} rows"
    return (
        f"{selection.name}: {selection.records:,} records, {selection.holdout:,} held out, seed {selection.seed}{rows}"
    )


def columns_of(encoding: Encoding) -> list[str]:
    """Say what is done to columns that are not simply numbers, a line each.

    Parameters
    ----------
    encoding : Encoding
        The model's.
    """
    from sw.datasets.encoding import MEDIAN, REFUSE, encoding_notes

    lines = encoding_notes(encoding)
    if encoding.missing != REFUSE:
        fills = [f"{rule.column} {rule.fill:.6g}" for rule in encoding.features if rule.fill is not None]
        filled = f"are filled: {', '.join(fills)}" if encoding.missing == MEDIAN else "leave their row out"
        lines.append(f"missing cells {filled}")
    return lines
