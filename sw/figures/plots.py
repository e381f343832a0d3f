"""Plots: the convergence of a training, predictions against the truth, and what staleness costs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sw.metrics import Score

INK, FAINT = "#22303c", "#c9d1d9"
ACCENT, SECOND = "#2f6fab", "#d9622b"


def convergence(history: np.ndarray) -> Figure:
    """Plot Pearson correlation and RMSE of the hold-out over the records trained on.

    Parameters
    ----------
    history : ndarray of `sw.model.HISTORY`
        One row for each epoch.
    """
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    records, best = history["records"], history["rmse"].argmin()
    for axes, name, label in ((upper, "pearson", "Pearson"), (lower, "rmse", "RMSE")):
        axes.plot(records, history[name], "o-", color=ACCENT, markersize=4, linewidth=1.5)
        axes.plot(records[best], history[name][best], "o", color=SECOND, markersize=8)
        axes.set_ylabel(f"hold-out {label}")
        if history["pretraining"].any():
            end = records[history["pretraining"]].max()
            axes.axvspan(0, end, color=FAINT, alpha=0.35, linewidth=0, label="pre-training")
        _plain(axes)
    lower.set_yscale("log")
    lower.yaxis.set_major_formatter("{x:g}")
    lower.yaxis.set_minor_formatter("{x:g}")
    lower.xaxis.set_major_formatter("{x:,.0f}")
    lower.set_xlim(left=0)
    lower.set_xlabel("records trained on")
    if history["pretraining"].any():
        upper.legend(frameon=False, loc="lower right")
    upper.set_title(
        f"best: Pearson {history['pearson'][best]:.5f}, RMSE {history['rmse'][best]:.5g}, after "
        f"{history['seconds'][best]:.2f} s",
        fontsize=11,
        color=INK,
    )
    return figure


def predictions(predicted: np.ndarray, true: np.ndarray, names: tuple[str, ...]) -> Figure:
    """Plot predicted over true targets, a panel for each target.

    Parameters
    ----------
    predicted, true : ndarray of shape (n, outputs)
        Targets in the user's units.
    names : tuple of str
        Names of the targets.
    """
    across = min(len(names), 3)
    down = -(-len(names) // across)
    figure = Figure(figsize=(4.8 * across + 0.6, 4.8 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for index, (axes, name) in enumerate(zip(panels, names, strict=False)):
        p, t = predicted[:, index], true[:, index]
        score = Score()
        score.add(p[:, None], t[:, None])
        limits = min(p.min(), t.min()), max(p.max(), t.max())
        axes.plot(limits, limits, color=SECOND, linewidth=1, zorder=3)
        axes.plot(t, p, ".", color=ACCENT, markersize=3, alpha=min(1.0, 0.15 + 300 / len(t)), markeredgewidth=0)
        axes.set_aspect("equal")
        axes.locator_params(nbins=6)
        axes.set_xlabel(f"true {name}")
        axes.set_ylabel(f"predicted {name}")
        axes.set_title(f"Pearson {score.pearson:.5f}, R2 {score.r2:.5f}, {len(t):,} unseen records", fontsize=10)
        _plain(axes)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    return figure


def staleness(curves: Mapping[str, Sequence[tuple[int, float]]], designs: Sequence[tuple[int, float]]) -> Figure:
    """Plot what staleness costs: a curve for each data set, a diamond for each design.

    Parameters
    ----------
    curves : mapping of str to sequence of (int, float)
        For each data set, points of staleness in records and RMSE relative to sequential training.
    designs : sequence of (int, float)
        Such points of the planner's designs.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color=INK, linewidth=1)
    for index, (name, points) in enumerate(curves.items()):
        axes.plot(*zip(*sorted(points), strict=True), "o-", color=f"C{index}", markersize=3, linewidth=1.5, label=name)
    if designs:
        axes.plot(
            *zip(*designs, strict=True), "D", color=INK, markersize=6, fillstyle="none", label="planner's designs"
        )
    axes.set_xscale("symlog", linthresh=2)
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("{x:g}" if axis is axes.yaxis else "")
    axes.set_xlabel("staleness of the first layer, records")
    axes.set_ylabel("hold-out RMSE, relative to sequential training")
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
