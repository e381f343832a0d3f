"""Environments of processes that cannot keep what they compile. Root may write anywhere, so permissions do not help."""

import os
from pathlib import Path

from sw import cache

UNWRITABLE = "no home", "a file in the way"


def unwritable(name: str, folder: Path) -> dict[str, str]:
    """The environment of this name; `folder` is for the file."""
    kept = {name: value for name, value in os.environ.items() if name not in (cache.VARIABLE, "XDG_CACHE_HOME")}
    if name == "no home":
        return kept | {"HOME": "/nonexistent"}
    (folder / "file").touch()
    return kept | {cache.VARIABLE: str(folder / "file" / "cache")}
