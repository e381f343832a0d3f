"""Every board has its page, whose numbers are those of its file."""

from pathlib import Path

import pytest

import boards
from hw.fpga.resources import RESOURCE_NAMES

PAGES = Path(__file__).resolve().parents[2] / "docs" / "boards"


def test_there_is_a_page_for_each_board_and_no_other() -> None:
    assert sorted(page.stem for page in PAGES.glob("*.md") if page.name != "README.md") == boards.names()


@pytest.mark.parametrize("name", boards.names())
def test_page_says_what_the_board_is(name: str) -> None:
    board = boards.find(name)
    amounts = {words: getattr(board.budget, resource) for resource, words in RESOURCE_NAMES.items()}
    table = {
        "family": board.technology.name,
        "clock": f"{board.clock_hz / 1e6:g} MHz",
        "serial port": f"{board.baud} baud",
        **{words: str(amount) for words, amount in amounts.items() if amount},
    }
    page = (PAGES / f"{name}.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert dict(rows[1:]) == table
    assert f"`--board {name}`" in page
    assert board.flash.format(bitstream=f"build/{name}/{board.technology.flow.bitstream}") in page.splitlines()
    assert f"[{page.splitlines()[0].removeprefix('# ')}]({name}.md)" in (PAGES / "README.md").read_text()
