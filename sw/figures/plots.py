"""Plots: the convergence of a training, predictions against the truth, and what staleness and short words cost."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from sw.figures.lettering import label, rename, shown
from sw.metrics import Score

INK, FAINT = "#22303c", "#c9d1d9"
ACCENT, SECOND = "#2f6fab", "#d9622b"

PANELS = 12  # targets whose predictions are drawn, at most
LINES = 8  # targets whose convergence is drawn, at most
WIDE = 4.0  # a range of errors is drawn on a logarithmic scale if its ends are this many times apart
TICKS = 6


def convergence(history: np.ndarray, scores: np.ndarray | None = None, names: tuple[str, ...] = ()) -> Figure:
    """Plot Pearson correlation and RMSE of the hold-out over the records trained on.

    Parameters
    ----------
    history : ndarray of `sw.model.HISTORY`
        One row for each epoch.
    scores : ndarray of shape (epochs, outputs, 2), optional
        Pearson and RMSE of each target, for a line each.
    names : tuple of str
        Names of the targets.

    Returns
    -------
    Figure
        Two plots, one above the other.
    """
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    records, best = history["records"], int(history["rmse"].argmin())
    targets = len(names)
    drawn = 0 if scores is None else min(targets, LINES)
    named: list[str] = []
    for axes, name in ((upper, "pearson"), (lower, "rmse")):
        for index in range(drawn):
            assert scores is not None
            values = scores[:, index, 0 if name == "pearson" else 1]
            axes.plot(records, values, "o-", color=f"C{index}", markersize=3, linewidth=1.3, label=str(index))
        overall = {"color": INK, "linestyle": "--"} if drawn else {"color": ACCENT, "marker": "o"}
        axes.plot(records, history[name], markersize=4, linewidth=1.5, label="overall", **overall)
        axes.plot(records[best], history[name][best], "o", color=SECOND, markersize=8, label="best")
        if history["pretraining"].any():
            end = records[history["pretraining"]].max()
            axes.axvspan(0, end, color=FAINT, alpha=0.35, linewidth=0, label="pre-training")
        _plain(axes)
    upper.locator_params(axis="y", nbins=TICKS)
    _scale_of_errors(lower)
    lower.xaxis.set_major_formatter("{x:,.0f}")
    lower.locator_params(axis="x", nbins=TICKS)
    lower.set_xlim(left=0)
    unit = f"units of {shown(names[0])}" if targets == 1 else "units of the targets"
    label(upper, y="hold-out Pearson")
    label(lower, x="records trained on, all epochs together", y=f"hold-out RMSE,\n{unit}")
    named += [shown(name) for name in names[:drawn]]
    if drawn:
        named.append("lowest Pearson, RMSE over all" + (f" {targets} targets" if targets > drawn else ""))
    else:
        named.append("after each epoch")
    named += ["the model that is kept", *(["pre-training"] if history["pretraining"].any() else [])]
    rename(figure.legend(*upper.get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=4), named)
    figure.align_ylabels()
    upper.set_title(
        f"best: Pearson {history['pearson'][best]:.5f}, RMSE {history['rmse'][best]:.5g}, after {records[best]:,} "
        f"records and {history['seconds'][best]:.2f} s of training",
        fontsize=11,
        color=INK,
    )
    return figure


def _scale_of_errors(axes: Axes) -> None:
    """Scale an axis of errors, which may cover many powers of ten or hardly anything."""
    errors = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.get_lines()])
    if errors.min() <= 0 or errors.max() < WIDE * errors.min():
        axes.locator_params(axis="y", nbins=TICKS)
        return
    axes.set_yscale("log")
    decades = np.log10(errors.max() / errors.min())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def predictions(predicted: np.ndarray, true: np.ndarray, names: tuple[str, ...]) -> Figure:
    """Plot predicted over true targets, a panel for each of the first targets.

    Parameters
    ----------
    predicted, true : ndarray of shape (n, outputs)
        Targets in the user's units.
    names : tuple of str
        Names of the targets.

    Returns
    -------
    Figure
        The panels.
    """
    count = min(len(names), PANELS)
    across = ceil(sqrt(count))
    down = ceil(count / across)
    figure = Figure(figsize=(4.8 * across + 0.6, 4.8 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for index, (axes, name) in enumerate(zip(panels, names, strict=False)):
        p, t = predicted[:, index], true[:, index]
        score = Score()
        score.add(p[:, None], t[:, None])
        low, high = min(p.min(), t.min()), max(p.max(), t.max())
        edge = 0.03 * (high - low) or 1.0
        axes.plot((low, high), (low, high), color=SECOND, linewidth=1, zorder=3)
        axes.plot(t, p, ".", color=ACCENT, markersize=3, alpha=min(1.0, 0.15 + 300 / len(t)), markeredgewidth=0)
        axes.set(xlim=(low - edge, high + edge), ylim=(low - edge, high + edge))
        axes.set_aspect("equal")
        axes.locator_params(nbins=TICKS)
        said = f"Pearson {score.pearson:.5f}, RMSE {score.rmse:.5g}, R2 {score.r2:.5f}\n{len(t):,} unseen records"
        label(axes, x=f"true {shown(name)}", y=f"predicted {shown(name)}", title=said)
        _plain(axes)
    for axes in panels[count:]:
        axes.set_axis_off()
    if len(names) > count:
        figure.supxlabel(f"and {len(names) - count} more targets", fontsize=10, color=INK)
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


def word_lengths(curves: Mapping[tuple[str, int], Sequence[tuple[int, float]]], limit: float) -> Figure:
    """Plot what a short word costs: a line for each data set, dashed with fine bits.

    Parameters
    ----------
    curves : mapping of (str, int) to sequence of (int, float)
        For each data set and number of fine bits, points of a word's bits and RMSE relative to floating point.
    limit : float
        A ratio to mark.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color=INK, linewidth=1)
    axes.axhline(limit, color=INK, linewidth=1, linestyle=":", label=f"{limit:g}")
    colors: dict[str, str] = {}
    for (name, fine), points in curves.items():
        color = colors.setdefault(name, f"C{len(colors)}")
        style, text = ("o--", f"{name}, {fine} fine bits") if fine else ("o-", name)
        axes.plot(*zip(*sorted(points), strict=True), style, color=color, markersize=4, linewidth=1.5, label=text)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("bits of a word")
    axes.set_ylabel("hold-out RMSE, relative to float32")
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
