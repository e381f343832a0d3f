"""The options by which commands are told of a design: board, network, folding, schedule."""

import argparse

import boards
from hw.design.design import Design
from hw.fpga.board import Board
from hw.plan.search import MAX_STALENESS, Search, search
from sw.presets import catalogue as presets
from sw.spec.configuration import CONTEXTS
from sw.spec.network import Network

SCHEDULES = ("delayed", "exact")


def add_design(parser: argparse.ArgumentParser, board: str | None = None) -> None:
    """The options that `board_of` and `search_of` take; the board must be given if there is no default."""
    parser.add_argument("--board", default=board, required=board is None, help=f"one of {', '.join(boards.names())}")
    parser.add_argument("--clock", type=float, metavar="MHZ", help="default: the board's own")
    network = parser.add_argument_group("network", "either a preset, or features, addends and segments")
    network.add_argument(
        "--network", metavar="PRESET", help=f"one of {', '.join(presets.PRESETS)}; default {presets.DEFAULT}"
    )
    network.add_argument("--features", type=int, metavar="N")
    network.add_argument("--addends", metavar="N[,N...]", help="inner functions per feature; more of them, more layers")
    network.add_argument("--outputs", type=int, metavar="N", default=1, help="default %(default)s")
    network.add_argument("--segments", metavar="INNER,OUTER", help="segments per function of each layer, powers of two")
    parser.add_argument("--schedule", choices=SCHEDULES, default=SCHEDULES[0], help="default %(default)s")
    parser.add_argument(
        "--contexts",
        type=int,
        default=Design.contexts,
        metavar="N",
        help=f"models that take turns, merged after each pass: {', '.join(map(str, CONTEXTS))}; default %(default)s",
    )
    folding = parser.add_argument_group("folding", "by default the one with the most records per second that fits")
    folding.add_argument(
        "--lanes",
        metavar="N[,N...]",
        help="addends a clock, layer by layer; must divide them all; layers left out at the end have all their outputs",
    )
    folding.add_argument("--taps", type=int, metavar="N", help="features a clock; must divide them all")
    folding.add_argument(
        "--max-staleness",
        type=int,
        default=MAX_STALENESS,
        metavar="N",
        help="records whose updates a forward pass may miss, if the folding is to be found; default %(default)s",
    )
    parser.add_argument(
        "--pretraining",
        type=int,
        default=Design.pretraining,
        metavar="N",
        help="make it able to train groups of N addends alone; a multiple of the lanes that divides the addends",
    )


def board_of(arguments: argparse.Namespace) -> Board:
    """The board asked for, with its clock. Raises ValueError for a board or a clock that there is not."""
    board = boards.find(arguments.board)
    return board if arguments.clock is None else board.at(round(arguments.clock * 1e6))


def network_of(arguments: argparse.Namespace) -> Network:
    """The network asked for, or the default preset's. Raises ValueError if it is asked for in two ways, or by half."""
    explicit = {"--features": arguments.features, "--addends": arguments.addends, "--segments": arguments.segments}
    given = [option for option, value in explicit.items() if value is not None]
    if arguments.network is not None:
        if given:
            raise ValueError(f"--network {arguments.network} says it all; leave out {', '.join(given)}")
        return presets.find(arguments.network).network
    if not given:
        return presets.find(presets.DEFAULT).network
    if len(given) < len(explicit):
        missing = ", ".join(option for option in explicit if option not in given)
        raise ValueError(f"which network? give --network PRESET ({', '.join(presets.PRESETS)}), or {missing}")
    addends, segments = (numbers(option, explicit[option]) for option in ("--addends", "--segments"))
    return Network.chain((arguments.features, *addends, arguments.outputs), segments)


def numbers(option: str, text: str) -> tuple[int, ...]:
    """Raises ValueError unless the option's text is numbers with commas between them."""
    try:
        return tuple(map(int, text.split(",")))
    except ValueError as error:
        raise ValueError(f"{option} {text!r}: give numbers with commas between them, such as 2,32") from error


def search_of(board: Board, arguments: argparse.Namespace) -> Search:
    """Return what the search for a folding found, or the folding that is asked for.

    Raises
    ------
    ValueError
        For a network or a folding that cannot be.
    """
    return search(
        board,
        network_of(arguments),
        lanes=None if arguments.lanes is None else numbers("--lanes", arguments.lanes),
        taps=arguments.taps,
        max_staleness=arguments.max_staleness,
        exact=arguments.schedule == "exact",
        pretraining=arguments.pretraining,
        contexts=arguments.contexts,
    )
