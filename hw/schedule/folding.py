"""How a network is folded: the taps and lanes of each layer, and the groups of addends that a folding can pre-train."""

from collections.abc import Sequence
from itertools import pairwise

from hw.schedule.timing import REPLAY_LATENCY
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.bounds import counted
from sw.spec.network import Network


def chain(taps: int, lanes: Sequence[int]) -> tuple[Folding, ...]:
    """Return the foldings of layers with these lanes: the first has `taps` taps, the others the lanes before them."""
    return tuple(map(Folding, (taps, *lanes[:-1]), lanes))


def check_foldings(network: Network, foldings: Sequence[Folding]) -> None:
    """Refuse foldings that do not fit the network or each other.

    Raises
    ------
    ValueError
        Unless there is a folding for each layer, which divides the layer and takes the lanes of the layer before as its
        taps.
    """
    if len(foldings) != len(network.layers):
        layers = counted(len(network.layers), "layer")
        raise ValueError(f"{counted(len(foldings), 'folding')} for a network of {layers}")
    for index, (layer, folding) in enumerate(zip(network.layers, foldings, strict=True)):
        for count, what, size, of in (
            (folding.taps, "taps", layer.inputs, "inputs"),
            (folding.lanes, "lanes", layer.outputs, "outputs"),
        ):
            if count < 1 or size % count:
                raise ValueError(f"layer {index}: {count} {what} do not divide its {size} {of}")
    for index, (before, after) in enumerate(pairwise(foldings)):
        if after.taps != before.lanes:
            raise ValueError(f"layer {index + 1}: {after.taps} taps cannot take {before.lanes} lanes of layer {index}")


def pretraining_groups(network: Network, foldings: Sequence[Folding]) -> list[int]:
    """Return the sizes, in addends, of groups that can be trained alone.

    A group is whole slots of the last layer, and the slots of the other groups give its residual time to pass the FIFO.

    Raises
    ------
    ValueError
        For a network that is not of 2 layers, or a last layer with several groups of outputs.
    """
    last, folding = network.layers[-1], foldings[-1]
    network.addend_slice(0, last.inputs)  # raises, unless the network has groups of addends
    if folding.lanes != last.outputs:
        raise ValueError(f"pre-training needs all {last.outputs} outputs in lanes, not {folding.lanes}")
    period = network.features // foldings[0].taps  # cycles from one slot to the next
    return [
        size
        for size in range(folding.taps, last.inputs, folding.taps)
        if not last.inputs % size and (last.inputs - size) // folding.taps * period >= REPLAY_LATENCY
    ]


def check_pretraining(network: Network, foldings: Sequence[Folding], addends: int) -> None:
    """Raise ValueError unless groups of so many addends can be trained alone."""
    legal = pretraining_groups(network, foldings)
    if addends not in legal:
        raise ValueError(
            f"pre-training groups of {addends} addends: {foldings[-1].taps} of {network.layers[-1].inputs} addends a "
            f"clock can be in groups of {', '.join(map(str, legal)) or 'no size'}"
        )


def revisit_of(network: Network, foldings: Sequence[Folding], *, exact: bool, contexts: int = 1) -> int | None:
    """Return the clocks after which a row of a node bank may be updated again; None where that is never soon.

    A record takes a clock a slot at the least, and updates each slot of its context once.
    """
    slots = [addresses.slots for addresses in map(NodeAddresses, network.layers, foldings)]
    return None if exact else contexts * max(slots)
