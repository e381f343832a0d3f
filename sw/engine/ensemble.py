"""Models trained apart, each on its own records, and joined: the mean of all of them is one network again."""

from dataclasses import replace

import numpy as np

from sw.engine.compiled import Encoded
from sw.engine.conversion import Part, as_floating, assembled, machine_of
from sw.model import Model
from sw.spec.network import Network
from sw.spec.numerics import bits_for
from sw.spec.trainer import Rates


class Member:
    """A model in training on some records, judged on others.

    Parameters
    ----------
    model: to begin with; it is not changed.
    arithmetic: one of `sw.engine.conversion.ARITHMETICS`.
    records: of the whole ensemble, encoded for that arithmetic.
    holdout: numbers of the records that are never trained on.
    rng: of the order of the records, another one in each epoch.

    Attributes
    ----------
    model, records: as given.
    machine: with the parameters as they are now.
    true: targets of the hold-out, in words.
    """

    def __init__(
        self, model: Model, arithmetic: str, records: Encoded, holdout: np.ndarray, rng: np.random.Generator
    ) -> None:
        self.model, self.machine = model, machine_of(model, arithmetic)
        self.records, self._rng = records, rng
        self._rows = np.setdiff1d(np.arange(len(records)), holdout)
        self._holdout = records.take(holdout, model.network.features)
        self.true = self._holdout.targets * self.machine.result_scale
        self._kept = self.machine.parameters.copy()

    def train(self, rates: Rates) -> tuple[float, np.ndarray]:
        """An epoch. Returns the mean absolute residual, and the squared errors on the hold-out of each output summed;
        in words."""
        order = self._rng.permutation(self._rows)
        statistics = self.machine.run(self.records.take(order, self.machine.network.features), rates)
        errors = np.sum((self.machine.results(self._holdout) - self.true) ** 2, axis=0)
        return statistics.mean_residual * self.machine.result_scale, errors

    def keep(self) -> None:
        """Remember the parameters as they are."""
        self._kept[:] = self.machine.parameters

    def go_back(self) -> None:
        """To the parameters that were kept last."""
        self.machine.parameters[:] = self._kept


def joined(model: Model, members: list[Member]) -> Model:
    """One model of the addends of all members, which are networks of two layers like `model`: its predictions are the
    means of theirs."""
    inner, outer = model.network.layers
    count, addends = len(members), inner.outputs
    total = count * addends
    network = Network((replace(inner, outputs=total), replace(outer, inputs=total)), model.network.width)
    # Sums are divided by the next power of two: what is lost between that of a member and that of all is the units'.
    share = count * 2.0 ** (bits_for(addends) - bits_for(total))
    parts = [Part(index * addends, (index + 1) * addends, member.machine) for index, member in enumerate(members)]
    nodes = [np.zeros(layer.shape, np.int64) for layer in network.layers]
    whole = replace(model, network=network, scaling=model.scaling.widened(1 / share), nodes=nodes, domains=None)
    return assembled(as_floating(whole) if model.domains else whole, parts)
