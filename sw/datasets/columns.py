"""Columns of a table as numbers or as text, whatever their types in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER, CATEGORY, DATE = KINDS = "number", "category", "date"

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
HOUR, DAY = 3600, 86400
"""In seconds."""


def kind_of(kind: pa.DataType) -> str | None:
    """Tell what a column of a type holds.

    Parameters
    ----------
    kind : pyarrow.DataType
        The column's type.

    Returns
    -------
    str or None
        One of `KINDS`, or None for what a network cannot take: nested and binary values.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        return kind_of(kind.value_type)
    numbers = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    if any(is_kind(kind) for is_kind in numbers):
        return NUMBER
    if types.is_temporal(kind) and not types.is_interval(kind):
        return DATE
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    return CATEGORY if any(is_kind(kind) for is_kind in texts) else None


def numbers(column: pa.ChunkedArray) -> Iterator[np.ndarray]:
    """Convert a column of numbers, dates or times.

    Dates and durations become days, dates since 1970-01-01 UTC; times of a day become hours.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Of a kind other than text.

    Yields
    ------
    ndarray of shape (rows,)
        The next values as real numbers of any type; NaN where a cell is missing.
    """
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, divisor = column.type, 1
    if types.is_date(kind):
        divisor = 1 if types.is_date32(kind) else 1000 * DAY
    elif types.is_temporal(kind):
        divisor = PER_SECOND[kind.unit] * (HOUR if types.is_time(kind) else DAY)
    if types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif types.is_decimal(kind) or types.is_null(kind):
        column = column.cast(pa.float64())
    elif types.is_temporal(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    for chunk in column.chunks:
        values = chunk.to_numpy(zero_copy_only=False)
        yield values if divisor == 1 else values / divisor


def texts(column: pa.ChunkedArray, missing: str | None = None) -> pa.ChunkedArray:
    """Convert a column to text.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Text, or numbers.
    missing : str or None
        What a missing cell becomes; None leaves it missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column.cast(pa.string())
    return text if missing is None else pc.fill_null(text, missing)
