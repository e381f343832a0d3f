"""Training a machine on a data set, from the user's units and back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sw.datasets import MemorySource, Source, Split
from sw.metrics import pearson, rmse
from sw.model import Model, check_fit
from sw.oracle.floating import FloatReference, UnquantisedTrainer
from sw.presets.preset import Preset
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import first_nodes
from sw.spec.records import Records
from sw.spec.trainer import Phase, Progress, Statistics, Trainer

PAPER_RATE = 0.2
SCALING_RECORDS = 1 << 16  # that are read at a time


@dataclass(frozen=True)
class Outcome:
    """A trained model, and how it does on the hold-out: predictions (n, outputs) and errors in the user's units."""

    model: Model
    predicted: np.ndarray
    pearson: float
    rmse: float
    statistics: Statistics


@dataclass(frozen=True)
class Experiment:
    """A fresh model and the data set in its integers.

    The scales come from the training records alone; `records` are what a fixed-point machine trains on.
    """

    split: Split
    model: Model
    records: Records

    @classmethod
    def begin(cls, preset: Preset, split: Split, *, seed: int, network: Network | None = None) -> "Experiment":
        """`network`: in place of the preset's. Raises ValueError for a data set that the network does not fit."""
        preset = replace(preset, network=network or preset.network)
        model = first_model(preset, MemorySource(split), seed=seed)
        return cls(split, model, model.encode(split.train.features, split.train.targets))

    def run(self, machine: Trainer, phases: Sequence[Phase], progress: Progress | None = None) -> Outcome:
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

    def run_unquantised(self, phases: Sequence[Phase], pretraining: int = 0) -> tuple[float, float]:
        """Train the same first nodes by the same schedule, with groups of `pretraining` addends, without rounding;
        Pearson and RMSE on the hold-out."""
        twin = UnquantisedTrainer(self.model.network, self.model.nodes, pretraining=pretraining)
        twin.fit(self.records, phases)
        holdout = self.split.holdout
        arguments = self.model.encode(holdout.features, holdout.targets).arguments
        predicted = self.model.decode(twin.result_scale * twin.predict(arguments))
        return pearson(predicted, holdout.targets), rmse(predicted, holdout.targets)

    def run_float(self, epochs: int, *, seed: int, rate: float = PAPER_RATE) -> tuple[float, float]:
        """Train the paper's way, from random nodes at a constant rate, in float64; Pearson and RMSE on the hold-out."""
        scaling, train, holdout = self.model.scaling, self.split.train, self.split.holdout
        machine = FloatReference.random(self.model.network, np.random.default_rng(seed), rate)
        records = Records(scaling.unit_features(train.features), scaling.unit_targets(train.targets))
        for _ in range(epochs):
            machine.train(records)
        predicted = scaling.user_targets(machine.predict(scaling.unit_features(holdout.features)))
        return pearson(predicted, holdout.targets), rmse(predicted, holdout.targets)


def first_model(preset: Preset, source: Source, *, seed: int) -> Model:
    """The preset's network before its first record, scaled to the source's training records, which are read once; a
    robust scaling is that of the first ones.

    Raises ValueError for a source that the network does not fit.
    """
    network = preset.network
    check_fit(network, source)
    nodes = first_nodes(network, np.random.default_rng(seed), preset.spreads)
    if preset.robust:
        shard = next(source.shards("train", SCALING_RECORDS))
        scaling = Scaling.robust(shard.features, shard.targets)
    else:
        scaling = Scaling.of_source(source, SCALING_RECORDS)
    return Model(network, scaling, nodes, preset.headroom, source.feature_names, source.target_names)
