"""The options by which commands are told of a design: board, network, folding, schedule."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import boards
from sw.presets.by_size import default_preset
from sw.presets.catalogue import DEFAULT, PRESETS
from sw.presets.preset import shaped, with_width
from sw.presets.selection import add_network, network_options, selected
from sw.spec.bounds import BAUD, CLOCK_MHZ, SIZE, STALENESS, TAPS
from sw.spec.configuration import CONTEXTS
from sw.spec.options import numbers, pretraining, real, whole

if TYPE_CHECKING:
    from hw.fpga.board import Board
    from hw.plan.search import Search, Verdict
    from sw.presets.preset import Preset
    from sw.spec.network import Network

SCHEDULES = ("delayed", "exact")
OBJECTIVES = ("throughput", "latency", "area")  # as in `hw.plan.search`, whose import is slow; a test compares
MANY_RECORDS = 1_000_000  # of a network by its shape: it has the segments of the preset for large tables


def add_design(
    parser: argparse.ArgumentParser, board: str | None = None, *, by_data: bool = False, passes: bool = True
) -> None:
    """Add the options that `board_of` and `search_of` take.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    board : str, optional
        The board by default; without it, the user must name one.
    by_data : bool
        Whether the command chooses network and pre-training by its data, where the user says nothing.
    passes : bool
        Whether the design makes passes over stored records, and so can have contexts and pre-training.
    """
    target = parser.add_argument_group("board")
    target.add_argument(
        "--board",
        default=board,
        required=board is None,
        choices=boards.names(),
        metavar="NAME",
        help=", ".join(boards.names()) + (f" (default: {board})" if board else ""),
    )
    target.add_argument(
        "--clock", type=real(*CLOCK_MHZ), metavar="MHZ", help="of the gateware (default: the board's own)"
    )
    if passes:
        target.add_argument(
            "--baud",
            type=whole(*BAUD),
            metavar="N",
            help="bits per second of its serial port, which divide the clock (default: the board's own)",
        )
    add_network(parser.add_argument_group("network"), "by the data" if by_data else DEFAULT)
    training = parser.add_argument_group("training")
    training.add_argument(
        "--schedule",
        choices=SCHEDULES,
        default=SCHEDULES[0],
        help="exact: each record waits for the updates of all records before it (default: %(default)s)",
    )
    if passes:
        _add_passes(training, by_data=by_data)
    else:
        parser.set_defaults(contexts=1, pretraining=(0, None), baud=None)
    folding = parser.add_argument_group("folding", "without --lanes and --taps, the best folding that fits is found")
    folding.add_argument(
        "--lanes",
        type=numbers(*SIZE),
        metavar="N,N",
        help="outputs of each layer worked on in a clock, the first layer's addends first; each number divides "
        "its layer's outputs; layers left out at the end have all their outputs worked on",
    )
    folding.add_argument(
        "--taps", type=whole(*TAPS), metavar="N", help="features that are worked on in a clock; divides the features"
    )
    folding.add_argument(
        "--objective",
        choices=OBJECTIVES,
        default=OBJECTIVES[0],
        help="of the design that is found: the most records per second, the fewest nanoseconds from a record to the "
        "last write of its update (with few registers and a slower clock, where the family can), or the fewest "
        "products a clock (default: %(default)s)",
    )
    folding.add_argument(
        "--max-staleness",
        type=whole(*STALENESS),
        metavar="N",
        help="records whose updates a forward pass may miss, in a folding that is found (default: 8)",
    )


def _add_passes(training: argparse._ArgumentGroup, *, by_data: bool) -> None:
    """Add the options of a design that makes passes over stored records."""
    training.add_argument(
        "--contexts",
        type=int,
        choices=CONTEXTS,
        default=1,
        help="models that are trained in turn and merged after each pass (default: %(default)s)",
    )
    training.add_argument(
        "--pretraining",
        type=pretraining,
        default=None if by_data else (0, None),
        metavar="ADDENDS[:EPOCHS]|none",
        help="make the trainer able to train groups of so many addends alone, before all of them together "
        f"(default: {'by the data' if by_data else 'none'})",
    )


def board_of(options: argparse.Namespace) -> Board:
    """Return the board that is asked for, with its clock and baud; a clock that is asked for is that of all gateware.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_design`.

    Raises
    ------
    ValueError
        For a board that does not exist, or a clock that it cannot make or that is no multiple of the baud.
    """
    board = boards.find(options.board)
    if options.clock is None:
        return board.at(board.clock_hz, options.baud) if options.baud else board
    asked = board.at(round(options.clock * 1e6), options.baud)
    return replace(asked, low_latency_hz=board.low_latency_hz and asked.clock_hz)


def preset_of(options: argparse.Namespace) -> Preset:
    """Return the network that is asked for, with the schedule that it is to be trained by.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_design`.

    Raises
    ------
    ValueError
        For a network that is not legal.
    """
    choice = options.network
    by_size = isinstance(choice, tuple)
    otherwise = default_preset(choice[0], choice[-1], MANY_RECORDS) if by_size else PRESETS[DEFAULT]
    return selected(**network_options(options), otherwise=otherwise)


def preset_for(network: Network) -> Preset:
    """Return a schedule for a network that has no preset: the one of a large table, for as many layers."""
    sizes = (network.features, *(layer.outputs for layer in network.layers))
    general = with_width(default_preset(network.features, network.outputs, MANY_RECORDS), network.width)
    return replace(shaped(general, sizes, tuple(layer.segments for layer in network.layers)), network=network)


def search_of(
    board: Board,
    options: argparse.Namespace,
    progress: Callable[[Verdict], None] = lambda verdict: None,
    *,
    preset: Preset | None = None,
) -> Search:
    """Return what the search for a folding found, or the folding that is asked for.

    Parameters
    ----------
    board : Board
        What `board_of` gave.
    options : argparse.Namespace
        Of `add_design`.
    progress : Callable
        Is given each verdict, as it is found.
    preset : Preset, optional
        Network and schedule, where the options do not say them.

    Raises
    ------
    ValueError
        For a network or a folding that cannot be.
    """
    from hw.plan.search import MAX_STALENESS, search
    from sw.spec.back_windows import windows_for

    preset = preset or preset_of(options)
    return search(
        board,
        preset.network,
        lanes=options.lanes,
        taps=options.taps,
        objective=options.objective,
        max_staleness=MAX_STALENESS if options.max_staleness is None else options.max_staleness,
        exact=options.schedule == "exact",
        pretraining=options.pretraining[0],
        contexts=options.contexts,
        back_windows=windows_for(preset.network, preset.phases),
        progress=progress,
    )
