"""The system clock: what the families' PLLs have in common, and a reset that lasts until the clock can be trusted."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import Out


@dataclass(frozen=True)
class Limits:
    """A frequency range, both ends legal.

    Attributes
    ----------
    what : str
        What has this range, for messages: "PLL input of".
    low, high : float
        The ends in Hz.
    """

    what: str
    low: float
    high: float

    def __contains__(self, frequency: float) -> bool:
        return self.low <= frequency <= self.high

    def check(self, frequency: float) -> None:
        """Refuse a frequency in Hz that is out of range.

        Raises
        ------
        ValueError
            If it is.
        """
        if frequency not in self:
            raise ValueError(
                f"{self.what} {frequency / 1e6:g} MHz is not in {self.low / 1e6:g}..{self.high / 1e6:g} MHz"
            )


def nearest(frequency: float, others: Collection[float]) -> str:
    """Name the frequencies next below and next above one.

    Parameters
    ----------
    frequency : float
        In Hz.
    others : collection of float
        Frequencies in Hz to choose from.

    Returns
    -------
    str
        Both in MHz, or the one that there is.
    """
    below = max((hz for hz in others if hz < frequency), default=None)
    above = min((hz for hz in others if hz > frequency), default=None)
    return " or ".join(f"{hz / 1e6:g}" for hz in (below, above) if hz is not None)


class Pll(wiring.Component):
    """A PLL from the platform's default clock to `output_hz`.

    Place and route derives the constraint of the output from the input's and from the dividers in the netlist, so that
    it checks the frequency that the hardware makes.

    Parameters
    ----------
    output_hz : int
        Frequency of the output.

    Attributes
    ----------
    clock : Out(1)
        The output.
    locked : Out(1)
        High once the output is stable; asynchronous.
    resets : bool
        Whether the family's PLL holds all flip-flops of the chip in their first state until it is locked.
    reset_seconds : float
        How long the gateware stays in reset after the PLL has locked, where the PLL does not reset the chip.
    inputs, outputs : Limits
        Frequencies that the device allows.
    """

    resets = False
    reset_seconds: ClassVar[float]
    inputs: ClassVar[Limits]
    outputs: ClassVar[Limits]
    clock: Out(1)
    locked: Out(1)

    def __init__(self, *, output_hz: int):
        self.output_hz = output_hz
        super().__init__()

    @classmethod
    def clocks(cls, input_hz: float) -> dict[float, Any]:
        """List every frequency that the PLL makes of an input.

        Parameters
        ----------
        input_hz : float
            Frequency of the input.

        Returns
        -------
        dict
            The dividers by the frequency in Hz that they make.

        Raises
        ------
        ValueError
            If the input is out of range.
        """
        cls.inputs.check(input_hz)
        return {made: dividers for made, dividers in cls._settings(input_hz) if made in cls.outputs}

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Any]]:
        """Yield frequencies and dividers; of several dividers for one frequency, the last are the best."""
        raise NotImplementedError

    def dividers(self, input_hz: float) -> Any:
        """Choose the dividers that make exactly `output_hz`.

        Parameters
        ----------
        input_hz : float
            Frequency of the input.

        Returns
        -------
        Any
            Dividers of the family.

        Raises
        ------
        ValueError
            If none do; the message names the nearest frequencies that can be made.
        """
        self.outputs.check(self.output_hz)
        clocks = self.clocks(input_hz)
        if self.output_hz not in clocks:
            raise ValueError(
                f"the PLL cannot make {self.output_hz / 1e6:g} MHz; the nearest it can are "
                f"{nearest(self.output_hz, clocks)} MHz"
            )
        return clocks[self.output_hz]


class SystemClock(Elaboratable):
    """The driver of clock domain `sync`: a PLL's output, in reset until the PLL is locked.

    Unless the PLL resets the chip, the domain stays in reset for the PLL's `reset_seconds` after that.

    Parameters
    ----------
    pll : Pll
        Becomes a submodule.

    Attributes
    ----------
    domain : ClockDomain
        The domain, for a parent to define.
    """

    def __init__(self, pll: Pll):
        self.pll, self.domain = pll, ClockDomain("sync", reset_less=pll.resets)

    def elaborate(self, platform: Any) -> Module:
        """Connect the PLL and, where needed, count the reset's cycles."""
        m = Module()
        m.submodules.pll = self.pll
        m.d.comb += ClockSignal("sync").eq(self.pll.clock)
        if not self.pll.resets:
            self._reset(m)
        return m

    def _reset(self, m: Module) -> None:
        m.domains.start = ClockDomain(local=True, async_reset=True)
        cycles = int(self.pll.reset_seconds * self.pll.output_hz)
        elapsed, ready = Signal(range(cycles + 1)), Signal()
        m.submodules.locked = ResetSynchronizer(~self.pll.locked, domain="start")
        with m.If(elapsed == cycles):
            m.d.start += ready.eq(1)
        with m.Else():
            m.d.start += elapsed.eq(elapsed + 1)
        m.d.comb += [
            ClockSignal("start").eq(self.pll.clock),
            ResetSignal("sync").eq(~ready),
        ]
