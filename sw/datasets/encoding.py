"""What is done to the columns of a table before a network sees them: plain data, which a model keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.datasets import columns
from sw.datasets.columns import CATEGORY, DATE, KINDS, NUMBER
from sw.datasets.dataset import Dataset, DatasetError
from sw.datasets.faults import HINT, HINT_FOR_PREDICTIONS, Faults, Place, all_finite
from sw.datasets.matching import match
from sw.datasets.raw import shortened

if TYPE_CHECKING:
    import pyarrow as pa

REFUSE, DROP, MEDIAN = MISSING_RULES = "refuse", "drop", "median"
MISSING_TEXT = "(missing)"
"""The value of its own that a missing text has under the rule `median`."""


@dataclass(frozen=True)
class ColumnRule:
    """What is done to one column of a table.

    Attributes
    ----------
    column : str
        Its name in the table.
    kind : {"number", "category", "date"}
        A category is text, and becomes a column of 0 and 1 for each value; one column, for the second, if it has two.
    values : tuple of str
        The values of a category, sorted.
    fill : float or None
        What a missing number or date becomes; None leaves it missing.
    """

    column: str
    kind: str = NUMBER
    values: tuple[str, ...] = ()
    fill: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} of column {self.column!r} is not one of {', '.join(KINDS)}")
        if (self.kind == CATEGORY) != (len(self.values) >= 2):
            raise ValueError(f"column {self.column!r} of kind {self.kind} cannot have {len(self.values)} values")

    @property
    def shown_values(self) -> tuple[str, ...]:
        """The values of a category that have a column."""
        return self.values[1:] if len(self.values) == 2 else self.values

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that this one becomes."""
        if self.kind == CATEGORY:
            return tuple(f"{self.column}={value}" for value in self.shown_values)
        return (self.column,)


@dataclass
class Unseen:
    """Texts that the fit of an encoding has not seen.

    Attributes
    ----------
    cells : Counter of (str, str)
        How often each column has each text.
    """

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """Say in one line, if there are any, which they are."""
        if not self.cells:
            return []
        listed = [f"{column} {text!r} ({count:,})" for (column, text), count in self.cells.most_common(5)]
        more = f", and {len(self.cells) - 5} more" if len(self.cells) > 5 else ""
        total = self.cells.total()
        return [
            f"{total:,} cells hold text that training has not seen, and count as none of it: {', '.join(listed)}{more}"
        ]


@dataclass(frozen=True)
class Encoding:
    """What is done to the columns of a table.

    Attributes
    ----------
    features, targets : tuple of ColumnRule
        The columns that are used.
    missing : {"refuse", "drop", "median"}
        What happens to missing cells: they are refused; their rows are left out; or they are filled, with the rule's
        `fill`, or in text with the value "(missing)".
    left_out : tuple of (str, str)
        Names of columns that are not used, and why.
    """

    features: tuple[ColumnRule, ...] = ()
    targets: tuple[ColumnRule, ...] = ()
    missing: str = REFUSE
    left_out: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.missing not in MISSING_RULES:
            raise DatasetError(f"missing must be one of {', '.join(MISSING_RULES)}, not {self.missing!r}")

    @classmethod
    def numbers(cls, feature_names: Sequence[str], target_names: Sequence[str]) -> Encoding:
        """Give the encoding of a table of numbers without missing cells."""
        return cls(tuple(map(ColumnRule, feature_names)), tuple(map(ColumnRule, target_names)))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of what a network takes, such as "rooms" and "colour=red"."""
        return tuple(name for rule in self.features for name in rule.names)

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of what a network predicts."""
        return tuple(rule.column for rule in self.targets)

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """Names of the table's columns that are features."""
        return tuple(rule.column for rule in self.features)

    @property
    def has_texts(self) -> bool:
        """Whether a column is text, of which a table may have more than the fit has seen."""
        return any(rule.kind == CATEGORY for rule in self.features)

    def with_missing(self, rule: str) -> Encoding:
        """Give the same encoding with another rule for missing cells.

        Parameters
        ----------
        rule : {"refuse", "drop", "median"}
            The rule.

        Raises
        ------
        DatasetError
            For `median`, unless the table that was fitted was encoded so: medians of others are not known.
        """
        if rule == self.missing:
            return self
        if rule == MEDIAN:
            raise DatasetError(
                f"the model was trained with --missing {self.missing} and has no medians; legal are {REFUSE}, {DROP}"
            )
        return replace(self, missing=rule, features=tuple(replace(each, fill=None) for each in self.features))

    def select(self, table: pa.Table, name: str) -> pa.Table:
        """Take the columns of all features and targets from the table `name`, under the names that they have here.

        Raises
        ------
        DatasetError
            If one is missing.
        """
        needed = [*self.feature_columns, *self.target_names]
        found, _ = match(needed, table.column_names, name)
        return table.select(found).rename_columns(needed)

    def matrix(
        self, table: pa.Table, name: str, place: Place, *, targets: bool, unseen: Unseen, first_row: int = 0
    ) -> np.ndarray:
        """Encode rows of a table.

        Parameters
        ----------
        table : pyarrow.Table
            It has the columns of all features, and of the targets if they are wanted.
        name : str
            The table's name, for messages.
        place : callable
            Takes the number of a row of the file, gives its place there.
        targets : bool
            Whether targets are wanted, too.
        unseen : Unseen
            Here texts are counted that the fit has not seen.
        first_row : int, default=0
            Number in the file of the table's first row.

        Returns
        -------
        ndarray of float64, shape (rows, features), or (rows, features + targets)
            The rows; NaN where a cell is missing that no rule fills.

        Raises
        ------
        DatasetError
            For a column of another kind than the encoding's, for numbers that are not finite, and for missing cells if
            they are refused.
        """
        rules = [*self.features, *(self.targets if targets else ())]
        for rule in rules:
            column = table[rule.column]
            if column.null_count < len(column):
                _check_kind(rule, columns.kind_of(column.type), name)
        width = sum(len(rule.names) for rule in rules)
        values = np.empty((table.num_rows, width))
        first = 0
        for rule in rules:
            part = values[:, first : first + len(rule.names)]
            first += len(rule.names)
            if rule.kind == CATEGORY:
                filler = MISSING_TEXT if self.missing == MEDIAN else None
                _one_hot(rule, columns.texts(table[rule.column], filler), part, unseen)
                continue
            row = 0
            for chunk in columns.numbers(table[rule.column]):
                part[row : row + len(chunk), 0] = chunk
                row += len(chunk)
        if not all_finite(values):
            faults = self._settle(rules, values, name, first_row)
            faults.check(place, HINT if targets else HINT_FOR_PREDICTIONS)
        return values

    def _settle(self, rules: list[ColumnRule], values: np.ndarray, name: str, first_row: int) -> Faults:
        """Fill missing cells where a rule says so; find other cells that are not finite."""
        faults = Faults(name)
        first = 0
        for rule in rules:
            part = values[:, first]
            first += len(rule.names)
            missing = np.isnan(part)
            faults.add(rule.column, part, missing, first_row, refuse=self.missing == REFUSE)
            if rule.fill is not None:
                part[missing] = rule.fill
        return faults

    def dataset(self, values: np.ndarray, name: str) -> Dataset:
        """Make records of a matrix with targets; both sides are views."""
        features = len(self.feature_names)
        return Dataset(name, values[:, :features], values[:, features:], self.feature_names, self.target_names)

    def plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Encoding:
        """Make an encoding from what `plain` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            For anything else.
        """
        features, targets = (tuple(_rule(each) for each in plain[side]) for side in ("features", "targets"))
        left_out = tuple((_text(column), _text(reason)) for column, reason in plain["left_out"])
        return cls(features, targets, plain["missing"], left_out)


