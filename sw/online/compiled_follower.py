"""A follower by the compiled kernels: records are predicted and trained on in one call of a kernel."""

from typing import Any

import numpy as np

from sw.engine.conversion import compiled_trainer, with_trainer
from sw.engine.encoded import Encoded, EncodedArguments
from sw.engine.encoder import Encoder, feature_units, target_units
from sw.engine.kernels.compiling import entry_point
from sw.engine.kernels.following import DONE, ERROR, LEARNT, follow_reals, follow_words
from sw.model import Model
from sw.online.follower import Follower, Snapshot
from sw.scaling import largest_scaled
from sw.spec.chance import CHANCE_BITS
from sw.spec.schedule import Rates

NO_WORDS = np.zeros(0, np.int64)


class CompiledFollower(Follower):
    """A follower that trains on this computer, in any arithmetic. One record alone costs some microseconds.

    A record is what `Encoder` and a pass of `CompiledTrainer` make of it, bit for bit.

    Parameters
    ----------
    model : Model
        The model to begin with; it is not changed.
    rates : Rates
        Learning rates of the first records.
    arithmetic : str
        One of `sw.engine.conversion.ARITHMETICS`.
    """

    def __init__(self, model: Model, rates: Rates, arithmetic: str):
        super().__init__(model, rates)
        self._fine = model.network.fine > 0
        self._trainer = compiled_trainer(model, arithmetic)
        self._encoder = Encoder(model, self._trainer)
        scaling = model.scaling
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
        record = Encoded.of(self._features, self._targets, self._trainer.word)
        self._tally = np.zeros(3)
        self._state = units, decoding, scales, self._trainer._training(record), self._tally
        self._one, self._prediction, _ = self._call(self._features, self._targets, NO_WORDS, checking=False)
        self._one_checked = *self._one[:-1], True
        self._ask = *self._one[:2], self._unknown, *self._one[3:]
        self._kernel: Any = self._first_call
        self.set_rates(rates)

    @property
    def model(self) -> Model:
        """The model with its present parameters."""
        return with_trainer(self._model, self._trainer)

    @property
    def error(self) -> float:
        """The sum of the absolute errors; as `Follower.error`."""
        return float(self._tally[ERROR])

    def prepare(self) -> None:
        """Compile the kernels, or load them from disk."""
        self._trainer.prepare()
        self._encoder.prepare()
        self._compile()

    def seek(self, records: int) -> None:
        """Set the chance word to that after so many record updates."""
        self._trainer.seek(records)

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

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets; as `Follower.predict`."""
        return self._model.decode(self._trainer.results(self._encoder.arguments(features)))

    def train(self, features: np.ndarray, targets: np.ndarray, passes: int) -> None:
        """Make passes over records; as `Follower.train`."""
        records = self._encoder.records(features, targets)
        for _ in range(passes):
            self._trainer.run(records, self._rates)

    def follow(
        self, features: np.ndarray, targets: np.ndarray, *, checking: bool
    ) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Predict each record, then train on it; as `Follower.follow`."""
        before = self._trainer.chance
        words = self._trainer._next_chances(len(features)) if self._fine else NO_WORDS
        call, predictions, totals = self._call(features, targets, words | words << CHANCE_BITS, checking=checking)
        self._kernel(*call)
        done, learnt = int(self._tally[DONE]), int(self._tally[LEARNT])
        if len(words):
            self._trainer.chance = int(words[learnt - 1]) if learnt else before
        return predictions, totals, done, learnt

    def _predict_row(self) -> tuple[np.ndarray, float]:
        """Predict the record of `_features`, by arguments of the kernel that are made once."""
        self._kernel(*self._ask)
        return self._prediction[0].copy(), self._tally[DONE]

    def _learn_row(self, checking: bool) -> tuple[np.ndarray, float]:
        """Follow the record of `_features` and `_targets`, by arguments of the kernel that are made once."""
        if self._fine:
            return super()._learn_row(checking)
        self._kernel(*(self._one_checked if checking else self._one))
        return self._prediction[0].copy(), self._tally[LEARNT]

    def _compile(self) -> None:
        """Compile the kernel, or load it from disk."""
        self._kernel = entry_point(follow_words if self._model.domains is None else follow_reals, *self._one)

    def _first_call(self, *call: Any) -> None:
        """Compile the kernel, and call it: a learner that only predicts many records does without."""
        self._compile()
        self._kernel(*call)

    def _call(
        self, features: np.ndarray, targets: np.ndarray, words: np.ndarray, *, checking: bool
    ) -> tuple[tuple, np.ndarray, np.ndarray]:
        """Make the arguments of the kernel; returns them, and those of them that are for predictions and totals."""
        records, trainer = len(features), self._trainer
        arguments = EncodedArguments.zeros(records, features.shape[1], trainer.word)
        buffers: tuple = arguments.flat, np.zeros(targets.shape, trainer.word), trainer.results_for(records)
        predictions, totals = np.zeros(targets.shape), np.zeros(records)
        call = self._state, features, targets, words, buffers, predictions, totals, checking
        return call, predictions, totals
