"""A model that learns from a stream: the result does not depend on how many records come at a time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sw.engine.order import visits
from sw.model import Model
from sw.online.follower import Follower, MakeFollower
from sw.online.forgetting import BLOCK_RECORDS, Forgetting
from sw.online.widening import widened
from sw.scaling import TARGET_DEVIATIONS, Scaling
from sw.spec.schedule import Rates

FIRST_RECORDS = 1024  # are kept, and as many after an alarm; a power of two
MOST_RECORDS = 1 << 12  # that are followed at a time
FIRST_PASSES = 16  # over the records that are kept, whenever there are twice as many
ALARM_PASSES = 4  # over those that are kept after an alarm
FEWEST_RECORDS = 32  # after an alarm, that are passed over


class Learner:
    """A model in training, whose ranges follow the stream.

    The first records are kept. Whenever there are twice as many of them, training begins anew with the ranges of all
    and makes several passes over them, so that the first hundreds of records teach more than one visit can. After that,
    each record is trained on once, and a record that leaves the ranges widens them (`sw.online.widening`).

    With a forgetting, an alarm ends the first records, if it comes so early. The records after it are kept as the first
    ones are, and passed over whenever there are twice as many, by the model as it is.

    Parameters
    ----------
    model : Model
        The model to begin with; it is not changed. Its scaling counts only if it is `trained`.
    make_follower : callable
        Makes what trains the model, and makes it anew whenever the ranges change; it has to be one that can be pickled,
        if the learner is.
    rates : Rates
        Learning rates.
    trained : bool, default=False
        Whether the model has been trained, so that its ranges are known.
    forgetting : Forgetting, optional
        Changes the rates by the error, and says when the stream has drifted.

    Attributes
    ----------
    learnt : int
        Records that were trained on.
    alarms : list of int
        How many records had been trained on at each alarm of the forgetting.
    """

    def __init__(
        self,
        model: Model,
        make_follower: MakeFollower,
        rates: Rates,
        *,
        trained: bool = False,
        forgetting: Forgetting | None = None,
    ):
        self._make_follower, self._rates, self._forgetting = make_follower, rates, forgetting
        self._network = model.network
        self.learnt, self.alarms = 0, list[int]()
        self._block = 0  # records since the forgetting looked at the error
        self._block_error = 0.0  # all error until then
        self._alarm = False  # of the last block
        self._first = None if trained else model
        self._keep(0 if trained else FIRST_RECORDS)
        self._done = 0  # visits
        self._owed = 0.0  # part of a visit that weights have left over
        self._past_error = 0.0  # of followers before the present one
        self._follower = self._followed(model)

    @property
    def model(self) -> Model:
        """The model with its present parameters."""
        return self._follower.model

    def prepare(self) -> None:
        """Do what takes long, such as compiling kernels; the first record does it otherwise."""
        self._follower.prepare()

    def learn(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Train on records in their order.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units.
        weights : ndarray of shape (n,), optional
            Visits of each record; fractions add up over the stream. One each by default.

        Returns
        -------
        float
            The mean absolute error of the predictions made before each update, in standard deviations of the targets.
        """
        if weights is not None:
            rows = self._visits(weights)
            features, targets = features[rows], targets[rows]
        before = self._error
        self.predict_then_learn(features, targets)
        total = TARGET_DEVIATIONS * (self._error - before)
        return total / (targets.size or 1)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict targets (n, outputs) of features (n, features), in the user's units."""
        return self._follower.predict(features)

    def predict_then_learn(self, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Predict each record, then train on it, before the next one is predicted.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units. A record with a target that is NaN is predicted only.

        Returns
        -------
        ndarray of shape (n, outputs)
            The predictions, each made before its record was trained on.

        Raises
        ------
        ValueError
            For a feature that is not finite, or an infinite target; the records before have been trained on.
        """
        features, targets = (np.ascontiguousarray(values, np.float64) for values in (features, targets))
        predictions = np.empty(targets.shape)
        for values, columns in ((features, self._network.features), (targets, self._network.outputs)):
            if values.shape[1] != columns:
                raise ValueError(f"a record of {values.shape[1]} numbers, where the network has {columns}")
        if len(features) != len(targets):
            raise ValueError(f"{len(features)} records of features, and {len(targets)} of targets")
        start = 0
        while start < len(features):
            rows = slice(start, start + self._room)
            predicted, done, learnt = self._follow(features[rows], targets[rows])
            stop = start + done
            predictions[start : start + len(predicted)] = predicted
            self._advance(features[start:stop], targets[start:stop], learnt)
            if done < len(predicted):
                self._make_room(features[stop], targets[stop])
                stop += 1
            start = stop
        return predictions

    def predict_one(self, features: Sequence[float] | np.ndarray) -> np.ndarray:
        """Predict the targets (outputs,) of one record, in the user's units; it takes microseconds.

        Parameters
        ----------
        features : sequence of float, or ndarray, of length `features`
            In the user's units.

        Raises
        ------
        ValueError
            For another number of features, and for one that is not finite.
        """
        return self._follower.predict_one(features)

    def learn_one(self, features: Sequence[float] | np.ndarray, targets: Sequence[float] | np.ndarray) -> np.ndarray:
        """Predict one record, then train on it; it takes microseconds, once the first records have been learnt.

        Parameters
        ----------
        features : sequence of float, or ndarray, of length `features`
            In the user's units.
        targets : sequence of float, or ndarray, of length `outputs`
            In the user's units.

        Returns
        -------
        ndarray of shape (outputs,)
            The prediction, made before the update, in the user's units: that of `predict_one`.

        Raises
        ------
        ValueError
            For another number of either, and for one that is not finite.
        """
        row, target, prediction, learnt = self._follower.learn_one(features, targets, checking=self._first is None)
        if not learnt:
            if np.isnan(target).any():
                raise ValueError(f"targets {targets} of a record: they must be finite numbers")
            self._make_room(row[0], target[0])
            return prediction
        self._observe((self._error,))
        if self._keeping:
            self._advance(row, target, 1)
        else:
            self._count(1)
        return prediction

    @property
    def _error(self) -> float:
        """The sum of the absolute errors of all predictions that were made before an update, in shares of ranges."""
        return self._past_error + self._follower.error

    @property
    def _room(self) -> int:
        """The records that can be trained on before something else has to be done."""
        return min(MOST_RECORDS, (1 << self._kept.bit_length()) - self._kept) if self._keeping else MOST_RECORDS

    def _follow(self, features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Follow records as `Follower.follow`, but not beyond one after which the forgetting has other rates.

        As many as there are records are followed, and again if they were too many: that is rare, and a block at a time
        would take several times as long.
        """
        follower, checking = self._follower, self._first is None
        may_go_beyond = self._forgetting is not None and len(features) > BLOCK_RECORDS - self._block
        before = follower.snapshot() if may_go_beyond else None
        predictions, totals, done, learnt = follower.follow(features, targets, checking=checking)
        if self._forgetting is not None:
            known = np.flatnonzero(~np.isnan(targets[:done]).any(axis=1))
            end = self._observe(self._past_error + totals[known])
            if before and end < learnt:
                predictions = predictions[: known[end - 1] + 1]
                follower.restore(before)
                _, _, done, learnt = follower.follow(
                    features[: len(predictions)], targets[: len(predictions)], checking=checking
                )
        return predictions, done, learnt

    def _observe(self, totals: Sequence[float] | np.ndarray) -> int:
        """Show the forgetting the error of each block that ends, up to the first after which something changes.

        Parameters
        ----------
        totals : sequence of float, of length n
            The sum of all errors after each record that was trained on.

        Returns
        -------
        int
            The records up to that end; n if nothing changes.
        """
        if self._forgetting is None:
            return len(totals)
        for end in range(BLOCK_RECORDS - self._block, len(totals) + 1, BLOCK_RECORDS):
            total = float(totals[end - 1])
            error = TARGET_DEVIATIONS * (total - self._block_error) / (BLOCK_RECORDS * self._network.outputs)
            self._block_error = total
            self._alarm = self._forgetting.observe(error)
            if self._alarm or self._forgetting.rates != self._rates:
                return end
        return len(totals)

    def _visits(self, weights: np.ndarray) -> np.ndarray:
        """Choose the visits of records by their weights, and keep what is left of the last one."""
        total = self._owed + float(weights.sum())
        rows, self._owed = visits(weights, self._owed), total % 1
        return rows

    def _advance(self, features: np.ndarray, targets: np.ndarray, learnt: int) -> None:
        """Take note of records that have been followed, `learnt` of which had targets and were trained on."""
        if self._keeping and learnt:
            known = ~np.isnan(targets).any(axis=1)
            rows = slice(self._kept, self._kept + learnt)
            self._kept_features[rows], self._kept_targets[rows] = features[known], targets[known]
            self._kept += learnt
            if self._kept.bit_count() == 1:
                self._learn_kept()
        self._count(learnt)

    def _count(self, learnt: int) -> None:
        """Count records that were trained on, and change what the forgetting has found at the end of the last block."""
        self._done, self.learnt = self._done + learnt, self.learnt + learnt
        self._block = (self._block + learnt) % BLOCK_RECORDS
        if self._forgetting is None or self._block:
            return
        if self._alarm:
            self._alarm = False
            self.alarms.append(self.learnt)
            self._first = None
            self._keep(FIRST_RECORDS)
        if self._forgetting.rates != self._rates:
            self._rates = self._forgetting.rates
            self._follower.set_rates(self._rates)

    def _keep(self, most: int) -> None:
        """Keep the next records, so many at most; those that were kept before are dropped."""
        self._keeping, self._kept = most > 0, 0
        self._kept_features = np.zeros((most, self._network.features))
        self._kept_targets = np.zeros((most, self._network.outputs))

    def _learn_kept(self) -> None:
        """Make passes over the records that are kept: the first ones of all from a new start, others from here."""
        kept = self._kept_features[: self._kept], self._kept_targets[: self._kept]
        passes = FIRST_PASSES if self._first else ALARM_PASSES
        if self._first:
            self._change(replace(self._first, scaling=Scaling.robust(*kept)))
        if self._first or self._kept >= FEWEST_RECORDS:
            self._follower.train(*kept, passes)
            self._done += passes * self._kept
        if self._kept == FIRST_RECORDS:
            self._first = None
            self._keep(0)

    def _make_room(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Widen the ranges for a record that leaves them, and train on it.

        Raises
        ------
        ValueError
            If it does not leave them, but has a number that is not finite.
        """
        if not (np.isfinite(features).all() and np.isfinite(targets).all()):
            raise ValueError(f"features {features} and targets {targets} of a record: they must be finite numbers")
        self._change(widened(self.model, features, targets))
        self._follower.follow(features[None], targets[None], checking=False)
        self._observe((self._error,))
        self._advance(features[None], targets[None], 1)

    def _change(self, model: Model) -> None:
        """Go on with another model, whose ranges or nodes are not those of the present one."""
        self._past_error, self._follower = self._error, self._followed(model)

    def _followed(self, model: Model) -> Follower:
        """Make a follower of a model, from where the present training is."""
        follower = self._make_follower(model, self._rates)
        follower.seek(self._done)
        return follower

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_past_error": self._error, "_follower": self.model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._follower = self._followed(state["_follower"])
