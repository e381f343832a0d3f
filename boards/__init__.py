"""Boards by name. A board is one file here that defines `BOARD`."""

import importlib
import pkgutil

from hw.fpga.board import Board


def names() -> list[str]:
    """Names of all boards: those of their files, with hyphens."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Board:
    """The board of that name. Raises ValueError naming the legal ones."""
    if name not in names():
        raise ValueError(f"there is no board {name!r}; the boards are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").BOARD
