"""Strategies of training: schedule, arithmetic, pre-training, concurrent models and their merging."""

from dataclasses import dataclass, field, replace

from sw.engine.conversion import ARITHMETICS
from sw.oracle.merging import Merging
from sw.spec.bounds import EPOCHS, MODELS, ROUND_RECORDS, SEED, check_whole
from sw.spec.network import Network
from sw.spec.nodes import groups_of
from sw.spec.schedule import Phase, Rates

RETUNED_FROM = 4  # models, from which on the learning rate is larger


@dataclass(frozen=True)
class Pretraining:
    """Pre-training of groups of addends, each alone against the full target, before all are trained together.

    Attributes
    ----------
    addends : int
        Addends of a group; the last group has the rest, if there is one.
    epochs : int
        Epochs of pre-training, 1 or more.
    rates : Rates
        Learning rates of these epochs.

    Raises
    ------
    ValueError
        For a number beyond the bounds.
    """

    addends: int
    epochs: int
    rates: Rates

    def __post_init__(self) -> None:
        check_whole("epochs of pre-training", self.epochs, *EPOCHS)

    def groups(self, network: Network) -> tuple[int, ...]:
        """List the first addend of each group.

        Raises
        ------
        ValueError
            For a network or a group that is not legal.
        """
        return tuple(start for start, _ in groups_of(network, self.addends))


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to train a model on a CPU.

    Attributes
    ----------
    phases : tuple of Phase
        The schedule after pre-training.
    arithmetic : str
        One of `ARITHMETICS`.
    pretraining : Pretraining or None
        What comes before `phases`.
    models : int
        Models of each process, which train concurrently, each on its own records.
    round_records : int
        Records of each model after which the models are merged; fewer in the last round of a shard.
    merging : Merging
        How models are merged.
    seed : int
        Seed of the order of the records, and of pairs.

    Raises
    ------
    ValueError
        For a value that is not legal.
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
        for name, bounds in (("models", MODELS), ("round_records", ROUND_RECORDS), ("seed", SEED)):
            check_whole(name, getattr(self, name), *bounds)

    def schedule(self, processes: int = 1) -> tuple[Phase, ...]:
        """Make the whole schedule: pre-training, if there is any, then the phases.

        Parameters
        ----------
        processes : int, default=1
            Processes that share the training. The rates of the phases are `retuned` for the models of all of them;
            those of pre-training are not, since all processes do the same there.

        Returns
        -------
        tuple of Phase
            The schedule.
        """
        models = self.models * processes
        phases = tuple(replace(phase, rates=retuned(phase.rates, models)) for phase in self.phases)
        if self.pretraining is None:
            return phases
        return (Phase(self.pretraining.epochs, self.pretraining.rates, pretraining=True), *phases)


def retuned(rates: Rates, models: int) -> Rates:
    """Raise the rates of many concurrent models: the mean of several steps is shorter than each of them."""
    if models < RETUNED_FROM:
        return rates
    return replace(rates, update=tuple(max(shift - 1, 1) for shift in rates.update))
