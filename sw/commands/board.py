"""Options that say where a board is, and the client that they open."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sw.spec.bounds import BAUD, DEFAULT_BAUD
from sw.spec.options import whole

if TYPE_CHECKING:
    from sw.device.client import BoardClient


def add_port(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the options of a verb that talks to one board.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    required : bool, default=True
        Whether the verb needs a board; otherwise, this computer does the same without one.
    """
    group = parser.add_argument_group("board")
    group.add_argument(
        "--port",
        required=required,
        help="serial port, or the path that a virtual board prints; `devices` lists the ports"
        + ("" if required else " (default: no board, but this computer)"),
    )
    add_baud(group)


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
