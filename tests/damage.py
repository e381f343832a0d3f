"""Files that are damaged at random, and files that are made to take memory."""

import io
import os
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

SECONDS = 5  # more is a hang
TIMES = 4  # that a file's size may be taken as memory
SLACK = 16 << 20  # bytes that libraries take whatever they read


def outcomes(path: Path, count: int, read: Callable[[], object], errors: type[Exception]) -> Iterator[object]:
    """What comes of each damaged file that is not refused; a refusal must be one short line, soon, in little memory."""
    whole = path.read_bytes()
    for damaged in damages(whole, count):
        path.write_bytes(damaged)
        began, before = time.process_time(), peak_from_now()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                yield read()
        except errors as error:
            said = str(error)
            assert "\n" not in said and "pickle" not in said and len(said) < 1000, said
        assert time.process_time() - began < SECONDS
        assert peak() - before < TIMES * len(whole) + SLACK


STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_from_now() -> int:
    """Bytes of memory that the process has, where `peak` begins anew; 0 where only Linux could tell."""
    if not os.access(FORGET, os.W_OK):
        return 0
    FORGET.write_text("5")
    return peak()


def peak() -> int:
    """The most bytes of memory that the process had since `peak_from_now`."""
    if not os.access(FORGET, os.W_OK):
        return 0
    line = next(line for line in STATUS.read_bytes().splitlines() if line.startswith(b"VmHWM:"))
    return 1024 * int(line.split()[1])


def damages(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Damage a file in so many ways: bits, bytes, ranges, its length, and the members of a ZIP archive."""
    rng = np.random.default_rng(seed)
    kinds = [flipped, overwritten, cut, grown, shortened, zeroed, moved]
    if content.startswith(b"PK"):
        kinds += [swapped, doubled, dropped, renamed]
    for index in range(count):
        yield kinds[index % len(kinds)](content, rng)


def _range(content: bytes, rng: np.random.Generator, most: int = 64) -> tuple[int, int]:
    start = int(rng.integers(0, len(content)))
    return start, min(len(content), start + int(rng.integers(1, most)))


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(0, len(content)))
    return content[:place] + bytes([content[place] ^ (1 << int(rng.integers(0, 8)))]) + content[place + 1 :]


def overwritten(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(content, rng, 8)
    return content[:start] + rng.bytes(stop - start) + content[stop:]


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def grown(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(content, rng)
    return content[:start] + rng.bytes(stop - start) + content[start:]


def shortened(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(content, rng)
    return content[:start] + content[stop:]


def zeroed(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(content, rng)
    return content[:start] + bytes(stop - start) + content[stop:]


def moved(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(content, rng)
    place = int(rng.integers(0, len(content)))
    return content[:place] + content[start:stop] + content[place + stop - start :]


def members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def packed(entries: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.NameToInfo.pop(name, None)  # a name that is there twice is a damage that is meant
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def swapped(content: bytes, rng: np.random.Generator) -> bytes:
    entries = members(content)
    a, b = rng.integers(0, len(entries), 2)
    names = [name for name, _ in entries]
    names[a], names[b] = names[b], names[a]
    return packed([(name, held) for name, (_, held) in zip(names, entries, strict=True)])


def doubled(content: bytes, rng: np.random.Generator) -> bytes:
    entries = members(content)
    (name, _), (_, held) = (entries[index] for index in rng.integers(0, len(entries), 2))
    return packed([entry for entry in entries if entry[0] != name] + [(name, held), (f"{name}.npy", held)])


def dropped(content: bytes, rng: np.random.Generator) -> bytes:
    entries = members(content)
    del entries[int(rng.integers(0, len(entries)))]
    return packed(entries)


def renamed(content: bytes, rng: np.random.Generator) -> bytes:
    entries = members(content)
    index = int(rng.integers(0, len(entries)))
    entries[index] = (flipped(entries[index][0].encode(), rng).decode("latin-1"), entries[index][1])
    return packed(entries)
