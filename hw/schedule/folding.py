"""How a network is folded: taps and lanes of each layer, in_sequence."""

from collections.abc import Sequence
from itertools import pairwise

from hw.datapath.replay_fifo import ReplayFifo
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.network import Network


def chain(taps: int, lanes: Sequence[int]) -> tuple[Folding, ...]:
    """The foldings of layers of so many lanes each: the first has `taps` taps, the others take the lanes before."""
    return tuple(map(Folding, (taps, *lanes[:-1]), lanes))


def check_foldings(network: Network, foldings: Sequence[Folding]) -> None:
    """Raise ValueError unless there is a folding for each layer, which divides it and takes the lanes of the layer
    before as its taps."""
    if len(foldings) != len(network.layers):
        raise ValueError(f"{len(foldings)} foldings for a network of {len(network.layers)} layers")
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


def groups_apart(network: Network, foldings: Sequence[Folding]) -> list[int]:
    """Addends of a group that can be trained alone: whole slots of the last layer, while the slots of the others give
    its residual time to be kept.

    Raises ValueError for a network that is not of 2 layers, or a last layer with several groups of outputs.
    """
    last, folding = network.layers[-1], foldings[-1]
    network.part(last.inputs)  # raises, unless there are addends that can be trained apart
    if folding.lanes != last.outputs:
        raise ValueError(f"pre-training needs all {last.outputs} outputs in lanes, not {folding.lanes}")
    period = network.features // foldings[0].taps  # cycles from one slot to the next
    return [
        size
        for size in range(folding.taps, last.inputs, folding.taps)
        if not last.inputs % size and (last.inputs - size) // folding.taps * period >= ReplayFifo.latency
    ]


def check_pretraining(network: Network, foldings: Sequence[Folding], addends: int) -> None:
    """Raise ValueError unless groups of so many addends can be trained alone."""
    legal = groups_apart(network, foldings)
    if addends not in legal:
        raise ValueError(
            f"pre-training groups of {addends} addends: {foldings[-1].taps} of {network.layers[-1].inputs} addends a "
            f"clock can be in groups of {', '.join(map(str, legal)) or 'no size'}"
        )


def revisit_of(network: Network, foldings: Sequence[Folding], *, exact: bool, contexts: int = 1) -> int | None:
    """`revisit` of the nodes' banks: a record takes a clock a slot at the least, and updates each slot of its context
    once."""
    slots = [addresses.slots for addresses in map(NodeAddresses, network.layers, foldings)]
    return None if exact else contexts * max(slots)
