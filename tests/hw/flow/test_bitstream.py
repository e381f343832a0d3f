"""The way to a bitstream, walked with a small stand-in for the system: real tools, real parts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

import boards
from hw.datapath.multiplier import Multiplier
from hw.flow.bitstream import make_bitstream
from hw.flow.build_steps import Build
from hw.flow.placement import Placement, PlacementError
from hw.flow.tools import BuildError
from hw.fpga.ice40 import ICE40UP5K, Ice40Pll
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology
from tests.slow import slow

NEED = Resources(multipliers=2, block_ram=2)


class SlowPll(Ice40Pll):
    """Makes another clock than it is told to."""

    def __init__(self, *, output_hz: int):
        super().__init__(output_hz=output_hz * 2 // 3)


class StandIn(wiring.Component):
    """A line that runs through `units` in_sequence multipliers and memories, the first of them for nothing if
    `unused`."""

    rx: In(1, init=1)
    tx: Out(1)

    def __init__(self, technology: Technology, *, units: int = 2, unused: bool = False):
        self.technology, self.units, self.unused = technology, units, unused
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = self.rx
        for unit in range(self.units):
            taken = Signal(32, name=f"taken{unit}")
            m.submodules[f"product{unit}"] = multiplier = Multiplier(a_width=16, b_width=16, technology=self.technology)
            m.submodules[f"store{unit}"] = store = memory.Memory(
                shape=unsigned(16), depth=24, init=[], attrs={"ram_style": "block"}
            )
            read, write = store.read_port(), store.write_port()
            sent = Signal(16, name=f"sent{unit}")
            m.d.sync += [
                taken.eq(Cat(line, taken)),
                sent.eq(Mux(taken[0], read.data, sent >> 1)),
            ]
            m.d.comb += [
                Cat(multiplier.a, multiplier.b).eq(taken),
                write.en.eq(taken[-1]),
                write.addr.eq(taken),
                write.data.eq(multiplier.product >> 8),
                read.addr.eq(taken[8:]),
            ]
            line = self.rx if self.unused else sent[0]
        m.d.sync += self.tx.eq(sent[0])
        return m


SLOW = "hx8k", "tang-nano-20k"  # of a family that has another board, and a minute of place and route for any design
PLACED = [name for name in boards.names() if boards.find(name).technology.flow.vendor is None]


@pytest.mark.parametrize("name", [slow(name) if name in SLOW else name for name in PLACED])
def test_board_gets_a_bitstream_that_meets_its_clock_and_keeps_every_block(name: str, tmp_path: Path) -> None:
    board = boards.find(name)
    multipliers = NEED.multipliers if board.technology.multiplies(16) else 0
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
    assert 0 < placement.used.logic - NEED.multipliers * board.technology.product_logic(16) < 500
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
            soc=StandIn(board.technology),
            need=NEED,
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
        make_bitstream(board=board, soc=StandIn(ICE40UP5K, units=1), need=Resources(), directory=tmp_path / "build")
