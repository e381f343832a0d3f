"""Models that are trained separately, each on records of its own, and joined: their mean is one network again."""

from dataclasses import replace

import numpy as np

from sw.engine.conversion import AddendSlice, addend_slice, as_floating, assembled, compiled_trainer
from sw.engine.encoded import Encoded
from sw.engine.order import orders
from sw.model import Model
from sw.spec.network import Network
from sw.spec.numerics import bits_for
from sw.spec.schedule import Rates


class Member:
    """A model of an ensemble in training, with a hold-out of its own.

    Parameters
    ----------
    model : Model
        The model to begin with; it is not changed.
    arithmetic : str
        One of `sw.engine.conversion.ARITHMETICS`.
    records : Encoded
        The records of the whole ensemble, encoded for that arithmetic.
    holdout : ndarray of int
        Numbers of the records that this member is never trained on.
    weights : ndarray
        Visits of each record in an epoch.
    rng : Generator
        Source of the order of the records, a new one for each epoch.

    Attributes
    ----------
    model, records
        As given.
    trainer : CompiledTrainer
        The trainer, with the present parameters.
    true : ndarray of shape (held-out records, outputs)
        Targets of the hold-out, in words.
    shares : ndarray of shape (held-out records, 1)
        Weights of the hold-out.
    """

    def __init__(
        self,
        model: Model,
        arithmetic: str,
        records: Encoded,
        holdout: np.ndarray,
        weights: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        self.model, self.trainer = model, compiled_trainer(model, arithmetic)
        self.records = records
        rows = np.setdiff1d(np.arange(len(records)), holdout)
        self._orders = orders("reshuffled", rows, rng, weights[rows])
        held = records.take(holdout)
        self._held = held.arguments
        self.true, self.shares = held.targets * self.trainer.result_scale, weights[holdout, None]
        self._kept = self.trainer.parameters.copy()

    def train(self, rates: Rates) -> tuple[float, np.ndarray]:
        """Train one epoch.

        Returns
        -------
        residual : float
            The mean absolute residual, in words.
        errors : ndarray of shape (outputs,)
            The squared errors on the hold-out times their weights, summed, in squared words.
        """
        statistics = self.trainer.run(self.records.take(next(self._orders)), rates)
        errors = np.sum(self.shares * (self.trainer.results(self._held) - self.true) ** 2, axis=0)
        return statistics.mean_residual * self.trainer.result_scale, errors

    def held_out(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predict the hold-out.

        Returns
        -------
        predicted, true : ndarray of shape (held-out records, outputs)
            In the user's units.
        weights : ndarray of shape (held-out records,)
            Their weights.
        """
        predicted = self.trainer.results(self._held)
        return self.model.decode(predicted), self.model.decode(self.true), self.shares[:, 0]

    def keep(self) -> None:
        """Remember the present parameters."""
        self._kept[:] = self.trainer.parameters

    def go_back(self) -> None:
        """Return to the parameters that were kept last."""
        self.trainer.parameters[:] = self._kept


class EarlyStopping:
    """The decision when a phase of an ensemble's training ends, by the members' hold-outs.

    Parameters
    ----------
    members : list of Member
        The ensemble.
    tolerance : float
        Improvement of R2 that counts.
    patience : int
        Epochs without an improvement after which a phase ends.

    Attributes
    ----------
    scores : list of float
        R2 on the hold-outs after each epoch.
    """

    def __init__(self, members: list[Member], tolerance: float, patience: int):
        self._members, self._tolerance, self._patience = members, tolerance, patience
        self._power = sum(np.sum(member.shares * member.true**2, axis=0) for member in members)
        self._best, self._waited = -np.inf, 0
        self.scores: list[float] = []

    def ends_phase(self, errors: np.ndarray) -> bool:
        """Judge an epoch.

        If the phase ends, the members go back to their best parameters, and the next phase goes on from there.

        Parameters
        ----------
        errors : ndarray of shape (outputs,)
            Squared errors of all members on their hold-outs, summed.

        Returns
        -------
        bool
            True if the phase ends with this epoch.
        """
        power = self._power
        score = float(np.mean(1 - np.divide(errors, power, out=np.ones_like(errors), where=power > 0)))
        self.scores.append(score)
        self._waited = self._waited + 1 if score < self._best + self._tolerance else 0
        if score > self._best:
            self._best = score
            for member in self._members:
                member.keep()
        if self._waited < self._patience:
            return False
        self._waited = 0
        self.go_back()
        return True

    def go_back(self) -> None:
        """Return to the members' best parameters."""
        for member in self._members:
            member.go_back()


def joined(model: Model, members: list[Member]) -> Model:
    """Join members to one model, whose predictions are the means of theirs.

    Parameters
    ----------
    model : Model
        A network of two layers, of the members' shape.
    members : list of Member
        The ensemble.

    Returns
    -------
    Model
        A network of the addends of all members.
    """
    count, addends = len(members), model.network.layers[1].inputs
    network = _with_addends(model.network, count * addends)
    slices = [
        AddendSlice(index * addends, (index + 1) * addends, member.trainer) for index, member in enumerate(members)
    ]
    nodes = [np.zeros(layer.shape, np.int64) for layer in network.layers]
    whole = replace(
        model, network=network, scaling=model.scaling.widened(1 / _share(count, addends)), nodes=nodes, domains=None
    )
    return assembled(as_floating(whole) if model.domains else whole, slices)


def parted(model: Model, count: int) -> list[Model]:
    """Part a model into the members that it was joined from: the inverse of `joined`.

    Parameters
    ----------
    model : Model
        What `joined` gave.
    count : int
        Members of the ensemble.

    Returns
    -------
    list of Model
        The members.
    """
    addends = model.network.layers[1].inputs // count
    network = _with_addends(model.network, addends)
    scaling = model.scaling.widened(_share(count, addends))
    slices = (addend_slice(model, index * addends, (index + 1) * addends) for index in range(count))
    return [replace(each, network=network, scaling=scaling) for each in slices]


def _with_addends(network: Network, addends: int) -> Network:
    inner, outer = network.layers
    return replace(network, layers=(replace(inner, outputs=addends), replace(outer, inputs=addends)))


def _share(count: int, addends: int) -> float:
    """Return what sums lose when they are joined: they are divided by the next power of two of their length."""
    return count * 2.0 ** (bits_for(addends) - bits_for(count * addends))
