"""Scores as a command shows them: in all, and for each target where there are several."""

from typing import Any

from sw.metrics import Score
from sw.spec.printable import printable

SHOWN = 32  # targets in a table, at most


def score_figures(score: Score, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the figures of a score as plain data.

    Parameters
    ----------
    score : Score
        Of predictions.
    names : tuple of str
        Names of the targets; they are numbered if it is empty.

    Returns
    -------
    dict
        `pearson`, the lowest of the targets; `rmse`, over all of them; `r2`, their mean; and `targets`, the same for
        each.
    """
    each = zip(score.pearson_of_targets, score.rmse_of_targets, score.r2_of_targets, strict=True)
    targets = [
        {"name": names[index] if names else str(index), "pearson": float(pearson), "rmse": float(rmse), "r2": float(r2)}
        for index, (pearson, rmse, r2) in enumerate(each)
    ]
    return {"pearson": score.pearson, "rmse": score.rmse, "r2": score.r2, "targets": targets}


def score_text(figures: dict[str, Any]) -> str:
    """Say in words how good predictions are; with several targets, what each figure is of.

    Parameters
    ----------
    figures : dict
        Of `score_figures`.
    """
    if len(figures["targets"]) == 1:
        return f"Pearson {figures['pearson']:.5f}, RMSE {figures['rmse']:.5g}, R2 {figures['r2']:.5f}"
    return (
        f"lowest Pearson of {len(figures['targets'])} targets {figures['pearson']:.5f}, RMSE over all "
        f"{figures['rmse']:.5g}, mean R2 {figures['r2']:.5f}"
    )


def score_lines(figures: dict[str, Any]) -> list[str]:
    """Make a line for each target, below a heading; nothing for a single target.

    Parameters
    ----------
    figures : dict
        Of `score_figures`.
    """
    targets = figures["targets"]
    if len(targets) == 1:
        return []
    lines = [f"{'Pearson':>9}{'RMSE':>12}{'R2':>9}  target"]
    lines += [
        f"{each['pearson']:9.5f}{each['rmse']:12.5g}{each['r2']:9.5f}  {printable(each['name'])}"
        for each in targets[:SHOWN]
    ]
    return lines + ([f"{'':9}{'':12}{'':9}  and {len(targets) - SHOWN} more"] if len(targets) > SHOWN else [])
