"""A follower by any trainer in fixed point: the oracle, or a board."""

from dataclasses import replace
from itertools import groupby

import numpy as np

from sw.model import Model
from sw.online.follower import Follower, Snapshot
from sw.online.widening import outside
from sw.spec.schedule import Rates
from sw.spec.trainer import Trainer


class TrainerFollower(Follower):
    """A follower whose records are passes of a trainer; the trainer's nodes become those of the model.

    Records that come together and have targets are one pass, in which a record sees the updates that the trainer's
    staleness, its blocks and its contexts let it see. Between passes all updates have been made, so a record that comes
    alone sees all earlier ones.

    Parameters
    ----------
    model : Model
        The model to begin with, in fixed point; it is not changed.
    rates : Rates
        Learning rates of the first records.
    trainer : Trainer
        A trainer of the model's network, whose nodes are set.

    Raises
    ------
    ValueError
        For a model in floating point or of another network, and for rates at which the trainer cannot train.
    """

    def __init__(self, model: Model, rates: Rates, trainer: Trainer):
        super().__init__(model, rates)
        if model.domains is not None:
            raise ValueError("a floating-point model cannot be trained in fixed point")
        if model.network != trainer.network:
            raise ValueError(f"a model of the network {model.network}; the trainer has {trainer.network}")
        self._trainer, self._error = trainer, 0.0
        self.set_rates(rates)
        trainer.nodes = model.nodes

    @property
    def model(self) -> Model:
        """The model with its present parameters, read from the trainer."""
        return replace(self._model, nodes=self._trainer.nodes)

    @property
    def error(self) -> float:
        """The sum of the absolute errors; as `Follower.error`."""
        return self._error

    def prepare(self) -> None:
        """Do nothing; the trainer is ready."""

    def seek(self, records: int) -> None:
        """Set the chance word to that after so many record updates."""
        self._trainer.seek(records)

    def set_rates(self, rates: Rates) -> None:
        """Change the learning rates of the next records."""
        self._trainer.check_rates(rates)
        self._rates = rates

    def snapshot(self) -> Snapshot:
        """Copy what following records changes, which reads all nodes of the trainer."""
        return self._trainer.nodes, self._trainer.chance, self._error

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where a snapshot was taken."""
        self._trainer.nodes, self._trainer.chance, self._error = snapshot

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets; as `Follower.predict`."""
        return self._model.decode(self._trainer.predict(self._model.encode_features(features)))

    def train(self, features: np.ndarray, targets: np.ndarray, passes: int) -> None:
        """Make passes over records; as `Follower.train`."""
        records = self._model.encode(features, targets)
        for _ in range(passes):
            self._trainer.train(records, self._rates)

    def follow(
        self, features: np.ndarray, targets: np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Predict each record, then train on it; as `Follower.follow`."""
        done, asked, learns = self._trainable(features, targets, checking=checking)
        results = np.zeros((asked, targets.shape[1]), np.int64)
        start = 0
        for learning, group in groupby(learns.tolist()):
            rows = slice(start, start := start + len(list(group)))
            if learning:
                records = self._model.encode(features[rows], targets[rows])
                results[rows], _ = self._trainer.predict_and_train(records, self._rates)
            else:
                results[rows] = self._trainer.predict(self._model.encode_features(features[rows]))
        predictions, totals = np.zeros(targets.shape), np.zeros(len(targets))
        predictions[:asked] = self._model.decode(results)
        errors = np.abs(self._model.scaling.unit_targets(targets[:asked]) - self._model.units.decode(results))
        sums = np.cumsum([self._error, *np.where(learns[:, None], errors, 0.0).ravel()])
        totals[:asked] = sums[targets.shape[1] :: targets.shape[1]]
        self._error = float(sums[-1])
        return predictions, totals, done, int(learns.sum())

    def _trainable(self, features: np.ndarray, targets: np.ndarray, *, checking: bool) -> tuple[int, int, np.ndarray]:
        """Find the records before the first that cannot be trained on; as `follow`.

        Returns
        -------
        done : int
            Their number.
        asked : int
            The records that can be predicted: the next one, too, if its features are finite.
        learns : ndarray of bool, shape (asked,)
            Which of them are trained on.
        """
        known, finite = ~np.isnan(targets).any(axis=1), np.isfinite(features).all(axis=1)
        wrong = ~np.isfinite(targets).all(axis=1)
        if checking:
            wrong |= outside(self._model, features, targets)
        stops = np.flatnonzero(~finite | known & wrong)
        done = int(stops[0]) if len(stops) else len(features)
        asked = done + int(finite[done : done + 1].sum())
        return done, asked, known[:asked] & (np.arange(asked) < done)
