"""The choice of an encoding for a table: which columns are used, and what is done to each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw.datasets.columns import CATEGORY, DATE, NUMBER, kind_of, numbers, texts
from sw.datasets.dataset import DatasetError
from sw.datasets.encoding import (
    MEDIAN,
    MISSING_TEXT,
    REFUSE,
    ColumnRule,
    Encoding,
    encoding_notes,
)
from sw.datasets.faults import Faults, Place, all_finite
from sw.datasets.raw import shortened

MOST_TEXTS = 32
"""Different texts that a column may have to be a category."""

MEDIAN_ROWS = 1 << 16
"""Rows, evenly spread, whose median fills missing cells."""

Column = str | int
Targets = Column | Sequence[Column] | None
Blocks = Iterator[tuple[int, pa.Table]]


@dataclass(frozen=True)
class ColumnOptions:
    """What the user says about the columns of a file. Columns are given by name or by index, negative from the end.

    Attributes
    ----------
    targets : str, int, sequence of these, or None
        Columns to predict; None for those that the file suggests.
    features : sequence of str or int, or None
        Columns to predict from; None for all others.
    ignore : sequence of str or int
        Columns that are not used.
    header : bool or None
        Whether the first row of a text file holds the names; None for finding out.
    missing : {"refuse", "drop", "median"}
        What happens to missing cells, as `Encoding` says.
    """

    targets: Targets = None
    features: Sequence[Column] | None = None
    ignore: Sequence[Column] = ()
    header: bool | None = None
    missing: str = REFUSE


@dataclass(frozen=True)
class TableShape:
    """What is known of a table before its rows are read.

    Attributes
    ----------
    name : str
        Its name, for messages.
    schema : pyarrow.Schema
        Its columns.
    targets : tuple of str
        Targets that the file suggests.
    count : int
        Number of rows.
    """

    name: str
    schema: pa.Schema
    targets: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Fit:
    """An encoding that fits a table.

    Attributes
    ----------
    encoding : Encoding
        What is done to its columns.
    notes : tuple of str
        What the user should know of it, a line each.
    complete : bool
        Whether no cell is missing in the columns that are used.
    """

    encoding: Encoding
    notes: tuple[str, ...]
    complete: bool


class _Statistics:
    """What one column holds, gathered block by block."""

    def __init__(self, name: str, kind: str, *, stride: int) -> None:
        self.name, self.kind = name, kind
        self.low, self.high, self.missing = np.inf, -np.inf, 0
        self.values: set[str] = set()
        self.sample: list[np.ndarray] = []
        self._stride = stride

    def add(self, column: pa.ChunkedArray, row: int, faults: Faults, *, refuse: bool) -> None:
        if self.kind == CATEGORY:
            self._add_texts(texts(column), row, faults, refuse=refuse)
            return
        for values in numbers(column):
            self._add_numbers(values.astype(np.float64, copy=False), row, faults, refuse=refuse)
            row += len(values)

    def _add_numbers(self, values: np.ndarray, row: int, faults: Faults, *, refuse: bool) -> None:
        if not len(values):
            return
        if self._stride:
            self.sample.append(values[-row % self._stride :: self._stride].copy())
        if not all_finite(values):
            missing = np.isnan(values)
            self.missing += int(missing.sum())
            faults.add(self.name, values, missing, row, refuse=refuse)
            values = values[~missing]
        if len(values):
            self.low, self.high = min(self.low, values.min()), max(self.high, values.max())

    def _add_texts(self, text: pa.ChunkedArray, row: int, faults: Faults, *, refuse: bool) -> None:
        if text.null_count:
            missing = text.is_null().to_numpy()
            self.missing += text.null_count
            faults.add(self.name, np.where(missing, np.nan, 0.0), missing, row, refuse=refuse)
        if len(self.values) <= MOST_TEXTS:
            self.values.update(pc.unique(text.drop_null()).to_pylist())

    @property
    def median(self) -> float:
        sample = np.concatenate(self.sample)
        known = sample[~np.isnan(sample)]
        return float(np.median(known)) if len(known) else self.low / 2 + self.high / 2

    def useless(self, missing: str) -> str | None:
        """Say why the column cannot help to predict; None if it can."""
        if self.kind == CATEGORY:
            if len(self.values) > MOST_TEXTS:
                return f"more than {MOST_TEXTS} different texts"
            if not self.values:
                return "no values"
            return None if len(self.values) + (missing == MEDIAN and self.missing > 0) > 1 else "constant"
        if self.low > self.high:
            return "no values"
        return "constant" if self.low == self.high else None

    def rule(self, missing: str) -> ColumnRule:
        filled = missing == MEDIAN
        if self.kind == CATEGORY:
            values = self.values | ({MISSING_TEXT} if filled and self.missing else set())
            return ColumnRule(self.name, CATEGORY, tuple(sorted(values)))
        return ColumnRule(self.name, self.kind, fill=self.median if filled else None)


def fit(table: TableShape, options: ColumnOptions, blocks: Blocks, place: Place) -> Fit:
    """Choose an encoding by all rows of a table.

    Parameters
    ----------
    table : TableShape
        What is known of the table.
    options : ColumnOptions
        What the user says.
    blocks : iterator of (int, pyarrow.Table)
        All rows, in blocks, and the number of the first row of each.
    place : callable
        Takes the number of a row, gives its place in the file.

    Returns
    -------
    Fit
        The encoding, and what the user should know of it.

    Raises
    ------
    DatasetError
        If columns cannot be chosen so, or cannot be used; it names all of them.
    """
    if table.count < 2:
        raise DatasetError(f"{table.name} has {table.count} records, too few to train on some and hold out others")
    encoding = Encoding(missing=options.missing)  # its rule is checked before the rows are read
    targets, features = choose_columns(table, options)
    kinds = {name: kind_of(table.schema.field(name).type) for name in (*features, *targets)}
    _check_targets(table.name, targets, kinds)
    left_out = {name: f"of type {table.schema.field(name).type}" for name in features if kinds[name] is None}
    _check_named(table.name, options, left_out)
    stride = max(1, -(-table.count // MEDIAN_ROWS)) if options.missing == MEDIAN else 0
    statistics = {
        name: _Statistics(name, kind, stride=0 if name in targets else stride) for name, kind in kinds.items() if kind
    }
    faults: dict[str, Faults] = {name: Faults(table.name) for name in statistics}
    for row, block in blocks:
        for name, each in statistics.items():
            each.add(block[name], row, faults[name], refuse=options.missing == REFUSE)
    for name in features:
        reason = statistics[name].useless(options.missing) if name in statistics else None
        if reason and not (reason == "constant" and options.features is not None and kinds[name] != CATEGORY):
            left_out[name] = reason
    _check_named(table.name, options, left_out)
    used = [name for name in features if name not in left_out]
    if not used:
        listed = ", ".join(f"{name} ({reason})" for name, reason in left_out.items())
        raise DatasetError(f"{table.name}: no column is left as a feature; left out are {listed}")
    empty = [name for name in targets if statistics[name].useless(REFUSE) == "no values"]
    if empty:
        raise DatasetError(f"{table.name}: the target {', '.join(map(repr, empty))} has no values")
    Faults.joined(table.name, [faults[name] for name in (*used, *targets)]).check(place)
    rules = {name: statistics[name].rule(options.missing) for name in used}
    encoding = replace(
        encoding,
        features=tuple(rules.values()),
        targets=tuple(map(ColumnRule, targets)),
        left_out=tuple(left_out.items()),
    )
    missing = {name: statistics[name].missing for name in (*used, *targets) if statistics[name].missing}
    return Fit(encoding, (*encoding_notes(encoding), *_missing_notes(encoding, missing)), not missing)


def choose_columns(table: TableShape, options: ColumnOptions) -> tuple[list[str], list[str]]:
    """Choose which columns of a table are targets and which are features.

    Parameters
    ----------
    table : TableShape
        The table.
    options : ColumnOptions
        What the user says.

    Returns
    -------
    targets, features : list of str
        Names of columns; features in the order that the user gave, or in the table's.

    Raises
    ------
    DatasetError
        If the targets are not distinct columns of the table, are among the features or the ignored columns, or leave
        no feature.
    """
    names = table.schema.names
    listed = shortened(names)
    given = options.targets if options.targets is not None else table.targets
    targets = _named(table.name, names, (given,) if isinstance(given, str | int) else given)
    if len(set(targets)) != len(targets) or not targets:
        raise DatasetError(f"{table.name}: targets {targets} are not distinct columns; the file has {listed}")
    ignored = _named(table.name, names, options.ignore)
    asked = None if options.features is None else _named(table.name, names, options.features)
    features = [name for name in names if name not in targets] if asked is None else list(dict.fromkeys(asked))
    for one, others, what in ((targets, ignored, "ignored"), (targets, asked or (), "a feature")):
        both = [name for name in one if name in others]
        if both:
            raise DatasetError(f"{table.name}: column {both[0]!r} cannot be a target and {what}; name other --targets")
    features = [name for name in features if name not in ignored]
    if not features:
        raise DatasetError(f"{table.name}: targets {targets} leave no column as a feature; the file has {listed}")
    return targets, features


def _named(name: str, columns: Sequence[str], wanted: Sequence[Column]) -> list[str]:
    found = []
    known = set(columns)
    for each in wanted:
        if isinstance(each, str) and each in known:
            found.append(each)
        elif not isinstance(each, str) and -len(columns) <= each < len(columns):
            found.append(columns[each])
        else:
            raise DatasetError(f"{name} has no column {each!r}; it has {shortened(columns)}")
    return found


def _check_targets(name: str, targets: Sequence[str], kinds: dict[str, str | None]) -> None:
    for target in targets:
        if kinds[target] != NUMBER:
            held = {CATEGORY: "text", DATE: "dates or times"}.get(kinds[target] or "", "neither numbers nor text")
            hint = ": write classes as numbers, a column of 0 and 1 each" if kinds[target] == CATEGORY else ""
            raise DatasetError(
                f"{name}: the target {target!r} is {held}, and only numbers are predicted{hint}; --targets COLUMN "
                "names another"
            )


def _check_named(name: str, options: ColumnOptions, left_out: dict[str, str]) -> None:
    if options.features is not None and left_out:
        listed = ", ".join(f"{column!r} ({reason})" for column, reason in left_out.items())
        raise DatasetError(f"{name}: no feature can be made of {listed}")


def _missing_notes(encoding: Encoding, missing: dict[str, int]) -> list[str]:
    if not missing:
        return []
    fills = {rule.column: rule for rule in encoding.features}

    def filled(name: str) -> str:
        rule = fills.get(name)
        if encoding.missing != MEDIAN or rule is None:
            return ""
        return f", now {MISSING_TEXT}" if rule.kind == CATEGORY else f", now {rule.fill:.6g}"

    listed = ", ".join(f"{name} ({count:,}{filled(name)})" for name, count in missing.items())
    return [f"cells are missing in {listed}"]
