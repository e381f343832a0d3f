"""A network with a training schedule, and how to change either."""

from dataclasses import dataclass, replace

from sw.spec.network import Layer, Network
from sw.spec.schedule import Phase, Rates


@dataclass(frozen=True)
class Preset:
    """`phases`: the training schedule. `headroom`: bits of the word above the targets.

    `spreads`: reach of the first nodes, a layer each, as a share of the word's range. `pretraining`: addends of a group
    and epochs before the schedule, on a trainer that has groups. `robust`: for data that may have heavy tails, scaled
    accordingly.
    `arithmetic`: of a CPU, as `sw.engine.strategy.Strategy` has it.
    """

    network: Network
    phases: tuple[Phase, ...]
    headroom: int
    spreads: tuple[float, ...]
    pretraining: tuple[int, int] | None = None
    robust: bool = False
    arithmetic: str = "fixed16"

    def all_phases(self, *, pretraining: bool) -> tuple[Phase, ...]:
        """The schedule, with the preset's pre-training before it if the trainer has groups for `pretraining`."""
        if not pretraining or self.pretraining is None:
            return self.phases
        return (Phase(self.pretraining[1], self.phases[0].rates, pretraining=True), *self.phases)


def schedule(*phases: tuple[int, int, int]) -> tuple[Phase, ...]:
    """Phases of a two-layer network, each (epochs, update shift, back shift)."""
    return tuple(Phase(epochs, Rates((update,), (back,))) for epochs, update, back in phases)


def stretched(phases: tuple[Phase, ...], epochs: int) -> tuple[Phase, ...]:
    """The same phases with `epochs` in all: the last one longer or shorter, later ones dropped where there is no room.

    Raises ValueError for less than one epoch.
    """
    if epochs < 1:
        raise ValueError(f"{epochs} epochs: must be 1 or more")
    result, left = [], epochs
    for phase in phases[:-1]:
        if left:
            result.append(replace(phase, epochs=min(phase.epochs, left)))
            left -= result[-1].epochs
    return (*result, replace(phases[-1], epochs=left)) if left else tuple(result)


def shaped(preset: Preset, sizes: tuple[int, ...] | None, segments: tuple[int, ...] | None) -> Preset:
    """The preset with layers of other sizes, (features, addends, ..., outputs), or of other segments, one a layer.

    What it says of a hidden layer is said of each. Raises ValueError for segments that are not one a layer, and for a
    network that is not legal.
    """
    inner, last = preset.network.layers[0], preset.network.layers[-1]
    sizes = sizes or (inner.inputs, *(layer.outputs for layer in preset.network.layers))
    hidden = len(sizes) - 2
    segments = segments or (inner.segments, *(last.segments,) * hidden)
    if len(segments) != hidden + 1:
        raise ValueError(f"segments {'/'.join(map(str, segments))}: a network of {hidden + 1} layers needs as many")
    layers = tuple(map(Layer, sizes, sizes[1:], segments, (*(inner.gain,) * hidden, last.gain)))
    phases = tuple(
        replace(phase, rates=Rates(phase.rates.update[:1] * hidden, phase.rates.back[:1] * hidden))
        for phase in preset.phases
    )
    groups = preset.pretraining
    pretraining = groups if hidden == 1 and groups and groups[0] < sizes[1] else None
    network = replace(preset.network, layers=layers)
    spreads = (*preset.spreads[:1] * hidden, preset.spreads[-1])
    return replace(preset, network=network, phases=phases, spreads=spreads, pretraining=pretraining)
