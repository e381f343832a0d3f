"""`kanloom info`: what a model file holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sw.commands.options import add_json, check_folders, history_rows, write_json
from sw.commands.progress import TerminalReporter

if TYPE_CHECKING:
    import numpy as np

    from sw.datasets.dataset import Selection
    from sw.datasets.encoding import Encoding
    from sw.model import Model

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
    from rich.markup import escape
    from rich.table import Table

    from sw.model import Model

    check_folders(options.json)
    model = Model.load(options.model)
    figures = describe(model)
    network = model.network
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "name"):
        table.add_column(name)
    for name in ("low", "high"):
        table.add_column(name, justify="right")
    for kind in ("features", "targets"):
        for each in figures[kind]:
            table.add_row(kind[:-1], escape(each["name"]), f"{each['low']:.6g}", f"{each['high']:.6g}")
    reporter.show(
        f"{options.model}, file version {figures['version']}",
        f"network     {network}, {network.parameters:,} parameters",
        f"arithmetic  {figures['arithmetic']}",
        f"trained     {trained(model.history)}",
        f"on          {trained_on(model.selection)}",
        table,
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
    return {
        "version": FILE_VERSION,
        "network": network.describe(),
        "parameters": network.parameters,
        "arithmetic": f"fixed{network.width}" if model.domains is None else "floating point",
        "headroom": model.headroom,
        "features": _ranges(model.feature_names, scaling.feature_low, scaling.feature_high),
        "targets": _ranges(model.target_names, scaling.target_low, scaling.target_high),
        "encoding": model.encoding.plain(),
        "selection": model.selection and model.selection.plain(),
        "history": None if history is None else history_rows(history),
    }


def _ranges(names: tuple[str, ...], lows: np.ndarray, highs: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"name": name, "low": low, "high": high}
        for name, low, high in zip(names, lows.tolist(), highs.tolist(), strict=True)
    ]


def trained(history: np.ndarray | None) -> str:
    """Say how a model was trained.

    Parameters
    ----------
    history : array of `sw.model.HISTORY` or None
        The model's.
    """
    if history is None:
        return "no history in the file"
    last, best = history[-1], history[history["rmse"].argmin()]
    return (
        f"{last['records']:,} records in {last['seconds']:.2f} s, {len(history)} epochs; hold-out Pearson "
        f"{best['pearson']:.5f}, RMSE {best['rmse']:.5g}"
    )


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
