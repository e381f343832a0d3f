"""Options that say where a board is, and the client that they open."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sw.commands.progress import TerminalReporter
from sw.spec.bounds import BAUD, DEFAULT_BAUD, SECONDS
from sw.spec.options import real, whole

if TYPE_CHECKING:
    from sw.device.client import BoardClient
    from sw.device.recovery import LastingClient, Snapshot

RECONNECT_SECONDS = 60.0
KEEP_SECONDS = 10.0  # between readings of a board's nodes, a fraction of a second each: so long is lost by a reset


def add_port(parser: argparse.ArgumentParser, *, required: bool = True, lasting: bool = False) -> None:
    """Add the options of a verb that talks to one board.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    required : bool, default=True
        Whether the verb needs a board; otherwise, this computer does the same without one.
    lasting : bool, default=False
        Whether the verb waits for a board that was lost.
    """
    group = parser.add_argument_group("board")
    group.add_argument(
        "--port",
        required=required,
        help="serial port, or the path that a virtual board prints; `devices` lists the ports"
        + ("" if required else " (default: no board, but this computer)"),
    )
    add_baud(group)
    if lasting:
        add_reconnect(group)


def add_baud(group: argparse._ArgumentGroup) -> None:
    """Add the option of the serial line's speed.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about the board.
    """
    group.add_argument(
        "--baud",
        type=whole(*BAUD),
        metavar="N",
        help=f"bits per second, as the board was built (default: {DEFAULT_BAUD})",
    )


def add_reconnect(group: argparse._ArgumentGroup) -> None:
    """Add the option of a verb that waits for a board that was lost.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about the board.
    """
    group.add_argument(
        "--reconnect",
        type=real(*SECONDS),
        default=RECONNECT_SECONDS,
        metavar="S",
        help="seconds for which a board is looked for whose link is lost, before the training ends (default: "
        "%(default)g)",
    )


def open_lasting(
    options: argparse.Namespace,
    reporter: TerminalReporter,
    *,
    transfer: Callable[[int, int], None] | None = None,
    keep_seconds: float = KEEP_SECONDS,
    kept: Callable[[Snapshot], object] = lambda snapshot: None,
) -> LastingClient:
    """Open the board at the port of the options, for a training that outlasts a lost link and a reset.

    Parameters
    ----------
    options : argparse.Namespace
        Of a verb with `add_port` and `add_reconnect`.
    reporter : TerminalReporter
        Told of losses.
    transfer : Callable, optional
        As in `open_board`.
    keep_seconds : float
        Seconds between readings of the nodes.
    kept : Callable, optional
        Called with each of these.

    Returns
    -------
    LastingClient
        A context manager that closes the link.

    Raises
    ------
    sw.device.errors.LinkError
        If no board answers there.
    """
    from sw.device.recovery import LastingClient
    from sw.device.serial_port import open_port

    return LastingClient(
        lambda: open_port(options.port, options.baud or DEFAULT_BAUD),
        transfer,
        reconnect=options.reconnect,
        keep_seconds=keep_seconds,
        tell=reporter.aside,
        kept=kept,
    )


def open_board(
    port: str,
    baud: int | None = None,
    *,
    timeout: float = 5.0,
    transfer: Callable[[int, int], None] | None = None,
) -> BoardClient:
    """Open the board at a port.

    Parameters
    ----------
    port : str
        A serial port or a pseudo-terminal.
    baud : int, optional
        Bits per second.
    timeout : float
        Seconds without progress after which an access fails.
    transfer : Callable, optional
        Called while records are sent, with the words on the board and the words in all.

    Returns
    -------
    BoardClient
        A context manager that closes the link.

    Raises
    ------
    sw.device.errors.LinkError
        If no board answers there.
    """
    from sw.device.client import BoardClient
    from sw.device.serial_port import open_port
    from sw.device.transport import HostLink

    link = HostLink(open_port(port, baud or DEFAULT_BAUD), timeout=timeout)
    try:
        return BoardClient(link, transfer)
    except BaseException:
        link.close()
        raise
