"""The columns that an encoding needs, found among those of another table."""

from collections.abc import Sequence

from sw.datasets.dataset import DatasetError
from sw.datasets.raw import shortened


def match(
    needed: Sequence[str], columns: Sequence[str], name: str, *, by_position: bool = False
) -> tuple[list[str], str | None]:
    """Find each needed column in a table.

    They are found by their names. If the table has no names, only indices, and as many columns as are needed, they are
    taken in order.

    Parameters
    ----------
    needed : sequence of str
        Names of the columns that are needed.
    columns : sequence of str
        Names of the table's columns.
    name : str
        The table's name, for messages.
    by_position : bool
        Take the columns in order, whatever their names are.

    Returns
    -------
    found : list of str
        The table's column for each one that is needed.
    note : str or None
        What was assumed.

    Raises
    ------
    DatasetError
        If columns are missing, or are too many or too few to be taken in order.
    """
    needed, columns = list(needed), list(columns)
    known = set(columns)
    missing = [column for column in needed if column not in known]
    if by_position:
        if len(columns) != len(needed):
            raise DatasetError(
                f"{name} has {len(columns)} columns; by position, {len(needed)} are needed: {shortened(needed)}"
            )
        return columns, None
    if not missing:
        return needed, None
    nameless = columns == [str(index) for index in range(len(columns))]
    if nameless and len(columns) == len(needed):
        return columns, f"its columns have no names, and are taken in order for {shortened(needed)}"
    folded: dict[str, str] = {}
    for column in columns:
        folded.setdefault(column.casefold(), column)
    alike = [f"{folded[column.casefold()]} for {column}" for column in missing if column.casefold() in folded]
    case = f"; with other capitals it has {shortened(alike)}" if alike else ""
    raise DatasetError(
        f"{name} has no column {shortened(missing)}{case}; the columns {shortened(needed)} are needed, it has "
        f"{shortened(columns)}; --by-position takes columns in order"
    )
