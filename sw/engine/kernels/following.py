"""Records of a stream, in the user's units, one after the other: each is predicted, then trained on.

The kernels are those of passes and of encoding, called for one record at a time; a stream needs no others.
"""

from typing import Any

import numpy as np

from sw.engine.kernels.compiling import kernel
from sw.engine.kernels.encoding import encode_reals, encode_words, limited, map_row
from sw.engine.kernels.fixed import passes as fixed
from sw.engine.kernels.floating import passes as floating
from sw.engine.simd.compiling import inlined
from sw.spec.chance import CHANCE_BITS

DONE, LEARNT, ERROR = range(3)
"""Places in a tally: records that were followed, those of them that were trained on, and the sum of their errors."""


@inlined
def holds(values: Any, units: Any) -> Any:
    """Tell whether features lie in their ranges."""
    low, high = units[0], units[1]
    for column in range(len(values)):
        if not low[column] <= values[column] <= high[column]:
            return False
    return True


@inlined
def holds_targets(values: Any, shares: Any, constants: Any, largest: Any) -> Any:
    """Tell whether the word holds targets, and constant ones are what they were."""
    for column in range(len(values)):
        if np.isnan(constants[column]):
            if not abs(shares[column]) < largest:
                return False
        elif values[column] != constants[column]:
            return False
    return True


@inlined
def finite(values: Any) -> Any:
    """Tell whether all numbers are finite."""
    for value in values:
        if not np.isfinite(value):
            return False
    return True


@inlined
def known(values: Any) -> Any:
    """Tell whether no number is missing."""
    for value in values:
        if np.isnan(value):
            return False
    return True


@inlined
def follow(
    train: Any,
    predict: Any,
    encode: Any,
    state: Any,
    features: Any,
    targets: Any,
    words: Any,
    predictions: Any,
    checking: Any,
) -> None:
    """Follow records, by the kernels of an arithmetic."""
    units, decoding, scales, word, training, results, tally = state
    feature_units, target_units = units
    argument_scale, argument_end, target_scale, target_end, result_scale, largest = scales
    arguments, encoded = training[4], training[5].reshape(-1)
    outputs = targets.shape[1]
    shares = np.empty(outputs)
    done, learnt = 0, 0
    for r in range(len(features)):
        if not finite(features[r]):
            break
        encode(features[r : r + 1], feature_units, argument_scale, argument_end, arguments)
        predict(training[0], training[1], training[2], arguments, results)
        for output in range(outputs):
            share = results[0, output] * result_scale / target_scale
            value = share * decoding[0, output] + decoding[1, output]
            end = decoding[3, output]
            predictions[r, output] = limited(value, -end, end) / decoding[2, output]
        if known(targets[r]):
            map_row(targets[r], target_units, shares)
            if not finite(targets[r]):
                break
            if checking and not (
                holds(features[r], feature_units) and holds_targets(targets[r], shares, decoding[4], largest)
            ):
                break
            encode(targets[r : r + 1], target_units, target_scale, target_end, encoded)
            if len(words):
                word[0] = words[learnt] | words[learnt] << CHANCE_BITS
            train(*training)
            for output in range(outputs):
                tally[ERROR] += abs(shares[output] - results[0, output] * result_scale / target_scale)
            learnt += 1
        done += 1
    tally[DONE], tally[LEARNT] = done, learnt


@kernel
def follow_words(state: Any, features: Any, targets: Any, words: Any, predictions: Any, checking: Any) -> None:
    """Follow records in fixed point.

    Parameters
    ----------
    state
        What is the same in every call, in a plain tuple, since one with names takes a
        twentieth of the time of a record more to hand over:

        - the `ColumnUnits` of features and of targets;
        - five rows of a number for each output: factor and summand that make a share of the target's range a
          prediction, the divisor after that, the largest prediction before it, and the target's value if it is
          constant, else NaN;
        - the scales of arguments and words, as the encoding kernels take them; of results; and the share that no target
          reaches;
        - an array of one number, from which the training kernel reads the chance word;
        - the arguments of the training kernel, with one record, which is overwritten;
        - an array (1, outputs) for results;
        - a tally. Set: `DONE` and `LEARNT`. Added to: `ERROR`, in shares of the targets' ranges. The records that
          follow the `DONE` ones are left alone: the first of them has a number that is not finite, or leaves the
          ranges, in which case it has been predicted.
    features
        Numbers (n, features) in the user's units.
    targets
        Numbers (n, outputs) in the user's units; a record with one that is NaN is predicted only.
    words
        The chance word of each record that is trained on; empty without fine bits.
    predictions
        Array (n, outputs) for the predictions, in the user's units.
    checking
        Whether ranges are looked at.
    """
    follow(fixed.train, fixed.predict, encode_words, state, features, targets, words, predictions, checking)


@kernel
def follow_reals(state: Any, features: Any, targets: Any, words: Any, predictions: Any, checking: Any) -> None:
    """Follow records in floating point; parameters as of `follow_words`."""
    follow(floating.train, floating.predict, encode_reals, state, features, targets, words, predictions, checking)
