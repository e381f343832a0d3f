"""Records of a stream, in the user's units: each is predicted, then trained on, before the next one is predicted.

The kernels are those of passes and of encoding; a stream needs no others.
"""

from typing import Any

import numpy as np

from sw.engine.kernels.compiling import kernel
from sw.engine.kernels.encoding import encode_reals, encode_words, limited, map_row
from sw.engine.kernels.fixed import passes as fixed
from sw.engine.kernels.floating import passes as floating
from sw.engine.kernels.floating.memory import layer_at
from sw.engine.simd.compiling import inlined

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
def trainable(features: Any, targets: Any, units: Any, constants: Any, largest: Any, checking: Any, shares: Any) -> Any:
    """Count the records before the first that has a number that is not finite, or leaves the ranges."""
    for r in range(len(features)):
        if not finite(features[r]):
            return r
        if known(targets[r]):
            if not finite(targets[r]):
                return r
            if checking:
                map_row(targets[r], units[1], shares)
                if not (holds(features[r], units[0]) and holds_targets(targets[r], shares, constants, largest)):
                    return r
    return len(features)


@inlined
def follow(
    train: Any,
    predict: Any,
    encode: Any,
    state: Any,
    features: Any,
    targets: Any,
    words: Any,
    buffers: Any,
    predictions: Any,
    totals: Any,
    checking: Any,
    shares: Any,
) -> None:
    """Follow records, by the kernels of an arithmetic; `shares`: a place for those of a record's targets."""
    units, decoding, scales, training, tally = state
    arguments, encoded, results = buffers
    argument_scale, argument_end, target_scale, target_end, result_scale, largest = scales
    columns, outputs = features.shape[1], targets.shape[1]
    done = trainable(features, targets, units, decoding[4], largest, checking, shares)
    asked = done + 1 if done < len(features) and finite(features[done]) else done
    encode(features[:asked], units[0], argument_scale, argument_end, arguments)
    learnt, start = 0, 0
    while start < asked:
        learns = start < done and known(targets[start])
        stop = start + 1
        while stop < asked and learns == (stop < done and known(targets[stop])):
            stop += 1
        if learns:
            encode(targets[start:stop], units[1], target_scale, target_end, encoded[start:stop].reshape(-1))
            chances = words[learnt : learnt + stop - start]
            train(training, arguments[start * columns :], encoded[start:stop], chances, results[start:stop])
            learnt += stop - start
        else:
            predict(training[0], training[1], training[2], arguments[start * columns :], results[start:stop])
        start = stop
    for r in range(asked):
        learns = r < done and known(targets[r])
        if learns:
            map_row(targets[r], units[1], shares)
        for output in range(outputs):
            share = results[r, output] * result_scale / target_scale
            value = share * decoding[0, output] + decoding[1, output]
            end = decoding[3, output]
            predictions[r, output] = limited(value, -end, end) / decoding[2, output]
            if learns:
                tally[ERROR] += abs(shares[output] - share)
        totals[r] = tally[ERROR]
    tally[DONE], tally[LEARNT] = done, learnt


@inlined
def train_words(training: Any, arguments: Any, targets: Any, words: Any, results: Any) -> None:
    """Train in fixed point, and keep the results from which the updates were computed."""
    memory, layers, size, slot_size, _, _, groups, fine, _, limit, counting, statistics, _ = training
    fixed.train(
        memory, layers, size, slot_size, arguments, targets, groups, fine, words, limit, counting, statistics, results
    )


@inlined
def train_reals(training: Any, arguments: Any, targets: Any, words: Any, results: Any) -> None:
    """Train in floating point, each record after its prediction, which the growth of domains would change."""
    memory, layers, size, slot_size, _, _, groups, margin, statistics, _ = training
    columns = layer_at(layers, 0).inputs
    for r in range(len(targets)):
        row = arguments[r * columns :]
        floating.predict(memory, layers, size, row, results[r : r + 1])
        floating.train(memory, layers, size, slot_size, row, targets[r : r + 1], groups, margin, statistics, None)


@kernel
def follow_words(
    state: Any, features: Any, targets: Any, words: Any, buffers: Any, predictions: Any, totals: Any, checking: Any
) -> None:
    """Follow records in fixed point.

    Parameters
    ----------
    state
        What is the same in every call, in a plain tuple, since one with names takes a twentieth of the time of a record
        more to hand over:

        - the `ColumnUnits` of features and of targets;
        - five rows of a number for each output: factor and summand that make a share of the target's range a
          prediction, the divisor after that, the largest prediction before it, and the target's value if it is
          constant, else NaN;
        - the scales of arguments and words, as the encoding kernels take them; of results; and the share that no target
          reaches;
        - the arguments of the training kernel, with records that are not looked at;
        - a tally. Set: `DONE` and `LEARNT`. Added to: `ERROR`, in shares of the targets' ranges. The records that
          follow the `DONE` ones are left alone: the first of them has a number that is not finite, or leaves the
          ranges, in which case it has been predicted.
    features
        Numbers (n, features) in the user's units.
    targets
        Numbers (n, outputs) in the user's units; a record with one that is NaN is predicted only.
    words
        The chance word of each record that is trained on, twice side by side; empty without fine bits.
    buffers
        Arrays for words: arguments (n * features,) and a register more, targets (n, outputs), results (n, outputs).
    predictions
        Array (n, outputs) for the predictions, in the user's units.
    totals
        Array (n,) for the `ERROR` after each record.
    checking
        Whether ranges are looked at.
    """
    follow(
        train_words,
        fixed.predict,
        encode_words,
        state,
        features,
        targets,
        words,
        buffers,
        predictions,
        totals,
        checking,
        np.empty(targets.shape[1]),
    )


@kernel
def follow_reals(
    state: Any, features: Any, targets: Any, words: Any, buffers: Any, predictions: Any, totals: Any, checking: Any
) -> None:
    """Follow records in floating point; parameters as of `follow_words`."""
    follow(
        train_reals,
        floating.predict,
        encode_reals,
        state,
        features,
        targets,
        words,
        buffers,
        predictions,
        totals,
        checking,
        np.empty(targets.shape[1]),
    )
