"""`python -m sw info`: what a model file holds."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sw.commands.options import add_json, check_folders, history_rows, write_json
from sw.model import FILE_VERSION, Model


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="model file, .npz")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    check_folders(options.json)
    model = Model.load(options.model)
    figures = describe(model)
    console = Console(highlight=False, soft_wrap=True)
    network = model.network
    console.print(f"[bold]{escape(str(options.model))}[/], file version {figures['version']}")
    console.print(f"network     {network}, {network.parameters:,} parameters")
    console.print(f"arithmetic  {figures['arithmetic']}")
    console.print(f"trained     {trained(model.history)}")
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "name"):
        table.add_column(name)
    for name in ("low", "high"):
        table.add_column(name, justify="right")
    for kind in ("features", "targets"):
        for each in figures[kind]:
            table.add_row(kind[:-1], escape(each["name"]), f"{each['low']:.6g}", f"{each['high']:.6g}")
    console.print(table)
    write_json(options.json, figures)
    return 0


def describe(model: Model) -> dict[str, Any]:
    network, scaling, history = model.network, model.scaling, model.history
    return {
        "version": FILE_VERSION,
        "network": network.describe(),
        "parameters": network.parameters,
        "arithmetic": f"fixed{network.width}" if model.domains is None else "floating point",
        "headroom": model.headroom,
        "features": _ranges(model.feature_names, scaling.feature_low, scaling.feature_high),
        "targets": _ranges(model.target_names, scaling.target_low, scaling.target_high),
        "history": None if history is None else history_rows(history),
    }


def _ranges(names: tuple[str, ...], lows: np.ndarray, highs: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"name": name, "low": low, "high": high}
        for name, low, high in zip(names, lows.tolist(), highs.tolist(), strict=True)
    ]


def trained(history: np.ndarray | None) -> str:
    if history is None:
        return "no history in the file"
    last, best = history[-1], history[history["rmse"].argmin()]
    return (
        f"{last['records']:,} records in {last['seconds']:.2f} s, {len(history)} epochs; hold-out Pearson "
        f"{best['pearson']:.5f}, RMSE {best['rmse']:.5g}"
    )
