"""A build: from a design to a bitstream and a report."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.table import Table

from hw.design.design import Design
from hw.flow.bitstream import make_bitstream
from hw.flow.vendor import make_vendor_plan
from hw.fpga.board import Board
from hw.fpga.resources import RESOURCE_NAMES, Resources
from hw.fpga.tool_flow import TOP
from hw.plan.cost_model import check, expected_fmax
from hw.plan.options import SCHEDULES
from hw.plan.usage import Usage, add_rows, usages
from hw.soc.soc import Soc
from sw.spec.bounds import DEFAULT_BAUD


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build came to: the table that is printed and the JSON that is written.

    Attributes
    ----------
    board, network, schedule : str
        The design's.
    contexts, lanes, taps : int or tuple of int
        The design's options; lanes layer by layer.
    logic, block_ram, multipliers, single_port_ram : Usage
        What the design takes of each resource.
    estimated_logic : int
        Logic cells that were estimated before synthesis.
    expected_fmax_mhz : float or None
        Clock that was expected before synthesis; None for a family of which no design was placed.
    target_mhz : float
        The clock that the PLL makes.
    cycles_per_record, records_per_second : int
        Speed of training at that clock.
    wall_s : float
        Time that the build took.
    """

    board: str
    network: str
    schedule: str
    contexts: int
    lanes: tuple[int, ...]
    taps: int
    logic: Usage
    block_ram: Usage
    multipliers: Usage
    single_port_ram: Usage
    estimated_logic: int
    expected_fmax_mhz: float | None
    target_mhz: float
    cycles_per_record: int
    records_per_second: int
    wall_s: float

    @classmethod
    def of(
        cls, design: Design, *, need: Resources, used: Resources, available: Resources, wall_s: float, **others: Any
    ) -> Self:
        """Fill in what follows from the design.

        Parameters
        ----------
        design : Design
            What was built.
        need, used, available : Resources
            Estimate, amounts that the design takes, and amounts that the device has.
        wall_s : float
            Time that the build took.
        **others
            The fields of the subclass.

        Returns
        -------
        BuildReport
            The report.
        """
        configuration = design.configuration
        return cls(
            board=design.board.name,
            network=str(design.network),
            schedule=SCHEDULES[design.exact],
            contexts=design.contexts,
            lanes=tuple(folding.lanes for folding in design.foldings),
            taps=design.taps,
            estimated_logic=need.logic,
            expected_fmax_mhz=round(reach / 1e6, 1) if (reach := expected_fmax(design)) else None,
            target_mhz=design.board.clock_hz / 1e6,
            cycles_per_record=configuration.initiation_interval,
            records_per_second=int(configuration.records_per_second),
            wall_s=round(wall_s, 1),
            **usages(used, available),
            **others,
        )

    def table(self) -> Table:
        """Make the table that is printed."""
        table = Table(title=f"{self.network} on {self.board}", title_justify="left", show_header=False)
        add_rows(table, {name: getattr(self, name) for name in RESOURCE_NAMES})
        table.add_row("clock", f"{self.target_mhz:g} MHz ({self.timing})")
        clock = f", {self.expected_fmax_mhz:g} MHz" if self.expected_fmax_mhz else ""
        table.add_row("estimated", f"{self.estimated_logic} logic cells{clock}")
        table.add_row("schedule", f"{self.schedule}; lanes {', '.join(map(str, self.lanes))}; taps {self.taps}")
        if self.contexts > 1:
            table.add_row("contexts", str(self.contexts))
        table.add_row("cycles per record", str(self.cycles_per_record))
        table.add_row("records per second", f"{self.records_per_second:,}")
        table.add_row("built in", f"{self.wall_s:g} s")
        return table

    @property
    def timing(self) -> str:
        """What is known of the clock."""
        raise NotImplementedError

    def next_steps(self, board: Board) -> list[str]:
        """Say in lines what a user does next with the board."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class PlacedReport(BuildReport):
    """The report of a bitstream.

    Attributes
    ----------
    fmax_mhz : float
        The highest clock that this placement allows.
    seed : int
        The placer's seed.
    bitstream : str
        The file.
    """

    fmax_mhz: float
    seed: int
    bitstream: str

    @property
    def timing(self) -> str:
        """The clock that the placement allows."""
        return f"seed {self.seed} reaches {self.fmax_mhz:g} MHz"

    def next_steps(self, board: Board) -> list[str]:
        """Say how to load the bitstream."""
        steps = [
            f"bitstream: {self.bitstream}",
            f"to load it (the tool is not on PyPI): {board.flash.format(bitstream=self.bitstream)}",
        ]
        if board.baud != DEFAULT_BAUD:
            steps.append(f"stream, load and all others that have a --port must be told: --baud {board.baud}")
        return steps


@dataclass(frozen=True, kw_only=True)
class EstimateReport(BuildReport):
    """The report of a build that is left to a vendor's tool: usage is Yosys' estimate, and nothing is placed or timed.

    Attributes
    ----------
    vendor : str
        The tool.
    plan : str
        Archive with all that the tool needs.
    script : str
        The script in it that makes the bitstream.
    """

    vendor: str
    plan: str
    script: str

    @property
    def timing(self) -> str:
        """Who checks the clock."""
        return f"not checked: {self.vendor} does that"

    def next_steps(self, board: Board) -> list[str]:
        """Say how to make the bitstream with the vendor's tool, and how to load it."""
        flow, directory = board.technology.flow, Path(self.plan).parent
        return [
            "There is no bitstream yet: nothing was placed or routed, and what is used is Yosys' estimate.",
            f"sources, constraints and scripts: {directory}, and all of them in {self.plan}",
            f"to make the bitstream, with {self.vendor} on the path: cd {directory} && sh {self.script}",
            f"then, if {TOP}_timing.rpt says that the clock is met: {board.flash.format(bitstream=flow.bitstream)}",
        ]


def build(
    design: Design, *, directory: Path, seeds: Sequence[int], progress: Callable[[str], None] = lambda what: None
) -> BuildReport:
    """Check the budget, then make the bitstream, or all that the vendor's tool needs to make it.

    Parameters
    ----------
    design : Design
        What to build.
    directory : Path
        Directory of the build, which is emptied first if it is one of an earlier build.
    seeds : sequence of int
        Seeds of the placer, tried in turn until one meets the clock.
    progress : callable
        Is told what the build is at.

    Returns
    -------
    BuildReport
        What came of it.

    Raises
    ------
    ValueError
        If the design breaks the budget (`DoesNotFitError`, which names what is short), or its records come too late.
    BuildError
        See `make_bitstream` and `make_vendor_plan`.
    """
    began = time.perf_counter()
    board, need = design.board, check(design)
    design.check_store()
    if vendor := board.technology.flow.vendor:
        found, archive, script = make_vendor_plan(board=board, soc=Soc(design), need=need, directory=directory)
        return EstimateReport.of(
            design,
            need=need,
            used=found,
            available=board.budget,
            wall_s=time.perf_counter() - began,
            vendor=vendor.name,
            plan=str(archive),
            script=script,
        )
    placement, seed, bitstream = make_bitstream(
        board=board, soc=Soc(design), need=need, directory=directory, seeds=seeds, progress=progress
    )
    return PlacedReport.of(
        design,
        need=need,
        used=placement.used,
        available=placement.available,
        wall_s=time.perf_counter() - began,
        fmax_mhz=round(placement.fmax_hz / 1e6, 2),
        seed=seed,
        bitstream=str(bitstream),
    )
