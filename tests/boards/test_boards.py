"""Every board of the registry is complete and consistent; wrong ones are refused."""

from dataclasses import replace

import pytest

import boards
from hw.toolchain import flow_of


@pytest.fixture(params=boards.names())
def board(request: pytest.FixtureRequest) -> boards.Board:
    return boards.find(request.param)


def test_board_bears_the_name_it_is_found_by(board: boards.Board) -> None:
    assert boards.find(board.name) is board


def test_bit_is_a_whole_number_of_clocks(board: boards.Board) -> None:
    assert board.clocks_per_bit * board.baud == board.clock_hz


def test_serial_chip_can_make_the_baud_rate(board: boards.Board) -> None:
    """FTDI chips divide 3 Mbaud (FT231X) or 12 Mbaud (FT2232H) by a whole number at least."""
    limits = {"hx8k": 12_000_000, "icebreaker": 12_000_000, "nexys-a7": 12_000_000, "ulx3s": 3_000_000}
    assert limits[board.name] % board.baud == 0


def test_budget_names_only_what_the_build_can_count(board: boards.Board) -> None:
    flow = flow_of(board.technology)
    assert {name for name, amount in vars(board.budget).items() if amount} == set(flow.cells) | {"logic"}


def test_clock_and_baud_rate_that_do_not_divide_are_refused(board: boards.Board) -> None:
    with pytest.raises(ValueError, match=rf"{board.name}: 2999999 baud .* {board.clock_hz} Hz; the nearest"):
        replace(board, baud=2_999_999)


def test_unknown_board_is_refused_with_the_legal_names() -> None:
    with pytest.raises(ValueError, match=r"no board 'icebraker'.*hx8k, icebreaker, nexys-a7, ulx3s"):
        boards.find("icebraker")
