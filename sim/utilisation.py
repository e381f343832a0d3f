"""How busy the multipliers of a trainer are: `python -m sim.utilisation --board icebreaker --network norm4`."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.console import Console
from rich.table import Table

from hw.datapath.trainer import TrainerCore
from hw.design.design import Design
from hw.plan.options import add_design, board_of, search_of
from sim.verilator import CompileError, compile_executable, emit_verilog

_HARNESS = Path(__file__).with_suffix(".cpp")


class Meter(wiring.Component):
    """A trainer that is offered a record in every clock, and the clocks in which each of its multipliers is in use.

    Attributes:
        noise: bits for the records. taken: a record is, in this clock.
        counting: whether this clock counts. select: a multiplier's number. used: clocks in which it was in use.
    """

    def __init__(self, trainer: TrainerCore):
        self.trainer = trainer
        self.multipliers = [multiplier for unit in trainer.units for multiplier in unit.multipliers]
        super().__init__(
            {
                "noise": In(32),
                "taken": Out(1),
                "counting": In(1),
                "select": In(range(len(self.multipliers))),
                "used": Out(64),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.trainer = trainer = self.trainer
        records = trainer.records
        bits = Signal(len(records.payload.as_value()))
        m.d.sync += bits.eq(Cat(self.noise, bits))
        m.d.comb += [
            records.payload.eq(bits),
            records.payload.train.eq(1),
            records.valid.eq(1),
            self.taken.eq(records.ready),
        ]
        for number, multiplier in enumerate(self.multipliers):
            used = Signal(64, name=f"used{number}")
            with m.If(self.counting & Cat(use.value for use in multiplier.uses).any()):
                m.d.sync += used.eq(used + 1)
            with m.If(self.select == number):
                m.d.comb += self.used.eq(used)
        return m


@dataclass(frozen=True)
class Utilisation:
    """Of a design, over so many `records` in steady state, which took so many `clocks`; in how many of them each
    multiplier was `used`."""

    design: Design
    records: int
    clocks: int
    used: tuple[int, ...]

    @property
    def shares(self) -> list[float]:
        """Of the clocks, for each multiplier."""
        return [used / self.clocks for used in self.used]

    @property
    def roofline(self) -> float:
        """Clocks a record if every multiplier made a product in each of them."""
        return self.design.network.products / len(self.used)

    def table(self) -> Table:
        design, shares, measured = self.design, self.shares, self.clocks / self.records
        table = Table(title=f"{design.network} on {design.board.name}", title_justify="left", show_header=False)
        table.add_row(
            "folding", f"lanes {', '.join(str(folding.lanes) for folding in design.foldings)}; taps {design.taps}"
        )
        table.add_row("multipliers", str(len(self.used)))
        table.add_row("records", f"{self.records:,}")
        table.add_row("clocks", f"{self.clocks:,}")
        table.add_row(
            "clocks per record",
            f"{measured:g} (planned {design.plan.schedule.initiation_interval}, roofline {self.roofline:g})",
        )
        table.add_row("of the roofline", f"{self.roofline / measured:.1%}")
        table.add_row(
            "multipliers in use", f"{sum(shares) / len(shares):.1%} of the clocks; the least {min(shares):.1%}"
        )
        return table


def measure(design: Design, records: int) -> Utilisation:
    """Simulate a design's trainer in Verilator, fed without pause. Raises CompileError."""
    meter = Meter(TrainerCore(design.plan))
    executable = compile_executable(emit_verilog(meter), _HARNESS)
    command = [str(executable), str(design.plan.schedule.records_in_flight), str(records), str(len(meter.multipliers))]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    clocks, *used = map(int, output.split())
    return Utilisation(design, records, clocks, tuple(used))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sim.utilisation", description=__doc__)
    add_design(parser)
    parser.add_argument("--records", type=int, default=100_000, metavar="N", help="default %(default)s")
    arguments = parser.parse_args(argv)
    try:
        if arguments.records < 1:
            raise ValueError(f"--records {arguments.records}: must be 1 or more")
        Console().print(measure(search_of(board_of(arguments), arguments).design, arguments.records).table())
    except (ValueError, CompileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
