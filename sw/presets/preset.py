"""A network with a training schedule, and how to change either."""

from dataclasses import dataclass, replace

from sw.presets.depth import FIRST_SEGMENTS, deep_headroom, deep_layers, deep_rates, deep_spreads, single_segments
from sw.spec.bounds import EPOCHS, check_whole, counted
from sw.spec.chance import FINE
from sw.spec.network import Layer, Network
from sw.spec.schedule import Phase, Rates


@dataclass(frozen=True)
class Preset:
    """A network and a training schedule to start from.

    Attributes
    ----------
    network : Network
        The network before its first record.
    phases : tuple of Phase
        The training schedule.
    headroom : int
        Bits of the word above the targets.
    spreads : tuple of float
        For each layer the largest magnitude of a first node, as a share of the word's range.
    pretraining : (int, int) or None
        Addends of a group, and epochs of pre-training before the schedule, on a trainer that has groups.
    robust : bool
        Whether features and targets are scaled for data with heavy tails.
    half_range : bool
        Whether features are scaled to the lower half of the arguments, where an inner function of two segments is
        linear; for a robust scaling.
    arithmetic : str
        Arithmetic of a CPU, as `sw.engine.strategy.Strategy` takes it.
    other_phases : tuple of Phase
        The training schedule for the other number of fine bits; none if the preset is not made for it.
    shortest_word : int or None
        Bits of the shortest word with which the error on unseen records is at most 1.02 times that of float32, by
        `scripts/studies/word_length.py`; None if it is the network's own, or not known.
    """

    network: Network
    phases: tuple[Phase, ...]
    headroom: int
    spreads: tuple[float, ...]
    pretraining: tuple[int, int] | None = None
    robust: bool = False
    half_range: bool = False
    arithmetic: str = "fixed16"
    other_phases: tuple[Phase, ...] = ()
    shortest_word: int | None = None

    def all_phases(self, *, pretraining: bool) -> tuple[Phase, ...]:
        """Put the preset's pre-training, if it has one, before its schedule.

        Parameters
        ----------
        pretraining : bool
            Whether the trainer can train groups of addends alone; without, the schedule is given.
        """
        if not pretraining or self.pretraining is None:
            return self.phases
        return (Phase(self.pretraining[1], self.phases[0].rates, pretraining=True), *self.phases)


def schedule(*phases: tuple[int, int, int]) -> tuple[Phase, ...]:
    """Make the training schedule of a two-layer network.

    Parameters
    ----------
    *phases : (int, int, int)
        Epochs, update shift and back shift of each phase.
    """
    return tuple(Phase(epochs, Rates((update,), (back,))) for epochs, update, back in phases)


def stretched(phases: tuple[Phase, ...], epochs: int) -> tuple[Phase, ...]:
    """Change the length of a schedule: the last phase is longer or shorter, phases beyond the end are dropped.

    Parameters
    ----------
    phases : tuple of Phase
        The schedule.
    epochs : int
        Epochs of the new schedule in all.

    Raises
    ------
    ValueError
        For epochs beyond the bounds.
    """
    check_whole("epochs", epochs, *EPOCHS)
    result, left = [], epochs
    for phase in phases[:-1]:
        if left:
            result.append(replace(phase, epochs=min(phase.epochs, left)))
            left -= result[-1].epochs
    return (*result, replace(phases[-1], epochs=left)) if left else tuple(result)


def with_fine(preset: Preset, fine: int) -> Preset:
    """Change the fine bits of a preset's network; the schedule is the one for them.

    Parameters
    ----------
    preset : Preset
        Where to start.
    fine : int
        One of `sw.spec.chance.FINE`.

    Raises
    ------
    ValueError
        If the preset has no schedule for them.
    """
    if preset.network.fine == fine:
        return preset
    if not preset.other_phases:
        raise ValueError(f"fine bits {fine}: the schedule of this network is for {preset.network.fine} alone")
    network = replace(preset.network, fine=fine)
    return replace(preset, network=network, phases=preset.other_phases, other_phases=preset.phases)


