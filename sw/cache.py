"""The directory of compiled products: kernels and simulators are kept where the platform keeps caches."""

import functools
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import platformdirs

VARIABLE = "KANLOOM_CACHE"  # environment variable that names another directory
UNUSED_DAYS = 30  # after which a product is removed


def root() -> Path:
    """Name the directory of the whole cache, which may be missing: `KANLOOM_CACHE`, or the platform's place."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).absolute() if chosen else platformdirs.user_cache_path("kanloom")


def directory(kind: str) -> Path:
    """Make the directory of one kind of product, if it is missing.

    Parameters
    ----------
    kind
        Name of the directory inside the cache.

    Returns
    -------
    Path
        A directory that can be written to.

    Raises
    ------
    OSError
        If nothing can be kept there. A missing home is not made.
    """
    place, home = root() / kind, Path(os.path.expanduser("~"))
    if VARIABLE not in os.environ and not home.is_dir():
        raise FileNotFoundError(2, os.strerror(2), str(home))
    place.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=place).close()
    return place


@functools.cache
def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def warn(error: OSError) -> None:
    """Say on stderr, once in a process, that products are compiled without a cache, and why."""
    _say(f"kanloom: compiled without a cache in {root()} ({error.strerror}); {VARIABLE} names another directory")


def mark_used(product: Path) -> None:
    """Note that a product has just been used."""
    os.utime(product)


def remove_unused(place: Path) -> None:
    """Remove the products in a directory that have not been used for `UNUSED_DAYS`."""
    limit = time.time() - UNUSED_DAYS * 24 * 3600
    for product in place.iterdir():
        try:
            if product.stat().st_mtime < limit:
                shutil.rmtree(product) if product.is_dir() else product.unlink()
        except FileNotFoundError:  # another process removes it, too
            pass
