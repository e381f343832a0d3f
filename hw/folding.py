"""How a network is folded: taps and lanes of each layer, chained."""

from collections.abc import Sequence
from itertools import pairwise

from sw.configuration import Folding
from sw.network import Network


def chain(taps: int, lanes: Sequence[int]) -> tuple[Folding, ...]:
    """The foldings of layers of so many lanes each: the first has `taps` taps, the others take the lanes before."""
    return tuple(map(Folding, (taps, *lanes[:-1]), lanes))


def check_chain(network: Network, foldings: tuple[Folding, ...]) -> None:
    """Raise ValueError unless there is a folding for each layer, that takes the lanes of the one before as its taps.

    Whether they divide their layers is for `hw.layer` to say.
    """
    if len(foldings) != len(network.layers):
        raise ValueError(f"{len(foldings)} foldings for a network of {len(network.layers)} layers")
    for index, (before, after) in enumerate(pairwise(foldings), start=1):
        if after.taps != before.lanes:
            raise ValueError(
                f"layer {index} is folded to {after.taps} taps; it takes the {before.lanes} lanes of the layer before"
            )
