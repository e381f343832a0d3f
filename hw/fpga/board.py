"""A board: its device, clock, serial port and budget, and the top of the design that runs on it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from amaranth import Elaboratable, Module
from amaranth.build import Platform
from amaranth.lib import io, wiring

from hw.fpga.pll import Pll, SystemClock, nearest
from hw.fpga.resources import Resources
from hw.fpga.technology import Technology


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board and how it is driven.

    Attributes
    ----------
    name : str
        The board's name on the command line.
    technology : Technology
        The device's family.
    platform : callable
        Makes the Amaranth platform: pins, device, toolchain.
    pll : type of Pll
        The family's PLL, which makes `clock_hz` from the platform's default clock.
    clock_hz : int
        Frequency of the gateware's only clock domain, `sync`.
    low_latency_hz : int or None
        The same for gateware of `technology.low_latency`; None where no such designs were placed.
    baud : int
        Bits per second of the serial port; the clocks are multiples of it.
    budget : Resources
        What the device has.
    flash : str
        Command that writes a bitstream, `{bitstream}` standing for its path; its tool does not come from PyPI.

    Raises
    ------
    ValueError
        If `baud` does not divide the clocks.
    """

    name: str
    technology: Technology
    platform: Callable[[], Platform]
    pll: type[Pll]
    clock_hz: int
    low_latency_hz: int | None = None
    baud: int
    budget: Resources
    flash: str

    def __post_init__(self) -> None:
        for hz in filter(None, (self.clock_hz, self.low_latency_hz)):
            if hz % self.baud:
                raise ValueError(
                    f"{self.name}: {self.baud} baud does not divide the clock of {hz} Hz; "
                    f"the nearest that do are {self._bauds_around(hz)}"
                )

    def _bauds_around(self, hz: int) -> str:
        clocks = hz // self.baud
        return " and ".join(f"{hz / count:g}" for count in (clocks + 1, clocks) if count)

    @property
    def clocks_per_bit(self) -> int:
        """Cycles of `sync` that a bit takes on the serial port."""
        return self.clock_hz // self.baud

    def logic_products(self, width: int, multipliers: int) -> int:
        """Count the multipliers of a design that are made of logic cells.

        These are all of them where no hard multiplier takes a word, and otherwise those that the device has too few of.
        A multiplier of logic cells has at least two registers one after the other; where a hard one has fewer, there
        is none.

        Parameters
        ----------
        width : int
            Bits of a word.
        multipliers : int
            Multipliers of the design.
        """
        if not self.technology.multiplies(width):
            return multipliers
        return max(0, multipliers - self.budget.multipliers) if self.technology.multiplier_latency >= 2 else 0

    @property
    def low_latency(self) -> Self | None:
        """The board with gateware that takes few nanoseconds from a record to a result; None if it has no such."""
        technology, clock_hz = self.technology.low_latency, self.low_latency_hz
        return replace(self, technology=technology, clock_hz=clock_hz) if technology and clock_hz else None

    def at(self, clock_hz: float, baud: int | None = None) -> Self:
        """Give the board another clock, and its serial port another speed.

        Parameters
        ----------
        clock_hz : float
            The clock.
        baud : int, optional
            Bits per second of the serial port; default: the board's.

        Returns
        -------
        Board
            The same board at that clock; without low-latency gateware, if `baud` does not divide the clock of that.

        Raises
        ------
        ValueError
            Unless the PLL can make the clock and `baud` divides it.
        """
        baud = baud or self.baud
        clocks = [hz for hz in self.pll.clocks(self.platform().default_clk_frequency) if hz % baud == 0]
        if clock_hz not in clocks:
            raise ValueError(
                f"{self.name} cannot run at {clock_hz / 1e6:g} MHz; of the clocks that its PLL can make, and that are "
                f"multiples of its {baud} baud, the nearest are {nearest(clock_hz, clocks)} MHz"
            )
        low_latency_hz = None if (self.low_latency_hz or 0) % baud else self.low_latency_hz
        return replace(self, clock_hz=round(clock_hz), baud=baud, low_latency_hz=low_latency_hz)

    def top(self, soc: wiring.Component) -> Elaboratable:
        """Wire a system to the board's clock and serial port.

        Parameters
        ----------
        soc : wiring.Component
            The system, with ports `rx` and `tx`.

        Returns
        -------
        Elaboratable
            The design for `platform`.
        """
        return _Top(self, soc)


class _Top(Elaboratable):
    def __init__(self, board: Board, soc: wiring.Component):
        self.board, self.soc = board, soc

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.clock = clock = SystemClock(self.board.pll(output_hz=self.board.clock_hz))
        m.domains.sync = clock.domain
        m.submodules.soc = self.soc
        uart = platform.request("uart", dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [self.soc.rx.eq(rx.i), tx.o.eq(self.soc.tx)]
        return m
