"""Models that are trained separately, each on records of its own, and joined: their mean is one network again."""

from dataclasses import replace

import numpy as np

from sw.engine.conversion import compiled_trainer, parameters_of, with_parameters, with_trainer
from sw.engine.encoded import Encoded
from sw.engine.order import orders
from sw.model import Model
from sw.oracle.merging import Merging
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

    The hidden units of all members lie side by side in each layer. Functions between units of different members are
    zero. In floating point a layer's result is the plain mean, which becomes smaller by the number of members, and its
    domain with it; in fixed point a gain makes up for that. Members of one layer have no units: the mean of their
    predictions is that of their functions, so that the joined network is as large as each.

    Parameters
    ----------
    model : Model
        The members' network, scaling and names.
    members : list of Member
        The ensemble.

    Returns
    -------
    Model
        A network of the hidden units of all members.
    """
    count = len(members)
    parts = [with_trainer(model, member.trainer) for member in members]
    if len(model.network.layers) == 1:
        rows = np.stack([parameters_of(part) for part in parts])
        return with_parameters(parts[0], Merging().merged(rows, rows, ())[0])
    network = _side_by_side(model.network, count)
    nodes = [np.zeros(layer.shape, values.dtype) for layer, values in zip(network.layers, parts[0].nodes, strict=True)]
    for index, part in enumerate(parts):
        for layer, values in enumerate(part.nodes):
            inputs, outputs = _block(model.network, layer, index)
            nodes[layer][inputs, :, outputs] = values
    domains = parts[0].domains
    if domains:
        hidden = [
            np.concatenate(ends) for ends in zip(*(part.domains[1:] for part in parts if part.domains), strict=True)
        ]
        domains = [domains[0], *hidden[:1], *(ends / count for ends in hidden[1:])]
    scaling = model.scaling.widened(1 / _share(model.network, count))
    return replace(model, network=network, scaling=scaling, nodes=nodes, domains=domains)


def parted(model: Model, count: int) -> list[Model]:
    """Part a model into the members that it was joined from: the inverse of `joined`.

    Members of one layer are each the joined network, whose functions are the mean of theirs.

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

    Raises
    ------
    ValueError
        If functions between units of different members are not zero, as after a stream in a deep network.
    """
    if len(model.network.layers) == 1:
        return [model] * count
    network = _parted_network(model.network, count)
    scaling = model.scaling.widened(_share(network, count))
    domains = model.domains and [*model.domains[:2], *(count * ends for ends in model.domains[2:])]
    members = []
    for index in range(count):
        blocks = [_block(network, layer, index) for layer in range(len(network.layers))]
        members.append(
            replace(
                model,
                network=network,
                scaling=scaling,
                nodes=[
                    values[inputs, :, outputs] for values, (inputs, outputs) in zip(model.nodes, blocks, strict=True)
                ],
                domains=domains and [ends[inputs] for ends, (inputs, _) in zip(domains, blocks, strict=True)],
            )
        )
    for layer, values in enumerate(model.nodes):
        if np.count_nonzero(values) != sum(np.count_nonzero(member.nodes[layer]) for member in members):
            raise ValueError(f"the {count} networks have learnt together since they were joined; they cannot be parted")
    return members


def _block(network: Network, layer: int, index: int) -> tuple[slice, slice]:
    """Return where the inputs and the outputs of a member's layer lie in the joined network's."""
    shape, last = network.layers[layer], layer == len(network.layers) - 1
    inputs = slice(index * shape.inputs, (index + 1) * shape.inputs) if layer else slice(None)
    outputs = slice(None) if last else slice(index * shape.outputs, (index + 1) * shape.outputs)
    return inputs, outputs


def _side_by_side(network: Network, count: int) -> Network:
    """Make a network of the hidden units of so many; a gain makes up for the longer mean of a hidden layer."""
    first, *hidden, last = network.layers
    layers = [replace(first, outputs=count * first.outputs)]
    for layer in hidden:
        gain = layer.gain + _lost(layer.inputs, count)
        layers.append(replace(layer, inputs=count * layer.inputs, outputs=count * layer.outputs, gain=gain))
    return replace(network, layers=(*layers, replace(last, inputs=count * last.inputs)))


def _parted_network(network: Network, count: int) -> Network:
    """Make the network that `_side_by_side` made so many copies of."""
    first, *hidden, last = network.layers
    layers = [replace(first, outputs=first.outputs // count)]
    for layer in hidden:
        inputs = layer.inputs // count
        gain = layer.gain - _lost(inputs, count)
        layers.append(replace(layer, inputs=inputs, outputs=layer.outputs // count, gain=gain))
    return replace(network, layers=(*layers, replace(last, inputs=last.inputs // count)))


def _lost(inputs: int, count: int) -> int:
    """Count the bits that a mean over so many times the inputs is smaller by: it is over the next power of two."""
    return bits_for(count * inputs) - bits_for(inputs)


def _share(network: Network, count: int) -> float:
    """Return what sums lose when networks are joined: they are divided by the next power of two of their length."""
    return count * 2.0 ** -_lost(network.layers[-1].inputs, count)
