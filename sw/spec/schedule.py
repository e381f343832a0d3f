"""A training schedule, and the one loop over its epochs and over the shards of each epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sw.spec.bounds import EPOCHS, check_whole, counted, whole_number
from sw.spec.network import Network

Shard = TypeVar("Shard")
Shard_co = TypeVar("Shard_co", covariant=True)


def shifted_layers(layers: int) -> range:
    """Return the numbers of the layers whose errors are shifted right to become steps, in a network of so many layers.

    These are all but the first of several layers, which takes its errors for steps, since the back shift of the layer
    after it has shifted them. The errors of a single layer are the residuals.
    """
    return range(min(1, layers - 1), layers)


@dataclass(frozen=True)
class Rates:
    """Learning rates as shifts.

    Attributes
    ----------
    update : tuple of int
        The error is shifted right by this before it updates the layer's nodes; one for each of `shifted_layers`.
    back : tuple of int
        The product of error and node difference is shifted right by this on its way to the layer before; one for each
        layer past the first.
    """

    update: tuple[int, ...]
    back: tuple[int, ...]

    def check(self, network: Network) -> None:
        """Check that there is a legal shift of both kinds for each layer that has one.

        Raises
        ------
        ValueError
            If there is not.
        """
        layers, word = len(network.layers), network.word
        for name, shifts, count, legal in (
            ("update", self.update, len(shifted_layers(layers)), word.update_shifts),
            ("back", self.back, layers - 1, word.back_shifts),
        ):
            if len(shifts) != count or any(whole_number(shift) not in legal for shift in shifts):
                raise ValueError(
                    f"{name} shifts {shifts}: a network of {counted(layers, 'layer')} needs {count}, each in "
                    f"{legal.start}..{legal.stop - 1}"
                )


@dataclass(frozen=True)
class Phase:
    """A number of epochs at the same rates; a training schedule is a sequence of phases.

    Attributes
    ----------
    epochs : int
        Passes over all training records.
    rates : Rates
        Learning rates of the phase.
    pretraining : bool
        True if groups of addends are trained alone, False if all addends are trained together.

    Raises
    ------
    ValueError
        For epochs beyond the bounds.
    """

    epochs: int
    rates: Rates
    pretraining: bool = False

    def __post_init__(self) -> None:
        check_whole("epochs", self.epochs, 0, EPOCHS[1])


@dataclass(frozen=True, order=True)
class Position:
    """How far a training has come.

    Attributes
    ----------
    epoch : int
        Whole epochs that are done.
    shard : int
        Shards of the next epoch that are done.
    """

    epoch: int = 0
    shard: int = 0


@dataclass(frozen=True)
class Epoch:
    """One epoch of a schedule.

    Attributes
    ----------
    number : int
        Position in the schedule, from 0.
    phase : Phase
        The phase that it belongs to.
    """

    number: int
    phase: Phase


class EpochLoop:
    """The loop over the epochs of a schedule, phase after phase.

    Parameters
    ----------
    phases : sequence of Phase
        The schedule.
    """

    def __init__(self, phases: Sequence[Phase]):
        self._phases = phases
        self._phase_ended = False

    def __iter__(self) -> Iterator[Epoch]:
        number = 0
        for phase in self._phases:
            self._phase_ended = False
            for _ in range(phase.epochs):
                yield Epoch(number, phase)
                number += 1
                if self._phase_ended:
                    break

    def end_phase(self) -> None:
        """Make the present epoch the last one of its phase."""
        self._phase_ended = True


class Shards(Protocol[Shard_co]):
    """The records of an epoch, in shards whose number is known."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Shard_co]: ...


@dataclass(frozen=True)
class Step(Generic[Shard]):
    """One shard to train on.

    Attributes
    ----------
    epoch : Epoch
        The epoch of the step.
    number : int
        Position of the shard in the epoch, from 0.
    shard : Shard
        The records.
    end : Position
        Position of the training after the step.
    """

    epoch: Epoch
    number: int
    shard: Shard
    end: Position


def steps(phases: Sequence[Phase], shards: Shards[Shard], start: Position | None = None) -> Iterator[Step[Shard]]:
    """Walk through phases, epochs and shards.

    Parameters
    ----------
    phases : sequence of Phase
        The schedule.
    shards : Shards
        The records of every epoch.
    start : Position, optional
        Where to begin; steps before it are left out.

    Yields
    ------
    Step
        Each shard of each epoch.
    """
    start = start or Position()
    for epoch in EpochLoop(phases):
        if epoch.number < start.epoch:
            continue
        for number, shard in enumerate(shards):
            if Position(epoch.number, number) >= start:
                last = number + 1 == len(shards)
                end = Position(epoch.number + 1) if last else Position(epoch.number, number + 1)
                yield Step(epoch, number, shard, end)


def epochs_in(phases: Sequence[Phase]) -> int:
    """Count the epochs of a schedule."""
    return sum(phase.epochs for phase in phases)
