"""Boards by name.

A board is one file here that defines `BOARD`; its name is the file's, with hyphens. Another package adds boards by
entry points of the group `kanloom.boards`: an entry point has the board's name, and refers to a `Board`.

Belongs here: pins, clock, serial port and budget of a board. Does not: what its family offers (`hw.fpga`). Begin with
`icebreaker`.
"""

import importlib
import pkgutil
from collections import defaultdict
from importlib.metadata import EntryPoint, entry_points

from hw.fpga.board import Board

GROUP = "kanloom.boards"


def names() -> list[str]:
    """Names of all boards, those of other packages included."""
    return sorted(_files() | set(_plug_ins()))


def find(name: str) -> Board:
    """Load a board.

    Parameters
    ----------
    name : str
        The board's name.

    Returns
    -------
    Board
        The board.

    Raises
    ------
    ValueError
        If there is no such board, if two have this name, or if another package's board cannot be loaded.
    """
    files, plug_ins = _files(), _plug_ins()
    found = plug_ins.get(name, [])
    if len(found) + (name in files) > 1:
        claims = [f"boards/{_module(name)}.py"] * (name in files) + [_origin(entry) for entry in found]
        raise ValueError(f"board {name!r} is defined twice: by {' and by '.join(claims)}; uninstall or rename one")
    if name in files:
        return importlib.import_module(f"{__name__}.{_module(name)}").BOARD
    if found:
        return _loaded(found[0])
    raise ValueError(f"there is no board {name!r}; the boards are {', '.join(sorted(files | set(plug_ins)))}")


def _files() -> set[str]:
    return {module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)}


def _module(name: str) -> str:
    return name.replace("-", "_")


def _plug_ins() -> dict[str, list[EntryPoint]]:
    found = defaultdict(list)
    for entry in entry_points(group=GROUP):
        found[entry.name].append(entry)
    return dict(found)


def _origin(entry: EntryPoint) -> str:
    return f"{entry.value!r} of the package {entry.dist.name if entry.dist else 'without a name'}"


def _loaded(entry: EntryPoint) -> Board:
    """Load the board of an entry point."""
    where = f"board {entry.name!r}, {_origin(entry)}"
    try:
        board = entry.load()
    except Exception as error:  # whatever another package's module raises
        reason = " ".join(str(error).split()) or "no reason given"
        raise ValueError(f"{where}, does not load: {type(error).__name__}: {reason}") from error
    if not isinstance(board, Board):
        raise ValueError(f"{where}, is of type {type(board).__name__}, not hw.fpga.board.Board")
    if board.name != entry.name:
        raise ValueError(f"{where}, calls itself {board.name!r}: both names must be the same")
    return board
