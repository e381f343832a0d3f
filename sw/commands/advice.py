"""Advice from the counts of a training: what to do when a network's scale is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sw.spec.network import Network
    from sw.spec.trainer import Statistics

MOST_SATURATIONS = 0.005  # of the nodes that are moved
MOST_CLIPS = 0.003  # of the hidden arguments
MOST_ZERO_STEPS = 0.5  # of the steps


def shares(network: Network, statistics: Statistics | None) -> dict[str, float] | None:
    """Divide each count by how often a training could have counted it.

    Parameters
    ----------
    network : Network
        What was trained.
    statistics : Statistics or None
        The counts, not of pre-training, in which each group has steps of its own.

    Returns
    -------
    dict or None
        By the counts' names; None without counts, zeros without records.
    """
    if statistics is None:
        return None
    layers, records = network.layers, statistics.records or 1
    nodes = sum(2 * layer.inputs * layer.outputs for layer in layers)
    hidden, steps = (sum(layer.outputs for layer in some) for some in (layers[:-1], layers))
    return {
        "saturations": statistics.saturations / (nodes * records),
        "clips": statistics.clips / (hidden * records) if hidden else 0.0,
        "zero_steps": statistics.zero_steps / (steps * records),
    }


def advice(network: Network, statistics: Statistics | None) -> list[str]:
    """Say what to do when a training counted too much; the bounds are explained in docs/architecture.md.

    Parameters
    ----------
    network : Network
        What was trained.
    statistics : Statistics or None
        The counts of its last epoch.

    Returns
    -------
    list of str
        A line for each count that is too large; none if the scale is good.
    """
    share = shares(network, statistics)
    if share is None:
        return []
    lines = []
    if share["saturations"] > MOST_SATURATIONS:
        lines.append(
            f"{share['saturations']:.2%} of the moved nodes were cut to the word: more headroom or larger update "
            "shifts give them room."
        )
    if share["clips"] > MOST_CLIPS:
        lines.append(
            f"{share['clips']:.1%} of the hidden arguments were cut to their domain: a smaller gain or spread, or "
            "larger back shifts keep them inside."
        )
    if share["zero_steps"] > MOST_ZERO_STEPS:
        finer = "" if network.fine else ", or fine bits (--fine 4, where the schedule is made for them)"
        lines.append(
            f"{share['zero_steps']:.0%} of the steps are zero and move no node: less headroom, smaller update and back "
            f"shifts{finer} keep more of them."
        )
    return lines
