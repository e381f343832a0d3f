"""Making the plan of a trainer: latencies from the gateware of a layer, then sharings and schedule.

The latencies come from the pipeline itself: a layer of one tap or one lane is built to ask for them, which takes
milliseconds where the whole layer would take seconds. `hw.datapath.trainer.TrainerCore` holds the whole layer to them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from amaranth.hdl import Fragment

from hw.datapath.layer import LayerUnit
from hw.datapath.node_bank import NodeBank, NodeRead
from hw.datapath.pipeline import count_latency, sum_latency
from hw.design.multiplier_sharing import share_multipliers
from hw.fpga.technology import Technology
from hw.schedule.folding import check_foldings, check_pretraining, revisit_of
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import LayerPlan, slot_orders_of
from hw.schedule.timing import INDEPENDENT, LayerTiming, Sharing
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.back_windows import check_windows, lowest_windows
from sw.spec.configuration import check_contexts
from sw.spec.network import Network
from sw.spec.numerics import LayerFormat
from sw.spec.schedule import shifted_layers


@cache
def plan_trainer(
    network: Network,
    foldings: tuple[Folding, ...],
    *,
    technology: Technology,
    exact: bool = False,
    pretraining: int = 0,
    contexts: int = 1,
    back_windows: tuple[int, ...] | None = None,
) -> TrainerPlan:
    """Return the plan of a trainer with the shortest initiation interval, and the fewest multipliers for that interval.

    Parameters
    ----------
    network : Network
        What is trained.
    foldings : tuple of Folding
        Of each layer.
    technology : Technology
        The FPGA family.
    exact : bool
        Whether a record waits until it sees every update of those before it.
    pretraining : int
        Addends of a group that can be trained alone, whole slots of the last layer; 0 if none can.
    contexts : int
        Interleaved models, one of `sw.spec.configuration.CONTEXTS`.
    back_windows : tuple of int, optional
        First shift of the window of back shifts of each layer past the first; default: the least legal one.

    Raises
    ------
    ValueError
        For foldings that are not the network's, groups that the folding does not have, an illegal number of contexts,
        or windows that are not legal.
    """
    check_foldings(network, foldings)
    if pretraining:
        check_pretraining(network, foldings, pretraining)
    check_contexts(contexts)
    back_windows = lowest_windows(network) if back_windows is None else back_windows
    check_windows(network, back_windows)
    shifted = shifted_layers(len(network.layers))
    revisit = revisit_of(network, foldings, exact=exact, contexts=contexts)
    reads = [
        NodeRead.of(contexts * addresses.even_rows, technology)
        for addresses in map(NodeAddresses, network.layers, foldings)
    ]

    def layers_with(sharings: Sequence[Sharing]) -> tuple[LayerPlan, ...]:
        return tuple(
            LayerPlan(
                first=index == 0,
                input_groups=layer.inputs // folding.taps,
                output_groups=layer.outputs // folding.lanes,
                timing=_timing(
                    folding,
                    technology,
                    partial(
                        _tile_timing,
                        form,
                        sums=layer.inputs > folding.taps,
                        walks=layer.outputs > folding.lanes,
                        technology=technology,
                        first=index == 0,
                        shifts_steps=index in shifted,
                        sharing=sharing,
                        read=read,
                        revisit=revisit if technology.combines_operations else None,  # it makes no difference elsewhere
                    ),
                ),
                forwarding=_forwarding(technology, read, revisit),
                sharing=sharing,
            )
            for index, (layer, form, folding, sharing, read) in enumerate(
                zip(network.layers, network.formats, foldings, sharings, reads, strict=True)
            )
        )

    if technology.combines_operations:  # the choice of a multiplier's operands would be one more operation
        layers = layers_with([INDEPENDENT] * len(foldings))
        schedule = Schedule.of(slot_orders_of(layers), exact=exact, contexts=contexts)
    else:
        layers, schedule = share_multipliers(foldings, layers_with, exact=exact, contexts=contexts)
    return TrainerPlan(
        network=network,
        foldings=foldings,
        technology=technology,
        exact=exact,
        pretraining=pretraining,
        contexts=contexts,
        back_windows=back_windows,
        layers=layers,
        schedule=schedule,
    )


def _timing(folding: Folding, technology: Technology, tile: Callable[..., LayerTiming]) -> LayerTiming:
    """Compute the latencies of a layer, from those of a tile of so many taps and lanes.

    They are those of a tile of one tap and one lane; but results are summed over the taps, errors over the lanes, and
    saturations are counted over all of the tile.
    """
    one = tile(taps=1, lanes=1)
    if technology.combines_operations:  # a sum begins in the clock of its terms, if there is room
        result, error = tile(taps=folding.taps, lanes=1).result, tile(taps=1, lanes=folding.lanes).error
    else:
        result = one.result + sum_latency(folding.taps)
        error = None if one.error is None else one.error + sum_latency(folding.lanes)
    nodes = 2  # that a function updates in a clock
    counted = one.counted - count_latency(nodes) + count_latency(nodes * folding.taps * folding.lanes)
    return replace(one, result=result, error=error, counted=counted)


@cache
def _tile_timing(
    form: LayerFormat,
    *,
    taps: int,
    lanes: int,
    sums: bool,
    walks: bool,
    technology: Technology,
    first: bool,
    shifts_steps: bool,
    sharing: Sharing,
    read: NodeRead,
    revisit: int | None,
) -> LayerTiming:
    """Measure the latencies of a layer of one or two tiles in each direction: more groups make no difference.

    The layer `sums` over several groups of inputs, or `walks` over those of outputs.
    """
    unit = LayerUnit(
        form,
        inputs=taps * (1 + sums),
        outputs=lanes * (1 + walks),
        taps=taps,
        lanes=lanes,
        technology=technology,
        back_shifts=range(0) if first else form.word.back_window(form.word.back_shifts.start),
        shifts_steps=shifts_steps,
        revisit=revisit,
        sharing=sharing,
        read=read,
    )
    Fragment.get(unit, None)
    return unit.timing


@cache
def _forwarding(technology: Technology, read: NodeRead, revisit: int | None) -> bool:
    """Return whether the node banks of a layer forward."""
    bank = NodeBank(rows=1, width=1, lanes=1, technology=technology, read=read, revisit=revisit)
    Fragment.get(bank, None)
    return bank.forwarding
