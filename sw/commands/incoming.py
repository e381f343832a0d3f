"""Lines that come in from standard input, a file, a pipe or a socket, as soon as they are there."""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

SOCKET = "tcp://"
CHUNK_BYTES = 1 << 16  # that are read at a time
WAIT_SECONDS = 0.2  # for more, before the user's wish to stop is looked at


@contextmanager
def opened(source: str) -> Iterator[int]:
    """Open a source of lines.

    Parameters
    ----------
    source : str
        A file, `-` for standard input, or `tcp://HOST:PORT`.

    Yields
    ------
    int
        A file descriptor to read from.

    Raises
    ------
    ValueError
        For a socket without host or port.
    """
    if source == "-":
        yield sys.stdin.fileno()
    elif source.startswith(SOCKET):
        place = urlsplit(source)
        if not place.hostname or not place.port:
            raise ValueError(f"{source} is not of the form {SOCKET}HOST:PORT")
        try:
            connection = socket.create_connection((place.hostname, place.port))
        except OSError as error:
            raise ValueError(f"{source}: {error.strerror or error}") from error
        with connection:
            yield connection.fileno()
    else:
        with open(source, "rb") as file:
            yield file.fileno()


def batches(descriptor: int, stop: Callable[[], bool]) -> Iterator[list[str]]:
    """Read lines until the end of the source, or until the user wants to stop.

    Parameters
    ----------
    descriptor : int
        Of `opened`.
    stop : callable
        Asked while nothing comes in, and after each chunk.

    Yields
    ------
    list of str
        The lines that have come in, at least one; the last line need not be complete.
    """
    rest = b""
    while not stop():
        if not select.select([descriptor], [], [], WAIT_SECONDS)[0]:
            continue
        chunk = os.read(descriptor, CHUNK_BYTES)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop() if chunk else b""
        if complete := [line.decode("utf-8-sig", "replace").rstrip("\r") for line in lines if chunk or line]:
            yield complete
        if not chunk:
            return
