"""From a network to a bitstream: `python -m hw.build --board icebreaker --network norm2`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.table import Table

import boards
from boards import Board
from hw import plan
from hw.bitstream import make_bitstream
from hw.design import Design
from hw.soc import Soc
from hw.technology import RESOURCE_NAMES, Resources
from hw.toolchain import TOP, BuildError, flow_of
from hw.vendor import make_vendor_plan
from sw import presets
from sw.configuration import CONTEXTS
from sw.network import Network

SCHEDULES = ("delayed", "exact")
OUTPUT = Path("build")


@dataclass(frozen=True)
class Usage:
    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used} of {self.available} ({self.used / self.available:.0%})"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a build came to: the table that is printed and the JSON that is written.

    `target_mhz` is the clock that the PLL makes, and `records_per_second` counts at that.
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
    target_mhz: float
    cycles_per_record: int
    records_per_second: int
    wall_s: float

    @classmethod
    def of(cls, design: Design, *, used: Resources, available: Resources, wall_s: float, **others: Any) -> Self:
        configuration = design.configuration
        return cls(
            board=design.board.name,
            network=str(design.network),
            schedule=SCHEDULES[design.exact],
            contexts=design.contexts,
            lanes=tuple(folding.lanes for folding in design.foldings),
            taps=design.taps,
            target_mhz=design.board.clock_hz / 1e6,
            cycles_per_record=configuration.interval,
            records_per_second=int(configuration.records_per_second),
            wall_s=round(wall_s, 1),
            **{name: Usage(getattr(used, name), getattr(available, name)) for name in RESOURCE_NAMES},
            **others,
        )

    def table(self) -> Table:
        table = Table(title=f"{self.network} on {self.board}", title_justify="left", show_header=False)
        for name, words in RESOURCE_NAMES.items():
            if (usage := getattr(self, name)).available:
                table.add_row(words, str(usage))
        table.add_row("clock", f"{self.target_mhz:g} MHz ({self.timing})")
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
class PlacedReport(Report):
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
class EstimateReport(Report):
    """Of a build that is left to the vendor's tool: what is used is Yosys' estimate, and nothing is placed or timed."""

    vendor: str
    plan: str
    script: str

    @property
    def timing(self) -> str:
        return f"nobody has checked it: {self.vendor} does"

    def next_steps(self, board: Board) -> list[str]:
        flow, directory = flow_of(board.technology), Path(self.plan).parent
        return [
            "There is no bitstream yet: nothing was placed or routed, and what is used is Yosys' estimate.",
            f"sources, constraints and scripts: {directory}, and all of them in {self.plan}",
            f"to make the bitstream, with {self.vendor} on the path: cd {directory} && sh {self.script}",
            f"then, if {TOP}_timing.rpt says that the clock is met: {board.flash.format(bitstream=flow.bitstream)}",
        ]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.build", description=__doc__)
    add_design(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the placer, default %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as well")
    parser.add_argument("--output", type=Path, metavar="DIR", help=f"default {OUTPUT}/BOARD; emptied first")
    return parser


def add_design(parser: argparse.ArgumentParser) -> None:
    """The options that `design_of` takes, and the board."""
    parser.add_argument("--board", required=True, help=f"one of {', '.join(boards.names())}")
    network = parser.add_argument_group("network", "either a preset, or features, addends and segments")
    network.add_argument(
        "--network", metavar="PRESET", help=f"one of {', '.join(presets.PRESETS)}; default {presets.DEFAULT}"
    )
    network.add_argument("--features", type=int, metavar="N")
    network.add_argument("--addends", metavar="N[,N...]", help="inner functions per feature; more of them, more layers")
    network.add_argument("--outputs", type=int, metavar="N", default=1, help="default %(default)s")
    network.add_argument("--segments", metavar="INNER,OUTER", help="segments per function of each layer, powers of two")
    parser.add_argument("--schedule", choices=SCHEDULES, default=SCHEDULES[0], help="default %(default)s")
    parser.add_argument(
        "--contexts",
        type=int,
        default=Design.contexts,
        metavar="N",
        help=f"models that take turns, merged after each pass: {', '.join(map(str, CONTEXTS))}; default %(default)s",
    )
    folding = parser.add_argument_group("folding", "by default the one with the most records per second that fits")
    folding.add_argument(
        "--lanes",
        metavar="N[,N...]",
        help="addends a clock, layer by layer; must divide them all; layers left out at the end have all their outputs",
    )
    folding.add_argument("--taps", type=int, metavar="N", help="features a clock; must divide them all")
    parser.add_argument(
        "--pretraining",
        type=int,
        default=Design.pretraining,
        metavar="N",
        help="make it able to train groups of N addends alone; a multiple of the lanes that divides the addends",
    )


def network_of(arguments: argparse.Namespace) -> Network:
    """The network asked for, or the default preset's. Raises ValueError if it is asked for in two ways, or by half."""
    explicit = {"--features": arguments.features, "--addends": arguments.addends, "--segments": arguments.segments}
    given = [option for option, value in explicit.items() if value is not None]
    if arguments.network is not None:
        if given:
            raise ValueError(f"--network {arguments.network} says it all; leave out {', '.join(given)}")
        return presets.find(arguments.network).network
    if not given:
        return presets.find(presets.DEFAULT).network
    if len(given) < len(explicit):
        missing = ", ".join(option for option in explicit if option not in given)
        raise ValueError(f"which network? give --network PRESET ({', '.join(presets.PRESETS)}), or {missing}")
    addends, segments = (numbers(option, explicit[option]) for option in ("--addends", "--segments"))
    return Network.chain((arguments.features, *addends, arguments.outputs), segments)


