"""Training a machine on a data set, from the user's units and back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sw.datasets import Dataset, Split
from sw.machine import Machine, Phase, Progress, Statistics
from sw.metrics import pearson, rmse
from sw.network import Model, Network, Records, Scaling, random_nodes
from sw.reference import FloatReference


@dataclass(frozen=True)
class Outcome:
    """A trained model, and how it does on the hold-out: predictions (n, outputs) and errors in the user's units."""

    model: Model
    predicted: np.ndarray
    pearson: float
    rmse: float
    statistics: Statistics


@dataclass(frozen=True)
class Session:
    """A fresh model and the data set in its integers.

    The scales come from the training records alone; `records` are what a fixed-point machine trains on.
    """

    split: Split
    model: Model
    records: Records

    @classmethod
    def begin(cls, network: Network, split: Split, *, headroom: int, seed: int) -> "Session":
        """Raises ValueError for a data set that the network does not fit."""
        check_fit(network, split.train)
        scaling = Scaling.of(split.train.features, split.train.targets)
        nodes = random_nodes(network, np.random.default_rng(seed))
        model = Model(network, scaling, nodes, headroom, split.train.feature_names, split.train.target_names)
        return cls(split, model, model.encode(split.train.features, split.train.targets))

    def run(self, machine: Machine, phases: Sequence[Phase], progress: Progress | None = None) -> Outcome:
        """Give the machine the model's nodes, train it, and predict the hold-out."""
        machine.nodes = self.model.nodes
        statistics = machine.fit(self.records, phases, progress)
        holdout = self.split.holdout
        arguments = self.model.encode(holdout.features, holdout.targets).arguments
        predicted = self.model.decode(machine.predict(arguments))
        model = replace(self.model, nodes=machine.nodes)
        return Outcome(
            model, predicted, pearson(predicted, holdout.targets), rmse(predicted, holdout.targets), statistics
        )

    def run_float(self, epochs: int, *, rate: float, seed: int) -> tuple[float, float]:
        """Train the floating-point oracle on the same records; Pearson and RMSE on the same hold-out."""
        scaling, train, holdout = self.model.scaling, self.split.train, self.split.holdout
        machine = FloatReference.random(self.model.network, np.random.default_rng(seed), rate)
        records = Records(scaling.unit_features(train.features), scaling.unit_targets(train.targets))
        for _ in range(epochs):
            machine.train(records)
        predicted = scaling.user_targets(machine.predict(scaling.unit_features(holdout.features)))
        return pearson(predicted, holdout.targets), rmse(predicted, holdout.targets)


def check_fit(network: Network, data: Dataset) -> None:
    """Raise ValueError unless the data set has the network's features and outputs."""
    features, outputs = data.features.shape[1], data.targets.shape[1]
    if (features, outputs) != (network.features, network.outputs):
        raise ValueError(
            f"{data.name} has {features} features and {outputs} targets; the network {network} takes "
            f"{network.features} and gives {network.outputs}"
        )
