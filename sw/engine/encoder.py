"""Records in the user's units, encoded for a compiled trainer, by a kernel."""

from typing import Any, NamedTuple

import numpy as np

from sw.engine.compiled import CompiledTrainer
from sw.engine.encoded import Encoded, EncodedArguments
from sw.engine.kernels.compiling import compile_for
from sw.engine.kernels.encoding import encode_reals, encode_words
from sw.model import Model
from sw.scaling import Scaling

NO_KNOTS = np.zeros((0, 0))


class ColumnUnits(NamedTuple):
    """The units of columns, as `sw.engine.kernels.encoding` reads them."""

    low: np.ndarray
    high: np.ndarray
    factor: np.ndarray
    shift: np.ndarray
    span: np.ndarray
    bent: np.ndarray
    knots: np.ndarray
    levels: np.ndarray


class Encoder:
    """The conversion of a model's features and targets to the words of a compiled trainer.

    It gives what `CompiledTrainer.encode` gives for `Model.encode`, at the speed of memory.

    Parameters
    ----------
    model : Model
        The model, whose scaling and units are taken: in fixed point for a trainer in fixed point, else in floating
        point.
    trainer : CompiledTrainer
        A trainer of its network.

    Attributes
    ----------
    result_scale : float
        As of the trainer.
    argument_scales, target_scales : (float, float)
        What becomes of a share of a feature's range, and of a target's: the kernels' factor, and limit or divisor.
    """

    def __init__(self, model: Model, trainer: CompiledTrainer):
        units = model.units
        self._word, self.result_scale = trainer.word, trainer.result_scale
        self._features, self._targets = feature_units(model.scaling), target_units(model.scaling)
        if model.domains is None:
            self._encode: Any = encode_words
            argument_end, target_end = np.inf, float(model.network.word.largest_error)
        else:
            self._encode = encode_reals
            argument_end, target_end = 1.0, float(self.result_scale)
        self.argument_scales = float(units.argument_scale), argument_end
        self.target_scales = float(units.target_scale), target_end

    def prepare(self) -> None:
        """Compile the kernel, or load it from disk, without running it."""
        compile_for(self._encode, np.zeros((0, 0)), self._features, *self.argument_scales, np.zeros(0, self._word))

    def arguments(self, features: np.ndarray) -> EncodedArguments:
        """Encode features (n, features) in the user's units."""
        encoded = EncodedArguments.zeros(len(features), features.shape[1], self._word)
        self._encode(_plain(features), self._features, *self.argument_scales, encoded.flat)
        return encoded

    def records(self, features: np.ndarray, targets: np.ndarray) -> Encoded:
        """Encode features (n, features) and targets (n, outputs) in the user's units."""
        words: np.ndarray = np.empty(targets.shape, self._word)
        self._encode(_plain(targets), self._targets, *self.target_scales, words.reshape(-1))
        return Encoded(self.arguments(features), words)


def feature_units(scaling: Scaling) -> ColumnUnits:
    """Collect the units of a scaling's features."""
    factor, low, span = scaling.feature_units
    bent, knots = np.flatnonzero(scaling.bent), scaling.feature_knots
    rows = NO_KNOTS if knots is None else np.ascontiguousarray(knots[:, bent].T)
    divisor = np.where(span > 0, span, 1.0)
    return ColumnUnits(scaling.feature_low, scaling.feature_high, factor, low, divisor, bent, rows, scaling.levels)


def target_units(scaling: Scaling) -> ColumnUnits:
    """Collect the units of a scaling's targets, which have neither limits nor knots."""
    factor, centre, reach = scaling.target_units
    unlimited, bent = np.full(len(centre), np.inf), np.arange(0)
    return ColumnUnits(
        -unlimited, unlimited, factor, centre, np.where(reach > 0, reach, 1.0), bent, NO_KNOTS, scaling.levels
    )


def _plain(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float64)