def with_width(preset: Preset, width: int) -> Preset:
    """Change the word of a preset's network; learning stays as fast.

    The product of an error and a slope is two words long, so that back shifts change by as many bits as the word.

    Parameters
    ----------
    preset : Preset
        Where to start.
    width : int
        One of `sw.spec.numerics.WIDTHS`.

    Raises
    ------
    ValueError
        If the network, or its rates, do not fit the word.
    """
    more = width - preset.network.width

    def moved(phase: Phase) -> Phase:
        return replace(phase, rates=replace(phase.rates, back=tuple(shift + more for shift in phase.rates.back)))

    phases, others = (tuple(map(moved, both)) for both in (preset.phases, preset.other_phases))
    network = replace(preset.network, width=width)
    for phase in phases:
        phase.rates.check(network)
    return replace(preset, network=network, phases=phases, other_phases=others)


def shaped(preset: Preset, sizes: tuple[int, ...] | None, segments: tuple[int, ...] | None) -> Preset:
    """Change the sizes or the segments of a preset's layers.

    Layers as many as the preset's keep its gains, spreads, rates and segments, each its own. With another number of
    layers, the first layer keeps its segments, four at least, and the others have the last one's. A single layer has
    the last one's, too, fewer for many features, unless the first one's are to be linear. The rule of
    `sw.presets.depth` gives the rest, for phases as long as the preset's.

    Parameters
    ----------
    preset : Preset
        Where to start.
    sizes : tuple of int or None
        Features, outputs of each hidden layer, outputs; None for the preset's.
    segments : tuple of int or None
        Segments of each layer; None for the preset's.

    Raises
    ------
    ValueError
        If there are not as many segments as layers, or the network is not legal.
    """
    declared = preset.network.layers
    inner, last = declared[0], declared[-1]
    sizes = sizes or (inner.inputs, *(layer.outputs for layer in declared))
    hidden = len(sizes) - 2
    same_depth = hidden + 1 == len(declared)
    own = tuple(layer.segments for layer in declared)
    if not segments and same_depth:
        segments = own
    elif not segments and not hidden:
        segments = (inner.segments if preset.half_range else single_segments(sizes[0], last.segments),)
    elif not segments:
        first = inner.segments if preset.half_range or hidden == 1 else max(inner.segments, FIRST_SEGMENTS)
        segments = first, *(last.segments,) * hidden
    if len(segments) != hidden + 1:
        given = ",".join(map(str, segments))
        depth = counted(hidden + 1, "layer")
        raise ValueError(f"segments {given}: a network of {depth} needs {counted(hidden + 1, 'number')}")
    half_range = preset.half_range and segments[0] == inner.segments
    if not same_depth:
        layers = deep_layers(sizes, segments, preset.network.word)
        return replace(_of_depth(preset, layers), half_range=half_range)
    layers = tuple(map(Layer, sizes, sizes[1:], segments, (layer.gain for layer in declared)))
    network, groups = replace(preset.network, layers=layers), preset.pretraining
    return replace(
        preset,
        network=network,
        pretraining=groups if groups and groups[0] < sizes[1] else None,
        half_range=half_range,
        shortest_word=preset.shortest_word if network == preset.network else None,
    )


def _of_depth(preset: Preset, layers: tuple[Layer, ...]) -> Preset:
    """Give a preset layers of another number, with all that the rule for any depth says of them."""
    network = replace(preset.network, layers=layers)
    phases, others = (
        tuple(replace(phase, rates=deep_rates(layers, word, index)) for index, phase in enumerate(some))
        for some, word in (
            (preset.phases, network.word),
            (preset.other_phases, replace(network.word, fine=next(each for each in FINE if each != network.fine))),
        )
    )
    return replace(
        preset,
        network=network,
        phases=phases,
        other_phases=others,
        spreads=deep_spreads(len(layers)),
        headroom=deep_headroom(layers),
        pretraining=None,
        shortest_word=None,
    )
