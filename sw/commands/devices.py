"""`kanloom devices`: serial ports, and the boards that answer there."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sw.commands.board import add_baud, open_board
from sw.commands.options import add_json
from sw.commands.progress import TerminalReporter
from sw.outputs import FIGURES, Output, add_force, check, write_json

if TYPE_CHECKING:
    from rich.table import Table

SECONDS = 1.0  # that a port is given to answer

EXAMPLES = ("", "--port /dev/ttyUSB1 /dev/pts/3")


@dataclass(frozen=True)
class Device:
    """A serial port and what is known of it.

    Attributes
    ----------
    port : str
        Its path.
    description : str
        What the operating system says of it.
    board, network : str or None
        Of the board that answered.
    records_per_second : float or None
        Likewise.
    problem : str or None
        Why none did.
    """

    port: str
    description: str
    board: str | None = None
    network: str | None = None
    records_per_second: float | None = None
    problem: str | None = None


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = f"{parser.description} Each port is opened and asked, which other devices may notice."
    group = parser.add_argument_group("board")
    group.add_argument("--port", nargs="+", metavar="PORT", help="ask these ports only (default: all serial ports)")
    add_baud(group)
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Ask every port and list the answers.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and results.

    Returns
    -------
    int
        The exit status.
    """
    check(Output(options.json, FIGURES, "--json"), force=options.force)
    ports = dict.fromkeys(options.port, "") if options.port else serial_ports()
    devices = []
    with reporter.step("asking", len(ports), "ports") as step:
        for index, (port, description) in enumerate(ports.items()):
            step.update(index, note=port)
            devices.append(ask(port, description, options.baud))
    if devices:
        reporter.show(table_of(devices))
    else:
        reporter.show(f"There is no serial port. `{reporter.program} doctor` checks permissions.")
    write_json(options.json, {"devices": [asdict(device) for device in devices]})
    return 0


def serial_ports() -> dict[str, str]:
    """Return this computer's serial ports with their descriptions."""
    from serial.tools.list_ports import comports

    return {port.device: port.description for port in sorted(comports())}


def ask(port: str, description: str, baud: int | None) -> Device:
    """Ask which board is at a port.

    Parameters
    ----------
    port : str
        A serial port or pseudo-terminal.
    description : str
        What is known of it.
    baud : int or None
        Bits per second, None for that of all boards.

    Returns
    -------
    Device
        With the board, or with the problem.
    """
    from sw.device.errors import LinkError, NoAnswerError

    try:
        with open_board(port, baud, timeout=SECONDS) as board:
            configuration = board.configuration
            return Device(
                port,
                description,
                board=configuration.board,
                network=str(configuration.network),
                records_per_second=configuration.records_per_second,
            )
    except NoAnswerError:
        return Device(port, description, problem="no kanloom board answers")
    except LinkError as error:
        return Device(port, description, problem=str(error))


def table_of(devices: list[Device]) -> Table:
    """Return a row for each port.

    Parameters
    ----------
    devices : list of Device
        The ports.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table("port", "board", "network", "records/s", "description", show_edge=False, pad_edge=False)
    for device in devices:
        rate = f"{device.records_per_second:,.0f}" if device.records_per_second else ""
        said = device.board or device.problem or ""
        table.add_row(*map(Text, (device.port, said, device.network or "", rate, device.description)))
    return table
