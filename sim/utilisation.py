"""The utilisation of a trainer's multipliers: `python -m sim.utilisation --board icebreaker --network norm4`."""

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
from hw.flow.tools import emit_verilog
from hw.plan.options import add_design, board_of, search_of
from sim.verilator import CompileError, compile_executable
from sw.spec.bounds import RECORDS
from sw.spec.options import whole

_HARNESS = Path(__file__).with_suffix(".cpp")


class Meter(wiring.Component):
    """A trainer that is offered a record in every clock, and counters of the clocks that each multiplier is used in.

    Parameters
    ----------
    trainer : TrainerCore
        The trainer.

    Attributes
    ----------
    multipliers : list
        The trainer's multipliers.
    noise : In(32)
        Random bits, from which the records are made.
    taken : Out(1)
        The trainer takes a record in this clock.
    counting : In(1)
        This clock is counted.
    select : In(range(len(multipliers)))
        Number of a multiplier.
    used : Out(64)
        Clocks, of those counted, in which the multiplier `select` was used.
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
        """Build the gateware."""
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
    """The utilisation of a design's multipliers in steady state.

    Attributes
    ----------
    design : Design
        The design.
    records : int
        Number of records that were measured.
    clocks : int
        Clocks that the records took.
    used : tuple of int
        Clocks in which each multiplier was used.
    """

    design: Design
    records: int
    clocks: int
    used: tuple[int, ...]

    @property
    def shares(self) -> list[float]:
        """Fraction of the clocks in which each multiplier was used."""
        return [used / self.clocks for used in self.used]

    @property
    def roofline(self) -> float:
        """Clocks a record if every multiplier made a product in each clock."""
        return self.design.network.products / len(self.used)

    def table(self) -> Table:
        """Return the measurement as a table for a terminal."""
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
    """Simulate a design's trainer in Verilator while a record is offered to it in every clock.

    Parameters
    ----------
    design : Design
        The design.
    records : int
        Number of records to measure.

    Raises
    ------
    CompileError
        If the simulation cannot be compiled.
    """
    meter = Meter(TrainerCore(design.plan))
    executable = compile_executable(emit_verilog(meter), _HARNESS)
    command = [str(executable), str(design.plan.schedule.records_in_flight), str(records), str(len(meter.multipliers))]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    clocks, *used = map(int, output.split())
    return Utilisation(design, records, clocks, tuple(used))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sim.utilisation", description=__doc__)
    add_design(parser)
    parser.add_argument("--records", type=whole(*RECORDS), default=100_000, metavar="N", help="default %(default)s")
    arguments = parser.parse_args(argv)
    try:
        Console().print(measure(search_of(board_of(arguments), arguments).design, arguments.records).table())
    except (ValueError, CompileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
