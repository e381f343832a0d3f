"""Ctrl-C and SIGTERM: a command that is stopped exits with status 130 and leaves no traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""The exit status of a command that was stopped."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"  # on an empty line: a progress bar may have hidden the cursor
_IMPORTING = "<frozen importlib._bootstrap>"  # the file name of the import system's code


class _Interrupt:
    """The handler of `SIGNALS`.

    The first signal raises KeyboardInterrupt, so that child processes and files are put in order. While modules are
    imported it ends the program instead: an import may catch the exception, or have it raised where none can be
    caught. So does a second signal.
    """

    def __init__(self) -> None:
        self.working = False
        self.received = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.working or self.received or _imports(frame):
            _end()
        self.received = True
        raise KeyboardInterrupt


def _end() -> NoReturn:
    # A print might interrupt a print.
    os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + b"stopped\n")
    os._exit(INTERRUPTED)


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """End the program if the signal came in a finalizer, as Amaranth's objects have: the exception is lost there."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _end()
    sys.__unraisablehook__(unraisable)


_interrupt = _Interrupt()


def catch() -> None:
    """Handle the signals from now on; until `working`, they end the program at once."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    sys.unraisablehook = _unraisable


@contextmanager
def working() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first signal in a `with` block, if `catch` was called."""
    _interrupt.working = True
    try:
        yield
    finally:
        _interrupt.working = False


@contextmanager
def stopping(after: str = "this shard") -> Iterator[Event]:
    """Set an event for SIGINT and SIGTERM in a `with` block; a second signal ends the program.

    Parameters
    ----------
    after : str
        What is done before the program stops, in words.

    Yields
    ------
    Event
        It is set when the user wants the training to stop.
    """
    event, before = Event(), {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, frame: FrameType | None) -> None:
        restore()
        event.set()
        # A print might interrupt a print.
        os.write(2, f"\nstopping after {after}, at once if asked again\n".encode())

    for number in before:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        restore()


def newly_set(event: Event) -> Callable[[], bool]:
    """Return what tells whether an event has been set that is not set now.

    Parameters
    ----------
    event : Event
        Such as the user's wish to stop.
    """
    before = event.is_set()
    return lambda: event.is_set() and not before


def received() -> bool:
    """Tell whether a signal has come: an error that follows may be its effect."""
    return _interrupt.received


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False
