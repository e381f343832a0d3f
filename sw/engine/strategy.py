"""How a model is trained on a CPU: schedule, arithmetic, pre-training, concurrent models and their merging."""

from dataclasses import dataclass, field, replace

from sw.engine.conversion import (
    ARITHMETICS,
)
from sw.oracle.merging import Merging
from sw.spec.network import Network
from sw.spec.nodes import groups_of
from sw.spec.trainer import Phase, Rates

RETUNED_FROM = 4  # models, from which on the learning rate is larger


@dataclass(frozen=True)
class Pretraining:
    """Groups of so many addends are trained alone, against the full target, for so many epochs, before all together.

    The last group has the rest, if there is one.
    """

    addends: int
    epochs: int
    rates: Rates

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"{self.epochs} epochs of pre-training: must be 1 or more")

    def groups(self, network: Network) -> tuple[int, ...]:
        """The first addend of each group. Raises ValueError for a network or a group that is not legal."""
        return tuple(start for start, _ in groups_of(network, self.addends))


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """How a model is trained.

    Attributes
    ----------
    phases: the schedule of learning rates; from `RETUNED_FROM` models in all processes on, `retuned`.
    arithmetic: one of `ARITHMETICS`.
    pretraining: before the schedule, or None.
    models: that train concurrently, each on its own records, in each process.
    round_records: of each model, after which the models are merged; fewer in the last round of a shard.
    merging: how.
    seed: of the order of the records, and of pairs.
    """

    phases: tuple[Phase, ...]
    arithmetic: str = "fixed16"
    pretraining: Pretraining | None = None
    models: int = 1
    round_records: int = 50_000
    merging: Merging = field(default_factory=Merging)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.arithmetic not in ARITHMETICS:
            raise ValueError(f"arithmetic {self.arithmetic!r} is not one of {', '.join(ARITHMETICS)}")
        for name, least in (("models", 1), ("round_records", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} {getattr(self, name)} must be {least} or more")

    @property
    def epochs(self) -> list[tuple[Rates, bool]]:
        """The rates of each epoch, and whether it is one of pre-training."""
        before = [(self.pretraining.rates, True)] * self.pretraining.epochs if self.pretraining else []
        return before + [(phase.rates, False) for phase in self.phases for _ in range(phase.epochs)]


def retuned(rates: Rates, models: int) -> Rates:
    """The rates of many concurrent models: the mean of several steps is shorter than each, which a larger step makes
    up for."""
    if models < RETUNED_FROM:
        return rates
    return replace(rates, update=tuple(max(shift - 1, 1) for shift in rates.update))
