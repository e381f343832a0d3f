"""From a system to a checked bitstream of a board."""

from collections.abc import Callable, Sequence
from pathlib import Path

from amaranth.lib import wiring

from hw.flow.build_steps import Build
from hw.flow.placement import Placement, PlacementError
from hw.flow.tools import BuildError
from hw.fpga.board import Board
from hw.fpga.resources import RESOURCE_NAMES, Resources, shortfalls
from sw.outputs import emptied

CROWDED = 0.2  # of the logic cells: 2-8-1 on an ECP5-85F takes 5 %, a record a clock of 4-8-1 a third
CLOCK_TOLERANCE = 1e-3  # nextpnr counts picoseconds


def make_bitstream(
    *,
    board: Board,
    soc: wiring.Component,
    need: Resources,
    directory: Path,
    seeds: Sequence[int] = (1,),
    progress: Callable[[str], None] = lambda what: None,
) -> tuple[Placement, int, Path]:
    """Build a system for a board.

    Parameters
    ----------
    board : Board
        The board.
    soc : wiring.Component
        The system, with ports `rx` and `tx`.
    need : Resources
        Multipliers and memories that the design has, and about how much logic.
    directory : Path
        Directory of the build, which is emptied first if it is one of an earlier build.
    seeds : sequence of int
        Seeds of the placer, tried in turn until one meets the clock.
    progress : callable
        Is told what the build is at.

    Returns
    -------
    placement : Placement
        What was placed.
    seed : int
        The seed that it was placed with.
    bitstream : Path
        The bitstream.

    Raises
    ------
    sw.outputs.OutputError
        For a directory that holds other files.
    BuildError
        If a tool fails, if fewer multipliers or memories than `need` survive synthesis, or if with every seed the clock
        that the PLL makes is missed, or the router does not converge. There is no bitstream then.
    """
    emptied(directory)
    build = Build(platform=board.platform(), design=board.top(soc), technology=board.technology, directory=directory)
    progress("synthesis")
    found = build.synthesise()
    check_kept(found=found, need=need, directory=build.directory)
    crowded = need.logic > CROWDED * board.budget.logic
    failures = []
    for seed in seeds:
        try:
            placement = build.place_and_route(seed=seed, crowded=crowded, progress=progress)
            check_clock(placement, board)
            return placement, seed, build.pack()
        except PlacementError as error:
            failures.append(f"seed {seed}: {error}")
    raise BuildError(
        f"no bitstream for {board.name}. {'; '.join(failures)}. Try other seeds, fewer lanes or a slower --clock; "
        f"see {build.directory}"
    )


def check_clock(placement: Placement, board: Board) -> None:
    """Compare the clock of a placement with the board's.

    Raises
    ------
    PlacementError
        If the placement misses the board's clock.
    BuildError
        If the PLL makes another clock than the board's.
    """
    if abs(placement.constraint_hz / board.clock_hz - 1) > CLOCK_TOLERANCE:
        raise BuildError(
            f"the PLL makes {placement.constraint_hz / 1e6:g} MHz, not the {board.clock_hz / 1e6:g} MHz of {board.name}"
        )
    if placement.fmax_hz < board.clock_hz:
        raise PlacementError(
            f"timing missed, {placement.fmax_hz / 1e6:.1f} MHz reached of {board.clock_hz / 1e6:g} MHz; the slowest "
            f"path is from {' to '.join(placement.slowest_path)}"
        )


def check_kept(*, found: Resources, need: Resources, directory: Path) -> None:
    """Compare the hard blocks of a netlist with those of the design.

    Parameters
    ----------
    found, need : Resources
        Hard blocks of the netlist and of the design; logic is ignored.
    directory : Path
        Directory of the synthesis.

    Raises
    ------
    BuildError
        If blocks are missing; the message says how many.
    """
    lost = [
        f"{expected} {RESOURCE_NAMES[name]} expected, {left} found"
        for name, expected, left in shortfalls(need=need, have=found)
        if name != "logic"
    ]
    if lost:
        raise BuildError(f"synthesis removed parts of the design: {'; '.join(lost)}; see {directory}")
