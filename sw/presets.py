"""A network and a training schedule for each data set: where to start, found by measurement (docs/presets.md)."""

from dataclasses import dataclass

from sw.machine import Phase, Rates
from sw.network import Network


@dataclass(frozen=True)
class Preset:
    """`phases`: of fixed-point training. `headroom`: bits of the word above the targets. `float_rate`: of float training."""

    network: Network
    phases: tuple[Phase, ...]
    headroom: int = 2
    float_rate: float = 0.2

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)


def schedule(*phases: tuple[int, int, int]) -> tuple[Phase, ...]:
    """Phases of a two-layer network, each (epochs, update shift, back shift)."""
    return tuple(Phase(epochs, Rates((update,), (back,))) for epochs, update, back in phases)


PRESETS = {
    "norm2": Preset(Network.two_layer(2, 8, (16, 16)), schedule((2, 2, 13), (30, 3, 14))),
    "norm4": Preset(Network.two_layer(4, 8, (16, 16)), schedule((2, 2, 13), (30, 3, 14))),
    "norm8": Preset(Network.two_layer(8, 16, (16, 16)), schedule((2, 2, 13), (30, 3, 14))),
    "triangle": Preset(Network.two_layer(6, 16, (8, 16)), schedule((2, 2, 13), (30, 3, 14))),
}


def find(name: str) -> Preset:
    """The preset of a data set. Raises ValueError naming those that there are."""
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[name]


def stretched(phases: tuple[Phase, ...], epochs: int) -> tuple[Phase, ...]:
    """The same phases with `epochs` in all: the last one longer or shorter, later ones dropped where there is no room.

    Raises ValueError for less than one epoch.
    """
    if epochs < 1:
        raise ValueError(f"{epochs} epochs: must be 1 or more")
    result, left = [], epochs
    for phase in phases[:-1]:
        if left:
            result.append(Phase(min(phase.epochs, left), phase.rates))
            left -= result[-1].epochs
    return (*result, Phase(left, phases[-1].rates)) if left else tuple(result)