def numbers(option: str, text: str) -> tuple[int, ...]:
    """Raises ValueError unless the option's text is numbers with commas between them."""
    try:
        return tuple(map(int, text.split(",")))
    except ValueError as error:
        raise ValueError(f"{option} {text!r}: give numbers with commas between them, such as 2,32") from error


def design_of(board: Board, arguments: argparse.Namespace) -> Design:
    network, exact = network_of(arguments), arguments.schedule == "exact"
    modes: dict[str, int] = {"pretraining": arguments.pretraining, "contexts": arguments.contexts}
    if arguments.lanes is None and arguments.taps is None:
        return plan.fold(board, network, exact=exact, **modes)
    lanes = Design.lanes if arguments.lanes is None else numbers("--lanes", arguments.lanes)
    taps = Design.taps if arguments.taps is None else arguments.taps
    return plan.with_store(Design(board=board, network=network, lanes=lanes, taps=taps, exact=exact, **modes))


def build(design: Design, *, directory: Path, seed: int) -> Report:
    """Check the budget, then make the bitstream in `directory`, which is emptied first; or all that the vendor's tool
    needs to make it.

    Raises:
        ValueError: naming the budget that the design breaks (`plan.DoesNotFitError`), or records that come too late.
        BuildError: see `make_bitstream`, `make_vendor_plan`.
    """
    began = time.perf_counter()
    board, need = design.board, plan.requirements(design)
    plan.check(need=need, have=board.budget, what=str(design.network), board=board.name)
    _ = design.configuration  # refuses records that cannot be fetched in time
    if vendor := flow_of(board.technology).vendor:
        found, archive, script = make_vendor_plan(board=board, soc=Soc(design), need=need, directory=directory)
        return EstimateReport.of(
            design,
            used=found,
            available=board.budget,
            wall_s=time.perf_counter() - began,
            vendor=vendor,
            plan=str(archive),
            script=script,
        )
    placement, bitstream = make_bitstream(board=board, soc=Soc(design), need=need, directory=directory, seed=seed)
    return PlacedReport.of(
        design,
        used=placement.used,
        available=placement.available,
        wall_s=time.perf_counter() - began,
        fmax_mhz=round(placement.fmax_hz / 1e6, 2),
        seed=seed,
        bitstream=str(bitstream),
    )


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    console = Console()
    try:
        board = boards.find(arguments.board)
        design = design_of(board, arguments)
        with console.status(f"{design.network} on {board.name}: synthesis, place and route take minutes"):
            report = build(design, directory=arguments.output or OUTPUT / board.name, seed=arguments.seed)
    except (ValueError, BuildError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(report), indent=2) + "\n")
    console.print(report.table())
    print(*report.next_steps(board), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
