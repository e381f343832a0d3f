"""Every board of the registry is complete and consistent; wrong ones are refused."""

from dataclasses import replace

import pytest

import boards


@pytest.fixture(params=boards.names())
def board(request: pytest.FixtureRequest) -> boards.Board:
    return boards.find(request.param)


def test_board_bears_the_name_it_is_found_by(board: boards.Board) -> None:
    assert boards.find(board.name) is board


def test_bit_is_a_whole_number_of_clocks(board: boards.Board) -> None:
    assert board.clocks_per_bit * board.baud == board.clock_hz


def test_serial_chip_can_make_the_baud_rate(board: boards.Board) -> None:
    """FTDI chips divide 3 Mbaud (FT231X; a BL616 acts as one) or 12 Mbaud (FT2232H) by a whole number at least."""
    slower = {"tang-nano-20k": 3_000_000, "ulx3s": 3_000_000}
    assert slower.get(board.name, 12_000_000) % board.baud == 0


def test_budget_names_only_what_the_build_can_count(board: boards.Board) -> None:
    flow = board.technology.flow
    assert {name for name, amount in vars(board.budget).items() if amount} == set(flow.cells) | {"logic"}


def test_clock_and_baud_rate_that_do_not_divide_are_refused(board: boards.Board) -> None:
    with pytest.raises(ValueError, match=rf"{board.name}: 2999999 baud .* {board.clock_hz} Hz; the nearest"):
        replace(board, baud=2_999_999)


def test_other_clock_is_one_that_the_pll_makes_and_the_baud_rate_divides(board: boards.Board) -> None:
    clocks = board.pll.clocks(board.platform().default_clk_frequency)
    slower = max(hz for hz in clocks if hz < board.clock_hz and hz % board.baud == 0)
    assert board.at(slower) == replace(board, clock_hz=round(slower))
    assert board.at(board.clock_hz) == board


def test_clock_of_a_low_latency_is_one_that_the_board_can_have(board: boards.Board) -> None:
    assert (board.low_latency is None) == (board.technology.low_latency is None)
    if board.low_latency:
        clock_hz = board.low_latency.clock_hz
        assert board.at(clock_hz).clock_hz == clock_hz <= board.clock_hz
        with pytest.raises(ValueError, match=rf"does not divide the clock of {clock_hz + 1} Hz"):
            replace(board, low_latency_hz=clock_hz + 1)


def test_clock_that_cannot_be_is_refused_with_the_nearest() -> None:
    ulx3s = boards.find("ulx3s")
    for clock_hz in (62_500_000, 63_000_000):  # not of the baud rate, not of the PLL
        with pytest.raises(ValueError, match=r"ulx3s cannot run at 6[23][.5]* MHz.* the nearest are 60 or 75 MHz"):
            ulx3s.at(clock_hz)


def test_unknown_board_is_refused_with_the_legal_names() -> None:
    with pytest.raises(ValueError, match=r"no board 'icebraker'.*hx8k, icebreaker, nexys-a7, tang-nano-20k, ulx3s"):
        boards.find("icebraker")
