"""How well logic is estimated, and the costs that estimate it best: `scripts/studies/calibrate.py --fabric ECP5`.

Each design is synthesised and packed, not placed. The costs printed belong in the family's file in hw/fpga; each design
is also estimated by the costs that fit all the others best. Products and memories in logic cells are counted, not
fitted.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import nnls

import boards
from hw.design.design import Design
from hw.flow.build_steps import Build
from hw.fpga.technology import LogicCosts
from hw.plan.cost_model import hard_requirements, requirements
from hw.plan.options import add_design, board_of, search_of
from hw.plan.rtlil_count import rtlil_count
from hw.soc.soc import Soc

FITTED = ("choices", "registers")
"""Kinds of `hw.plan.rtlil_count.KINDS` that are fitted: a register follows each sum in these designs."""

DESIGNS = (
    "--board icebreaker --network norm2 --taps 2",
    "--board icebreaker --network norm2 --taps 1",
    "--board icebreaker --network norm2 --contexts 2 --taps 2",
    "--board icebreaker --network norm2 --schedule exact --taps 2",
    "--board icebreaker --network norm4 --taps 1",
    "--board icebreaker --network norm4 --taps 2 --pretraining 2",
    "--board icebreaker --network 6-8-2 --segments 4,8 --lanes 1,1",
    "--board icebreaker --network 2-4-2-1 --segments 4,4,8 --lanes 1,1",
    "--board ulx3s --network norm2 --taps 2",
    "--board ulx3s --network norm2 --contexts 4 --lanes 4 --taps 2",
    "--board ulx3s --network norm4 --lanes 2 --taps 4",
    "--board ulx3s --network norm4 --lanes 4 --taps 4",
    "--board ulx3s --network 4-8-1 --segments 4,32 --lanes 8,1 --taps 4",
    "--board ulx3s --network triangle --lanes 2 --taps 6",
    "--board ulx3s --network 3-6-4-2 --segments 4,4,8 --lanes 3,4,1 --taps 3",
    "--board ulx3s --network det4 --lanes 2 --taps 16",
    "--board ulx3s --network det4 --lanes 4 --taps 16",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process if not given.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(prog="python scripts/studies/calibrate.py", description=__doc__)
    families = sorted({boards.find(name).technology.fabric for name in boards.names()})
    parser.add_argument("--fabric", required=True, choices=families)
    fabric, console = parser.parse_args(argv).fabric, Console()
    design_parser = argparse.ArgumentParser()
    add_design(design_parser)
    texts, found, counted, bits, estimated = [], [], [], [], []
    for text in track(DESIGNS, console=console):
        arguments = design_parser.parse_args(shlex.split(text))
        board = board_of(arguments)
        if board.technology.fabric != fabric:
            continue
        design = search_of(board, arguments).design
        texts.append(text)
        found.append(packed_logic(design))
        counted.append(hard_requirements(design).logic)
        bits.append([rtlil_count(Soc(design))[kind] for kind in FITTED])
        estimated.append(requirements(design).logic)
    costs, others = fitted(np.array(bits, float), np.array(found, float), np.array(counted, float))
    table = Table("design", "logic cells", "estimated", "by the others' costs")
    for text, truth, now, other in zip(texts, found, estimated, others, strict=True):
        table.add_row(text, str(truth), f"{now / truth:.2f}", f"{other / truth:.2f}")
    console.print(table)
    console.print(f"{fabric}: {costs}")
    return 0


def packed_logic(design: Design) -> int:
    """Synthesise and pack a design, and count its logic cells."""
    with tempfile.TemporaryDirectory() as directory:
        build = Build(
            platform=design.board.platform(),
            design=design.board.top(Soc(design)),
            technology=design.board.technology,
            directory=Path(directory),
        )
        build.synthesise()
        return build.pack_logic()


def fitted(bits: np.ndarray, found: np.ndarray, counted: np.ndarray) -> tuple[LogicCosts, list[float]]:
    """Fit the costs with the least relative errors, none negative.

    Parameters
    ----------
    bits : array of float, (designs, kinds)
        Bits of each of `FITTED`.
    found : array of float, (designs,)
        Logic cells, packed.
    counted : array of float, (designs,)
        Logic cells of products and memories, which are not fitted.

    Returns
    -------
    costs : LogicCosts
        The costs that fit all designs.
    left_out : list of float
        Logic cells of each design, estimated by the costs that fit the others.
    """

    def fit(kept: np.ndarray) -> np.ndarray:
        return nnls(bits[kept] / found[kept, None], 1 - counted[kept] / found[kept])[0]

    every = np.ones(len(found), dtype=bool)
    left_out = [
        counted[index] + bits[index] @ fit(every & (np.arange(len(found)) != index)) for index in range(len(found))
    ]
    costs = np.round(fit(every), 3).tolist()
    return LogicCosts(**dict(zip(FITTED, costs, strict=True))), left_out


if __name__ == "__main__":
    sys.exit(main())
