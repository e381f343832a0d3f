"""Boards of other packages, of families of their own, are found beside those of the tree."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from amaranth.back import rtlil

import boards
from hw.datapath.multiplier import Multiplier
from hw.design.design import Design
from hw.plan.cost_model import check
from sw.spec.network import Network

MODULE = """
from amaranth import ClockSignal, Instance
from amaranth_boards.ulx3s import ULX3S_85F_Platform

from hw.fpga.board import Board
from hw.fpga.ecp5 import Ecp5Pll
from hw.fpga.resources import Resources
from hw.fpga.technology import LogicCosts, Technology
from hw.fpga.tool_flow import ToolFlow


def multiplier(a, b, product):
    return Instance("THEIR_MULTIPLIER", i_CLK=ClockSignal(), i_A=a, i_B=b, o_P=product)


FAMILY = Technology(
    name="Theirs", fabric="Theirs", logic_costs=LogicCosts(choices=0.5, registers=0.5), multiplier_width=20,
    multiplier_cell=multiplier, multiplier_latency=3, multiplier_logic=1.0, memory_latency=1, fine_stages=False,
    expected_fmax_hz=(60e6, 50e6), block_ram=((512, 18),),
    flow=ToolFlow(cells={"multipliers": ("THEIR_MULTIPLIER",), "block_ram": ("THEIR_RAM",)}, bitstream="top.bin"),
)
BOARD = Board(
    name="their-board", technology=FAMILY, platform=ULX3S_85F_Platform, pll=Ecp5Pll, clock_hz=50_000_000,
    baud=1_000_000, budget=Resources(logic=9000, block_ram=60, multipliers=20), flash="load {bitstream}",
)
NUMBER = 5
"""


def install(directory: Path, package: str, entry: str, module: str = MODULE) -> None:
    """Make a distribution with a board, as installers leave it behind."""
    (directory / f"{package}.py").write_text(module)
    information = directory / f"{package}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[kanloom.boards]\n{entry}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of further packages."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in tmp_path.glob("*.py"):
        sys.modules.pop(module.stem, None)


def test_board_of_another_package_is_found_and_planned(site: Path) -> None:
    before = boards.names()
    install(site, "their_boards", "their-board = their_boards:BOARD")
    assert boards.names() == sorted([*before, "their-board"])
    board = boards.find("their-board")
    design = Design(board=board, network=Network.two_layer(2, 4, (4, 8)), store_words=1024)
    need = check(design)
    assert need.multipliers == design.plan.multipliers > 0 and need.block_ram > 0
    assert design.configuration.records_per_second > 0
    product = Multiplier(a_width=17, b_width=16, technology=board.technology)
    assert "cell \\THEIR_MULTIPLIER " in rtlil.convert(product, platform=object())
    with pytest.raises(ValueError, match=r"no board 'theirs'; the boards are .*their-board"):
        boards.find("theirs")


@pytest.mark.parametrize(
    ("entry", "module", "message"),
    [
        ("lost = nowhere:BOARD", "", "'nowhere:BOARD' of the package broken, does not load: ModuleNotFoundError: No "),
        ("lost = broken:BOARD", "", "does not load: AttributeError: .*BOARD"),
        ("lost = broken:BOARD", "raise OSError('one\\ntwo')", "does not load: OSError: one two$"),
        ("lost = broken:NUMBER", "NUMBER = 5", "is of type int, not hw.fpga.board.Board"),
        ("lost = broken:BOARD", MODULE, "calls itself 'their-board'"),
    ],
)
def test_board_that_does_not_load_is_refused_in_one_line(site: Path, entry: str, module: str, message: str) -> None:
    install(site, "broken", entry, module)
    with pytest.raises(ValueError, match=message) as caught:
        boards.find("lost")
    assert str(caught.value).startswith("board 'lost', ") and "\n" not in str(caught.value)
    assert boards.find("ulx3s").name == "ulx3s"


def test_two_boards_of_one_name_are_refused(site: Path) -> None:
    install(site, "one", "ulx3s = one:BOARD\nthird = one:BOARD")
    install(site, "two", "third = two:BOARD")
    with pytest.raises(ValueError, match=r"'ulx3s' is defined twice: by boards/ulx3s.py and by 'one:BOARD' of the pac"):
        boards.find("ulx3s")
    with pytest.raises(ValueError, match=r"'third' is defined twice: .*package (one|two) and by .*package (one|two); "):
        boards.find("third")
    assert boards.find("hx8k").name == "hx8k"
    assert boards.names().count("ulx3s") == boards.names().count("third") == 1
