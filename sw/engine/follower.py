"""A compiled trainer that follows a stream: each record is predicted, then trained on, in one call of a kernel."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sw.engine.compiled.trainer import CompiledTrainer
from sw.engine.encoded import Encoded, EncodedArguments
from sw.engine.encoder import Encoder, feature_units, target_units
from sw.engine.kernels.compiling import entry_point
from sw.engine.kernels.following import DONE, ERROR, LEARNT, follow_reals, follow_words
from sw.model import Model
from sw.scaling import largest_scaled
from sw.spec.chance import CHANCE_BITS
from sw.spec.schedule import Rates

NO_WORDS = np.zeros(0, np.int64)

Snapshot = tuple[np.ndarray, int, float]
"""All that following records changes: the parameters, the chance word, and the sum of errors."""


class Follower:
    """A model in training on records in the user's units, each of which is predicted before it is trained on.

    A record is what `Encoder` and a pass of `CompiledTrainer` make of it, bit for bit. One record alone costs some
    microseconds.

    Parameters
    ----------
    model : Model
        Its units are taken.
    trainer : CompiledTrainer
        A trainer of the model.
    encoder : Encoder
        Their encoder.
    rates : Rates
        Learning rates of the first records.
    """

    def __init__(self, model: Model, trainer: CompiledTrainer, encoder: Encoder, rates: Rates):
        self._trainer, self._encoder = trainer, encoder
        network, scaling = model.network, model.scaling
        record = Encoded.of(np.zeros((1, network.features)), np.zeros((1, network.outputs)), self._trainer.word)
        factor, centre, reach = scaling.target_units
        constants = np.where(scaling.target_low == scaling.target_high, scaling.target_low, np.nan)
        decoding = np.stack([reach, centre, factor, largest_scaled(factor), constants])
        scales = (
            *self._encoder.argument_scales,
            *self._encoder.target_scales,
            float(self._trainer.result_scale),
            float(1 << model.headroom),
        )
        units = feature_units(scaling), target_units(scaling)
        self._tally = np.zeros(3)
        self._state = units, decoding, scales, self._trainer._training(record), self._tally
        self._features, self._targets = np.zeros((1, network.features)), np.zeros((1, network.outputs))
        self._one, self._prediction, _ = self._call(self._features, self._targets, NO_WORDS, checking=False)
        self._one_checked = *self._one[:-1], True
        unknown = np.full((1, network.outputs), np.nan)
        self._ask = *self._one[:2], unknown, *self._one[3:]
        self._follow: Any = entry_point(follow_words if model.domains is None else follow_reals, *self._one)
        self.set_rates(rates)

    @property
    def error(self) -> float:
        """The sum of the absolute errors of all predictions before an update, in shares of the targets' ranges."""
        return float(self._tally[ERROR])

    def set_rates(self, rates: Rates) -> None:
        """Change the learning rates of the next records."""
        self._rates = rates
        self._trainer.set_rates(rates)

    def snapshot(self) -> Snapshot:
        """Copy what following records changes."""
        return self._trainer.parameters.copy(), self._trainer.chance, self.error

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where a snapshot was taken."""
        self._trainer.parameters[:], self._trainer.chance, self._tally[ERROR] = snapshot
        self._trainer.set_rates(self._rates)

    def follow(
        self, features: np.ndarray, targets: np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Predict each record, then train on it, up to one that cannot be trained on.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units; a record with a target that is NaN is predicted only.
        checking : bool
            Whether to stop at a record with a target that leaves the ranges.

        Returns
        -------
        predictions : ndarray of shape (n, outputs)
            In the user's units; those after the record at which it stopped say nothing.
        totals : ndarray of shape (n,)
            The `error` after each record.
        done : int
            Records that were predicted and trained on. The next one, if there is one, leaves the ranges, and has been
            predicted; or a number of it is not finite.
        learnt : int
            Those of them that had targets.
        """
        before = self._trainer.chance
        words = self._trainer._next_chances(len(features)) if self._trainer.network.fine else NO_WORDS
        call, predictions, totals = self._call(features, targets, words | words << CHANCE_BITS, checking=checking)
        self._follow(*call)
        done, learnt = int(self._tally[DONE]), int(self._tally[LEARNT])
        if len(words):
            self._trainer.chance = int(words[learnt - 1]) if learnt else before
        return predictions, totals, done, learnt

    def predict_one(self, features: Sequence[float] | np.ndarray) -> np.ndarray:
        """Predict the targets (outputs,) of one record, in the user's units.

        Raises
        ------
        ValueError
            For another number of features, and for one that is not finite.
        """
        self._take(self._features, features)
        self._follow(*self._ask)
        if not self._tally[DONE]:
            raise ValueError(f"features {features} of a record: they must be finite numbers")
        return self._prediction[0].copy()

    def learn_one(
        self, features: Sequence[float] | np.ndarray, targets: Sequence[float] | np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Predict one record, then train on it, unless it leaves the ranges, or a number is not finite or missing.

        Parameters
        ----------
        features : sequence of float, or ndarray, of length `features`
            In the user's units.
        targets : sequence of float, or ndarray, of length `outputs`
            In the user's units.
        checking : bool
            Whether ranges are looked at.

        Returns
        -------
        features : ndarray of shape (1, features)
            The same, until the next record.
        targets : ndarray of shape (1, outputs)
            The same, until the next record.
        prediction : ndarray of shape (outputs,)
            In the user's units; it says nothing if a number is not finite.
        learnt : bool
            Whether it was trained on.

        Raises
        ------
        ValueError
            For another number of features or targets.
        """
        self._take(self._features, features)
        self._take(self._targets, targets)
        if self._trainer.network.fine:
            predictions, _, _, learnt = self.follow(self._features, self._targets, checking=checking)
            return self._features, self._targets, predictions[0], learnt == 1
        self._follow(*(self._one_checked if checking else self._one))
        return self._features, self._targets, self._prediction[0].copy(), self._tally[LEARNT] == 1

    @staticmethod
    def _take(row: np.ndarray, values: Sequence[float] | np.ndarray) -> None:
        if len(values) != row.shape[1]:
            raise ValueError(f"a record of {len(values)} numbers, where the network has {row.shape[1]}")
        row[0] = values

    def _call(
        self, features: np.ndarray, targets: np.ndarray, words: np.ndarray, *, checking: bool
    ) -> tuple[tuple, np.ndarray, np.ndarray]:
        """Make the arguments of the kernel; returns them, and those of them that are for predictions and totals."""
        records, trainer = len(features), self._trainer
        arguments = EncodedArguments.zeros(records, features.shape[1], trainer.word)
        buffers = arguments.flat, np.zeros(targets.shape, trainer.word), trainer.results_for(records)
        predictions, totals = np.zeros(targets.shape), np.zeros(records)
        call = self._state, features, targets, words, buffers, predictions, totals, checking
        return call, predictions, totals
