"""`kanloom load`: put a saved model on a board, or read one back, without training."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.board import add_port, open_board
from sw.commands.options import load_model
from sw.commands.progress import TerminalReporter
from sw.outputs import Output, add_force, check

if TYPE_CHECKING:
    from sw.device.client import BoardClient
    from sw.model import Model

EXAMPLES = ("norm2.npz --port /dev/ttyUSB1", "--read board.npz --like norm2.npz --port /dev/ttyUSB1")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} The nodes of MODEL are written to the board and read back to compare them. With --read, "
        "the board's nodes are read into a file instead; the board is not changed."
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="model file, .npz, in fixed point")
    chosen.add_argument("--read", type=Path, metavar="FILE", help="write the board's model to a file, .npz")
    parser.add_argument(
        "--like", type=Path, metavar="MODEL", help="with --read: the model file that units and names are taken from"
    )
    add_force(parser)
    add_port(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Write a model to a board, or read it.

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
    from sw.model import MODEL_FILE

    if bool(options.read) != bool(options.like):
        raise argparse.ArgumentTypeError("--read FILE and --like MODEL go together: a board knows no units and names")
    check(Output(options.read, MODEL_FILE, "--read"), inputs=[options.like], force=options.force)
    path = options.like or options.model
    model = load_model(path)
    check_fixed(model, path)
    with open_board(options.port, options.baud) as board:
        check_network(board, model, path, options.port)
        name = f"{board.configuration.board} at {options.port}"
        if options.read:
            with reporter.step("reading nodes"):
                nodes = board.nodes
            replace(model, nodes=nodes, history=None, target_scores=None).save(options.read)
            reporter.note(f"{model.network.parameters:,} nodes of {name} are in {options.read}.")
        else:
            with reporter.step("writing and comparing nodes"):
                write(board, model)
            reporter.note(f"{model.network.parameters:,} nodes of {path} are on {name}, read back and compared.")
    return 0


def write(board: BoardClient, model: Model) -> None:
    """Put a model's nodes on a board.

    Parameters
    ----------
    board : BoardClient
        Of the same network.
    model : Model
        In fixed point.

    Raises
    ------
    ValueError
        If the board holds other nodes afterwards.
    """
    board.nodes = model.nodes
    pairs = zip(model.nodes, board.nodes, strict=True)
    differ = sum(int((ours != theirs).sum()) for ours, theirs in pairs)
    if differ:
        raise ValueError(f"{differ} of {model.network.parameters} nodes read back from the board differ")


def check_fixed(model: Model, path: Path) -> None:
    """Refuse a floating-point model.

    Parameters
    ----------
    model : Model
        Any.
    path : Path
        Its file, for the message.

    Raises
    ------
    ValueError
        If the model is in floating point.
    """
    if model.domains is not None:
        raise ValueError(
            f"{path} is a floating-point model: its grids have limits of their own, a board's are fixed; train one "
            "with --arithmetic fixed16"
        )


def check_network(board: BoardClient, model: Model, path: Path, port: str) -> None:
    """Refuse a model of another network than the board's.

    Parameters
    ----------
    board : BoardClient
        It knows its network.
    model : Model
        Any.
    path : Path
        The model's file, for the message.
    port : str
        The board's port, for the message.

    Raises
    ------
    ValueError
        If the networks differ; it names both.
    """
    if board.network == model.network:
        return
    names = [str(network) for network in (model.network, board.network)]
    if names[0] == names[1]:  # they differ in what their names leave out
        for index, network in enumerate((model.network, board.network)):
            names[index] += f" with gains {', '.join(str(layer.gain) for layer in network.layers)}"
    raise ValueError(f"{path} is a model of the network {names[0]}; the board at {port} has the network {names[1]}")
