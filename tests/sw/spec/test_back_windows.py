"""Windows of back shifts hold a schedule's shifts; rates outside are refused."""

import pytest

from sw.presets.catalogue import BY_NAME, PRESETS
from sw.presets.preset import schedule
from sw.spec.back_windows import check_rates, check_windows, lowest_windows, windows_for
from sw.spec.network import Network
from sw.spec.schedule import Rates

NETWORK = Network.two_layer(3, 4, (4, 8))


@pytest.mark.parametrize("preset", BY_NAME.values(), ids=BY_NAME)
def test_each_presets_shifts_fit_the_windows_of_a_board(preset) -> None:
    windows = windows_for(preset.network, preset.phases)
    check_windows(preset.network, windows)
    for phase in preset.phases:
        check_rates(preset.network, windows, phase.rates)


def test_the_window_is_the_lowest_that_holds_the_schedule() -> None:
    assert windows_for(NETWORK, ()) == lowest_windows(NETWORK) == (9,)
    assert windows_for(NETWORK, schedule((1, 2, 9), (1, 2, 16))) == (9,)
    assert windows_for(NETWORK, schedule((1, 2, 17), (1, 2, 18))) == (11,)
    assert windows_for(NETWORK, schedule((1, 2, 24))) == (17,)
    deep = PRESETS["tetra-faces"]
    assert windows_for(deep.network, deep.phases) == (10, 9)


def test_shifts_that_no_window_holds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"back shifts \(9,\): the trainer was built for 10\.\.17, by layer"):
        windows_for(NETWORK, schedule((1, 2, 9), (1, 2, 17)))


@pytest.mark.parametrize("width", [10, 13, 16, 24])
def test_windows_are_legal_at_each_word_length(width: int) -> None:
    network = Network.two_layer(3, 4, (4, 8), width=width)
    word = network.word
    assert word.back_window(word.back_shifts.start).stop - 1 == width
    for back in word.back_shifts:
        windows = windows_for(network, schedule((1, 1, back)))
        check_windows(network, windows)
        check_rates(network, windows, Rates((1,), (back,)))


@pytest.mark.parametrize("windows", [(8,), (18,), (9, 9), ()])
def test_windows_that_are_not_legal_are_named(windows: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"needs 1, each in 9\.\.17"):
        check_windows(NETWORK, windows)
