"""Columns in the user's units as a kernel's words, bit for bit as `sw.model.Model.encode`.

The units of columns are their lowest and highest values, which limit them; the factor, shift and span that make a share
of the range; for the columns that are bent, numbers and knots, which say which of the levels a share becomes.
"""

from typing import Any

import numpy as np

from sw.engine.kernels.compiling import kernel
from sw.engine.simd.compiling import inlined


@inlined
def limited(value: Any, low: Any, high: Any) -> Any:
    """Limit a number, in a form that becomes vector instructions."""
    value = low if value < low else value
    return high if value > high else value


@inlined
def interpolated(x: Any, places: Any, values: Any) -> Any:
    """Interpolate between places that rise, as `numpy.interp`."""
    low, high = 0, len(places) - 1
    if x >= places[high]:
        return values[high]
    if x < places[low]:
        return values[low]
    while high - low > 1:
        middle = (low + high) >> 1
        if places[middle] <= x:
            low = middle
        else:
            high = middle
    slope = (values[high] - values[low]) / (places[high] - places[low])
    return slope * (x - places[low]) + values[low]


@inlined
def map_row(values: Any, units: Any, shares: Any) -> None:
    """Map the values of a record to shares of their ranges."""
    low, high, factor, shift, span, bent, knots, levels = units
    for column in range(len(values)):
        inside = limited(values[column], low[column], high[column])
        shares[column] = (inside * factor[column] - shift[column]) / span[column]
    for index in range(len(bent)):
        shares[bent[index]] = interpolated(shares[bent[index]], knots[index], levels)


@kernel
def encode_words(values: Any, units: Any, scale: Any, limit: Any, words: Any) -> None:
    """Map values (n, columns) to whole numbers (n * columns,) up to +-`limit`: shares times the scale, rounded."""
    columns = values.shape[1]
    shares = np.empty(columns)
    for record in range(len(values)):
        map_row(values[record], units, shares)
        row = words[record * columns : (record + 1) * columns]
        for column in range(columns):
            row[column] = np.int32(limited(np.rint(shares[column] * scale), -limit, limit))


@kernel
def encode_reals(values: Any, units: Any, scale: Any, divisor: Any, words: Any) -> None:
    """Map values (n, columns) to floating-point numbers (n * columns,): shares times the scale, divided."""
    columns = values.shape[1]
    shares = np.empty(columns)
    for record in range(len(values)):
        map_row(values[record], units, shares)
        row = words[record * columns : (record + 1) * columns]
        for column in range(columns):
            row[column] = shares[column] * scale / divisor
