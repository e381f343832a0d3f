"""From a system to a checked bitstream of a board."""

import shutil
from pathlib import Path

from amaranth.lib import wiring

from boards import Board
from hw.technology import RESOURCE_NAMES, Resources, shortfalls
from hw.toolchain import Build, BuildError, Placement

CROWDED = 0.2  # of the logic cells: 2-8-1 on an ECP5-85F takes 5 %, a record a clock of 4-8-1 a third
CLOCK_TOLERANCE = 1e-3  # nextpnr counts picoseconds


def make_bitstream(
    *, board: Board, soc: wiring.Component, need: Resources, directory: Path, seed: int = 1
) -> tuple[Placement, Path]:
    """Build `soc` (ports `rx`, `tx`) for `board` in `directory`, which is emptied first.

    Parameters:
        need: multipliers and memories that the design has, and about how much logic.
        seed: of the placer.

    Raises:
        BuildError: if a tool fails, if fewer multipliers or memories than `need` survive synthesis, or if the clock
            that the PLL makes is missed. There is no bitstream then.
    """
    shutil.rmtree(directory, ignore_errors=True)
    build = Build(
        platform=board.platform(),
        design=board.top(soc),
        technology=board.technology,
        directory=directory,
        seed=seed,
    )
    found = build.synthesise()
    check_kept(found=found, need=need, directory=build.directory)
    placement = build.place_and_route(crowded=need.logic > CROWDED * board.budget.logic)
    if abs(placement.constraint_hz / board.clock_hz - 1) > CLOCK_TOLERANCE:
        raise BuildError(
            f"the PLL makes {placement.constraint_hz / 1e6:g} MHz, not the {board.clock_hz / 1e6:g} MHz of {board.name}"
        )
    if placement.fmax_hz < board.clock_hz:
        raise BuildError(
            f"timing missed: {placement.fmax_hz / 1e6:.1f} MHz reached with seed {seed}, but {board.name} runs "
            f"at {board.clock_hz / 1e6:g} MHz; try another seed, fewer lanes or a slower --clock. "
            f"The slowest path is from {' to '.join(placement.slowest_path)}; see {build.directory}"
        )
    return placement, build.pack()


def check_kept(*, found: Resources, need: Resources, directory: Path) -> None:
    """Raises BuildError naming the multipliers and memories that synthesis in `directory` lost."""
    lost = [
        f"{expected} {RESOURCE_NAMES[name]} expected, {left} found"
        for name, expected, left in shortfalls(need=need, have=found)
        if name != "logic"
    ]
    if lost:
        raise BuildError(f"synthesis removed parts of the design: {'; '.join(lost)}; see {directory}")
