"""The network and schedule that a user names: `--network PRESET|SHAPE`, `--segments`, `--width` and `--fine`."""

import argparse
from typing import Any

from sw.presets.catalogue import BY_NAME, find
from sw.presets.preset import Preset, shaped, with_fine, with_width
from sw.spec.bounds import SEGMENTS
from sw.spec.chance import FINE
from sw.spec.numerics import WIDTHS
from sw.spec.options import numbers, shape, whole

Choice = Preset | tuple[int, ...]
"""A preset, or the sizes of a network's layers."""


def preset(text: str) -> Preset:
    """Parse the name of a preset.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    Preset
        The one of that name.

    Raises
    ------
    ArgumentTypeError
        For a name that is not in the catalogue; it names those that are.
    """
    try:
        return find(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def preset_or_shape(text: str) -> Choice:
    """Parse a preset's name, or a shape such as `16-72-1`.

    Parameters
    ----------
    text : str
        What the user typed.

    Returns
    -------
    Preset or tuple of int
        The preset, or the sizes: features, addends of each hidden layer, outputs; two of them for a single layer.

    Raises
    ------
    ArgumentTypeError
        For a text that is neither.
    """
    return shape(text) or preset(text)


def add_network(group: argparse._ArgumentGroup, otherwise: str) -> None:
    """Add the options that say a network.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about the network.
    otherwise : str
        What the network is without them, in words.
    """
    group.add_argument(
        "--network",
        type=preset_or_shape,
        metavar="PRESET|SHAPE",
        help=f"{', '.join(BY_NAME)}; or features, addends and outputs, such as 16-72-1, or 16-1 for an additive "
        f"model (default: {otherwise})",
    )
    group.add_argument(
        "--segments",
        type=numbers(*SEGMENTS),
        metavar="N,N",
        help="of each layer's functions, powers of two, such as 2,32 (default: the preset's)",
    )
    group.add_argument(
        "--width",
        type=whole(WIDTHS.start, WIDTHS.stop - 1),
        metavar="BITS",
        help="of a word: of each parameter, target and error (default: the preset's)",
    )
    group.add_argument(
        "--fine",
        type=int,
        choices=FINE,
        help="bits of a step below a node's, rounded by chance, for networks with a schedule for them "
        "(default: the preset's)",
    )


def network_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the options that `add_network` added, as `selected` takes them; None for one left out."""
    names = {"choice": "network", "segments": "segments", "width": "width", "fine": "fine"}
    return {parameter: getattr(options, option) for parameter, option in names.items()}


def refuse_network(options: argparse.Namespace, owner: str) -> None:
    """Refuse the options that `add_network` added, where something else brings the network.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    owner : str
        What brings the network, in the words of the command line.

    Raises
    ------
    argparse.ArgumentTypeError
        If one of them is given.
    """
    if any(value is not None for value in network_options(options).values()):
        raise argparse.ArgumentTypeError(
            f"{owner} brings its own network; leave out --network, --segments, --width and --fine"
        )


def selected(
    choice: Choice | None,
    segments: tuple[int, ...] | None,
    otherwise: Preset,
    *,
    width: int | None = None,
    fine: int | None = None,
) -> Preset:
    """Apply a user's choice.

    Parameters
    ----------
    choice : Preset, tuple of int or None
        What `preset_or_shape` gave, None if the option was left out.
    segments : tuple of int or None
        Segments of each layer's functions, None for the preset's.
    otherwise : Preset
        The preset where `choice` names none.
    width, fine : int, optional
        Bits of a word, and fine bits; default: the preset's.

    Returns
    -------
    Preset
        The network and its schedule.

    Raises
    ------
    ValueError
        For a network that is not legal.
    """
    chosen, sizes = (choice, None) if isinstance(choice, Preset) else (otherwise, choice)
    if fine is not None:
        chosen = with_fine(chosen, fine)
    if width is not None:
        chosen = with_width(chosen, width)
    return shaped(chosen, sizes, segments) if sizes or segments else chosen
