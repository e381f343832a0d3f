"""Training a trainer on a data set, from the user's units and back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sw.datasets import MemorySource, Source, Split
from sw.metrics import pearson, rmse
from sw.model import Model, check_fit
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import OWN_RATES, FloatReference, UnquantisedTrainer
from sw.presets.preset import Preset
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import first_nodes
from sw.spec.records import Records
from sw.spec.schedule import Phase, Rates
from sw.spec.trainer import Progress, Statistics, Trainer

PAPER_RATE = 0.2
COUNTED_RECORDS = 500  # that a model is trained on further to count its saturations, clips and zero steps
SCALING_RECORDS = 1 << 16  # that are read at a time, and whose quantiles and deviations are taken


@dataclass(frozen=True)
class Outcome:
    """A trained model and its score on the hold-out.

    Attributes
    ----------
    model : Model
        The trained model.
    predicted : ndarray of shape (n, outputs)
        Predictions of the hold-out, in the user's units.
    pearson : float
        Pearson correlation of predictions and targets.
    rmse : float
        Root of the mean squared error, in the user's units.
    statistics : Statistics
        The counts of the last epoch, which the model has, too.
    """

    model: Model
    predicted: np.ndarray
    pearson: float
    rmse: float
    statistics: Statistics


@dataclass(frozen=True)
class Experiment:
    """A model and the data set to train it on.

    Attributes
    ----------
    split : Split
        The data set, in the user's units.
    model : Model
        The model before its first record; its scales come from the training records alone.
    records : Records
        The training records in the model's integers, as a fixed-point trainer takes them.
    """

    split: Split
    model: Model
    records: Records

    @classmethod
    def begin(cls, preset: Preset, split: Split, *, seed: int, network: Network | None = None) -> "Experiment":
        """Make a fresh model for a data set.

        Parameters
        ----------
        preset : Preset
            Network and scaling.
        split : Split
            The data set.
        seed : int
            Seed of the first nodes.
        network : Network, optional
            A network in place of the preset's.

        Returns
        -------
        Experiment
            The model and the encoded records.

        Raises
        ------
        ValueError
            For a data set that does not fit the network.
        """
        preset = replace(preset, network=network or preset.network)
        return cls.of(first_model(preset, MemorySource(split), seed=seed), split)

    @classmethod
    def of(cls, model: Model, split: Split) -> "Experiment":
        """Take a model that may have been trained before.

        Parameters
        ----------
        model : Model
            The model, in fixed point.
        split : Split
            The data set.

        Returns
        -------
        Experiment
            The model and the encoded records.
        """
        return cls(split, replace(model, statistics=None), model.encode(split.train.features, split.train.targets))

    def run(
        self, trainer: Trainer, phases: Sequence[Phase], progress: Progress | None = None, *, done: int = 0
    ) -> Outcome:
        """Train the model in a trainer, which takes over its nodes, and predict the hold-out.

        Parameters
        ----------
        trainer : Trainer
            The trainer, of the model's network.
        phases : sequence of Phase
            The schedule.
        progress : Progress, optional
            Called after each epoch.
        done : int, default=0
            Record updates of the schedule that the model has had already, as `Trainer.fit` takes them.

        Returns
        -------
        Outcome
            The trained model and its score.
        """
        trainer.nodes = self.model.nodes
        trainer.seek(done)
        statistics = trainer.fit(self.records, phases, progress, done=done)
        holdout = self.split.holdout
        predicted = self.model.decode(trainer.predict(self.model.encode_features(holdout.features)))
        model = replace(self.model, nodes=trainer.nodes, statistics=statistics)
        return Outcome(model, predicted, *self._score(predicted), statistics)

    def run_unquantised(self, phases: Sequence[Phase], pretraining: int = 0) -> tuple[float, float]:
        """Train the model by the same schedule without rounding, and score it on the hold-out.

        Parameters
        ----------
        phases : sequence of Phase
            The schedule.
        pretraining : int, default=0
            Addends of a group in pre-training; 0 for none.

        Returns
        -------
        pearson, rmse : float
            As in `Outcome`.
        """
        trainer = UnquantisedTrainer(self.model.network, self.model.nodes, pretraining=pretraining)
        trainer.fit(self.records, phases)
        arguments = self.model.encode_features(self.split.holdout.features)
        return self._score(self.model.decode(trainer.result_scale * trainer.predict(arguments)))

    def run_float(self, epochs: int, *, seed: int, rate: float = PAPER_RATE) -> tuple[float, float]:
        """Train the network in float64 the paper's way, and score it on the hold-out.

        Parameters
        ----------
        epochs : int
            Passes over the records.
        seed : int
            Seed of the first nodes.
        rate : float, optional
            The learning rate of all layers.

        Returns
        -------
        pearson, rmse : float
            As in `Outcome`.
        """
        scaling, train = self.model.scaling, self.split.train
        trainer = FloatReference.random(self.model.network, np.random.default_rng(seed), rate)
        records = Records(scaling.unit_features(train.features), scaling.unit_targets(train.targets))
        trainer.fit(records, [Phase(epochs, OWN_RATES)])
        return self._score(scaling.user_targets(trainer.predict(scaling.unit_features(self.split.holdout.features))))

    def _score(self, predicted: np.ndarray) -> tuple[float, float]:
        """Compute Pearson and RMSE of predictions of the hold-out."""
        targets = self.split.holdout.targets
        return pearson(predicted, targets), rmse(predicted, targets)


def first_model(preset: Preset, source: Source, *, seed: int) -> Model:
    """Make the preset's network before its first record, scaled to a source's training records.

    Parameters
    ----------
    preset : Preset
        Network and scaling.
    source : Source
        The records.
    seed : int
        Seed of the first nodes.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    ValueError
        For a source that does not fit the network.
    """
    network = preset.network
    check_fit(network, source)
    nodes = first_nodes(network, np.random.default_rng(seed), preset.spreads)
    if preset.robust:
        scaling = Scaling.robust_of_source(source, SCALING_RECORDS, half_range=preset.half_range)
    else:
        scaling = Scaling.of_source(source, SCALING_RECORDS)
    return Model(
        network,
        scaling,
        nodes,
        preset.headroom,
        source.feature_names,
        source.target_names,
        encoding=source.encoding,
        selection=source.selection,
    )


def with_counts(model: Model, source: Source, rates: Rates) -> Model:
    """Add to a trained model the counts that some more records would have, which a fast kernel does not count.

    Parameters
    ----------
    model : Model
        The model; a floating-point one has no counts.
    source : Source
        What it was trained on.
    rates : Rates
        The rates of its last epochs.

    Returns
    -------
    Model
        The same nodes, and the counts.
    """
    if model.domains is not None:
        return replace(model, statistics=None)
    shard = next(iter(source.shards("train", COUNTED_RECORDS)))
    trainer = FixedReference(model.network, model.nodes)
    return replace(model, statistics=trainer.train(model.encode(shard.features, shard.targets), rates))
