"""The way to a bitstream, walked with a small stand-in for the system: real tools, real parts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import boards
from hw.flow.bitstream import make_bitstream
from hw.flow.build_steps import Build
from hw.flow.placement import Placement, PlacementError
from hw.flow.tools import BuildError
from hw.fpga.ice40 import ICE40UP5K, Ice40Pll
from hw.fpga.resources import Resources
from tests.hw.flow.stand_in import NEED, StandIn
from tests.slow import slow


class SlowPll(Ice40Pll):
    """Makes another clock than it is told to."""

    def __init__(self, *, output_hz: int):
        super().__init__(output_hz=output_hz * 2 // 3)


class Wire(wiring.Component):
    """The line through a register: what is placed soonest."""

    rx: In(1, init=1)
    tx: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


SLOW = "hx8k", "tang-nano-20k"  # of a family that has another board, and a minute of place and route for any design
PLACED = [name for name in boards.names() if boards.find(name).technology.flow.vendor is None]


@pytest.mark.parametrize("name", [slow(name) if name in SLOW else name for name in PLACED])
def test_board_gets_a_bitstream_that_meets_its_clock_and_keeps_every_block(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    board = boards.find(name)
    of_logic = board.logic_products(16, NEED.multipliers)
    multipliers = NEED.multipliers - of_logic
    if name == "icebreaker":
        placement, seed, bitstream = request.getfixturevalue("icebreaker_build")
    else:
        placement, seed, bitstream = make_bitstream(
            board=board,
            soc=StandIn(board.technology),
            need=replace(NEED, multipliers=multipliers),
            directory=tmp_path / "build",
        )
    assert seed == 1
    assert bitstream.stat().st_size > 50_000
    assert placement.fmax_hz >= board.clock_hz
    assert (placement.used.multipliers, placement.used.block_ram) == (multipliers, NEED.block_ram)
    assert 0 < placement.used.logic - of_logic * board.technology.product_logic(16) < 500
    assert placement.available == board.budget


def test_design_that_lost_a_multiplier_and_a_memory_is_no_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="2 block RAMs expected, 1 found; 2 multipliers expected, 1 found"):
        make_bitstream(
            board=boards.find("icebreaker"),
            soc=StandIn(ICE40UP5K, unused=True),
            need=NEED,
            directory=tmp_path / "build",
        )


def test_missed_clock_is_no_build_and_leaves_no_bitstream(tmp_path: Path) -> None:
    board = replace(boards.find("icebreaker"), clock_hz=120_000_000)
    said: list[str] = []
    with pytest.raises(BuildError, match=r"seed 3: timing missed, \d\d\.\d MHz .* of 120 MHz.*seed 4: timing missed"):
        make_bitstream(
            board=board,
            soc=StandIn(board.technology, units=1),
            need=Resources(multipliers=1, block_ram=1),
            directory=tmp_path / "build",
            seeds=(3, 4),
            progress=said.append,
        )
    assert not list(tmp_path.rglob("*.bin"))
    assert said[0] == "synthesis" and {"seed 3", "seed 4"} <= {each.partition(":")[0] for each in said}


def test_seeds_are_tried_until_one_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the tools: that each seed is placed anew, the test above shows."""
    board, tried = boards.find("icebreaker"), list[int]()

    def place_and_route(build: Build, *, seed: int, **others: Any) -> Placement:
        tried.append(seed)
        if seed < 5:
            raise PlacementError("the router does not converge")
        return Placement(NEED, board.budget, board.clock_hz, board.clock_hz, ("node", "sum"))

    monkeypatch.setattr(Build, "synthesise", lambda build: NEED)
    monkeypatch.setattr(Build, "pack", lambda build: build.directory / "top.bin")
    monkeypatch.setattr(Build, "place_and_route", place_and_route)
    _, seed, bitstream = make_bitstream(
        board=board, soc=StandIn(ICE40UP5K), need=NEED, directory=tmp_path / "build", seeds=(3, 4, 5, 6)
    )
    assert seed == 5 and tried == [3, 4, 5] and bitstream == tmp_path / "build" / "top.bin"


def test_clock_checked_is_the_one_that_the_pll_makes(tmp_path: Path) -> None:
    board = replace(boards.find("icebreaker"), pll=SlowPll)
    with pytest.raises(BuildError, match=r"the PLL makes 24\.0.* MHz, not the 36 MHz of icebreaker"):
        make_bitstream(board=board, soc=Wire(), need=Resources(), directory=tmp_path / "build")