def encoding_notes(encoding: Encoding) -> list[str]:
    """Say what is done to columns that are not simply numbers, a line each.

    Parameters
    ----------
    encoding : Encoding
        Any.
    """
    notes = []
    for reason in dict.fromkeys(reason for _, reason in encoding.left_out):
        names = [column for column, each in encoding.left_out if each == reason]
        notes.append(f"left out ({reason}): {shortened(names)}")
    for rule in encoding.features:
        if rule.kind == CATEGORY and len(rule.values) == 2:
            notes.append(f"{rule.column} is text: 0 for {rule.values[0]}, 1 for {rule.values[1]}")
        elif rule.kind == CATEGORY:
            notes.append(f"{rule.column} is text: a column of 0 and 1 for each of {', '.join(rule.values)}")
    dates = [rule.column for rule in encoding.features if rule.kind == DATE]
    if dates:
        notes.append(f"dates count as days since 1970-01-01, times of a day as hours: {shortened(dates)}")
    return notes


NUMBERS = Encoding()
"""What a model is given that takes columns of numbers."""


def _check_kind(rule: ColumnRule, kind: str | None, name: str) -> None:
    if kind != rule.kind and (rule.kind, kind) != (CATEGORY, NUMBER):
        held = "of a type that is not read" if kind is None else "text" if kind == CATEGORY else f"of {kind}s"
        raise DatasetError(
            f"{name}: column {rule.column!r} is {held}; "
            f"{'text' if rule.kind == CATEGORY else f'{rule.kind}s'} are expected"
        )


def _one_hot(rule: ColumnRule, text: pa.ChunkedArray, part: np.ndarray, unseen: Unseen) -> None:
    """Write the columns of a category; NaN in all of them where a cell is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = pc.fill_null(pc.index_in(text, value_set=pa.array(rule.values, pa.string())), -1).to_numpy()
    shift = len(rule.values) - len(rule.shown_values)
    for index in range(len(rule.shown_values)):
        part[:, index] = codes == index + shift
    strange = codes < 0
    if strange.any():
        others = text.filter(pa.array(strange))
        part[strange & text.is_null().to_numpy()] = np.nan
        for each in pc.value_counts(others.drop_null()).to_pylist():
            unseen.cells[rule.column, each["values"]] += each["counts"]


def _rule(plain: dict[str, Any]) -> ColumnRule:
    fill = plain["fill"]
    if fill is not None and not np.isfinite(float(fill)):
        raise ValueError(f"column {plain['column']!r} is filled with {fill}")
    values = tuple(map(_text, plain["values"]))
    return ColumnRule(_text(plain["column"]), plain["kind"], values, None if fill is None else float(fill))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
