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
from hw.fpga.tool_flow import TOP, flow_of
from hw.plan.cost_model import check, expected_fmax
from hw.plan.options import SCHEDULES
from hw.plan.usage import Usage, add_rows, usages
from hw.soc.soc import Soc


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build came to: the table that is printed and the JSON that is written.

    `estimated_logic` and `expected_fmax_mhz` are what was expected before synthesis. `target_mhz` is the clock that
    the PLL makes, and `records_per_second` counts at that.
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
        """What its user does next, in lines."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class PlacedReport(BuildReport):
    """Of a bitstream that is there; `fmax_mhz` is what this placement would reach."""

    fmax_mhz: float
    seed: int
    bitstream: str

    @property
    def timing(self) -> str:
        return f"seed {self.seed} reaches {self.fmax_mhz:g} MHz"

    def next_steps(self, board: Board) -> list[str]:
        return [
            f"bitstream: {self.bitstream}",
            f"to load it (the tool is not on PyPI): {board.flash.format(bitstream=self.bitstream)}",
        ]


@dataclass(frozen=True, kw_only=True)
class EstimateReport(BuildReport):
    """Of a build that is left to the vendor's tool: what is used is Yosys' estimate, and nothing is placed or timed."""

    vendor: str
    plan: str
    script: str

    @property
    def timing(self) -> str:
        return f"not checked: {self.vendor} does that"

    def next_steps(self, board: Board) -> list[str]:
        flow, directory = flow_of(board.technology), Path(self.plan).parent
        return [
            "There is no bitstream yet: nothing was placed or routed, and what is used is Yosys' estimate.",
            f"sources, constraints and scripts: {directory}, and all of them in {self.plan}",
            f"to make the bitstream, with {self.vendor} on the path: cd {directory} && sh {self.script}",
            f"then, if {TOP}_timing.rpt says that the clock is met: {board.flash.format(bitstream=flow.bitstream)}",
        ]


def build(
    design: Design, *, directory: Path, seeds: Sequence[int], progress: Callable[[str], None] = lambda what: None
) -> BuildReport:
    """Check the budget, then make the bitstream in `directory`, which is emptied first; or all that the vendor's tool
    needs to make it. `seeds`, `progress`: as for `make_bitstream`.

    Raises:
        ValueError: naming the budget that the design breaks (`DoesNotFitError`), or records that come too late.
        BuildError: see `make_bitstream`, `make_vendor_plan`.
    """
    began = time.perf_counter()
    board, need = design.board, check(design)
    _ = design.configuration  # refuses records that cannot be fetched in time
    if vendor := flow_of(board.technology).vendor:
        found, archive, script = make_vendor_plan(board=board, soc=Soc(design), need=need, directory=directory)
        return EstimateReport.of(
            design,
            need=need,
            used=found,
            available=board.budget,
            wall_s=time.perf_counter() - began,
            vendor=vendor,
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
