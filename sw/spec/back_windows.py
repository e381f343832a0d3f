"""Windows of back shifts: a board can shift by W/2 of the legal ones in each layer, which are chosen when it is built.

A shifter of eight places costs the same wherever its range begins, so that a larger range costs no logic.
"""

from collections.abc import Iterable

from sw.spec.bounds import counted
from sw.spec.network import Network
from sw.spec.schedule import Phase, Rates


def lowest_windows(network: Network) -> tuple[int, ...]:
    """Return the window of each layer past the first that begins with the least legal back shift.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    tuple of int
        The first shift of each window.
    """
    return (network.word.back_shifts.start,) * (len(network.layers) - 1)


def windows_for(network: Network, phases: Iterable[Phase]) -> tuple[int, ...]:
    """Choose the lowest window of each layer past the first that holds all back shifts of a schedule.

    Parameters
    ----------
    network : Network
        The network.
    phases : iterable of Phase
        The schedule.

    Returns
    -------
    tuple of int
        The first shift of each window.

    Raises
    ------
    ValueError
        If the shifts of a layer do not fit one window.
    """
    rates = [phase.rates for phase in phases]
    windows = lowest_windows(network)
    for at in rates:
        at.check(network)
        shifts = zip(windows, at.back, strict=True)
        windows = tuple(max(first, back - network.word.back_window_length + 1) for first, back in shifts)
    for at in rates:
        check_rates(network, windows, at)
    return windows


def check_windows(network: Network, windows: tuple[int, ...]) -> None:
    """Check that there is a window of legal back shifts for each layer past the first.

    Parameters
    ----------
    network : Network
        The network.
    windows : tuple of int
        The first shift of each window.

    Raises
    ------
    ValueError
        If there is not.
    """
    word, count = network.word, len(network.layers) - 1
    last = word.back_shifts.stop - word.back_window_length
    if len(windows) != count or any(first not in range(word.back_shifts.start, last + 1) for first in windows):
        raise ValueError(
            f"windows of back shifts that begin with {windows}: a network of {counted(count + 1, 'layer')} needs "
            f"{count}, each in {word.back_shifts.start}..{last}"
        )


def check_rates(network: Network, windows: tuple[int, ...], rates: Rates) -> None:
    """Check that rates are legal, and that their back shifts lie in the windows.

    Parameters
    ----------
    network : Network
        The network.
    windows : tuple of int
        The first shift of each window.
    rates : Rates
        Learning rates.

    Raises
    ------
    ValueError
        If they do not.
    """
    rates.check(network)
    ranges = [network.word.back_window(first) for first in windows]
    if any(back not in legal for back, legal in zip(rates.back, ranges, strict=True)):
        named = ", ".join(f"{legal.start}..{legal.stop - 1}" for legal in ranges)
        raise ValueError(f"back shifts {rates.back}: the trainer was built for {named}, by layer")
