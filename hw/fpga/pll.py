"""The system clock: a PLL per FPGA family, its dividers, and a reset that lasts until the clock can be trusted."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

from amaranth import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import Out

# iCE40 block RAM reads zeros for some 3 us after configuration; five times that covers process and temperature.
RESET_SECONDS = 15e-6


@dataclass(frozen=True)
class Limits:
    """A frequency range in Hz, both ends legal."""

    what: str
    low: float
    high: float

    def __contains__(self, frequency: float) -> bool:
        return self.low <= frequency <= self.high

    def check(self, frequency: float) -> None:
        if frequency not in self:
            raise ValueError(
                f"{self.what} {frequency / 1e6:g} MHz is not in {self.low / 1e6:g}..{self.high / 1e6:g} MHz"
            )


@dataclass(frozen=True)
class Ice40Dividers:
    """Parameters of an SB_PLL40 with simple feedback: output = input * (divf + 1) / (divr + 1) / 2**divq."""

    divr: int
    divf: int
    divq: int
    filter_range: int


@dataclass(frozen=True)
class Ecp5Dividers:
    """Divisors of an EHXPLLL with feedback from its output: output = input * feedback / reference."""

    reference: int
    feedback: int
    output: int


@dataclass(frozen=True)
class Artix7Dividers:
    """Divisors of a PLLE2: output = input * multiplier / divider / output."""

    divider: int
    multiplier: int
    output: int


def nearest(frequency: float, others: Collection[float]) -> str:
    """The ones next to it, below and above, in MHz."""
    below = max((hz for hz in others if hz < frequency), default=None)
    above = min((hz for hz in others if hz > frequency), default=None)
    return " or ".join(f"{hz / 1e6:g}" for hz in (below, above) if hz is not None)


class Pll(wiring.Component):
    """A PLL from the platform's default clock to `output_hz`.

    Place and route derives the constraint of the output from the input's and from the dividers in the netlist: what is
    checked is the frequency that the hardware makes.

    Attributes:
        clock: the output.
        locked: high once the output is stable; asynchronous.
        resets: whether it holds all flip-flops of the chip in their first state until it is locked.
        inputs, outputs: what the part allows, as it does the family's oscillator and phase detector.
    """

    resets = False
    inputs: ClassVar[Limits]
    outputs: ClassVar[Limits]
    clock: Out(1)
    locked: Out(1)

    def __init__(self, *, output_hz: int):
        self.output_hz = output_hz
        super().__init__()

    @classmethod
    def clocks(cls, input_hz: float) -> dict[float, Any]:
        """Every frequency in Hz that it can make of an input, and the dividers that do. Raises ValueError for an input
        that is out of range."""
        cls.inputs.check(input_hz)
        return {made: dividers for made, dividers in cls._settings(input_hz) if made in cls.outputs}

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Any]]:
        """Frequencies and dividers; of those for one frequency, the last are the best."""
        raise NotImplementedError

    def dividers(self, input_hz: float) -> Any:
        """Those that make exactly `output_hz`. Raises ValueError if none do, naming the nearest that can be made."""
        self.outputs.check(self.output_hz)
        clocks = self.clocks(input_hz)
        if self.output_hz not in clocks:
            raise ValueError(
                f"the PLL cannot make {self.output_hz / 1e6:g} MHz; the nearest it can are "
                f"{nearest(self.output_hz, clocks)} MHz"
            )
        return clocks[self.output_hz]


class Ice40Pll(Pll):
    """SB_PLL40_PAD, on the pad of the default clock. The highest phase detector frequency has the least jitter."""

    cell = "SB_PLL40_PAD"
    inputs = Limits("PLL input of", 10e6, 133e6)
    outputs = Limits("PLL output of", 16e6, 275e6)
    oscillator = Limits("VCO of", 533e6, 1066e6)
    detector = Limits("phase detector of", 10e6, 133e6)
    # The loop filter is chosen by the phase detector's frequency: below the bound of its index (from 1).
    filter_bounds = (17e6, 26e6, 44e6, 66e6, 101e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Ice40Dividers]]:
        for divr in reversed(range(16)):
            detector = input_hz / (divr + 1)
            if detector not in cls.detector:
                continue
            filter_range = 1 + sum(detector >= bound for bound in cls.filter_bounds)
            for divf, divq in product(range(128), range(1, 7)):
                made = input_hz * (divf + 1) / (divr + 1)
                if made in cls.oscillator:
                    yield made / 2**divq, Ice40Dividers(divr, divf, divq, filter_range)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        dividers = self.dividers(platform.default_clk_frequency)
        m.submodules.pll = Instance(
            self.cell,
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            p_DIVR=Const(dividers.divr, 4),
            p_DIVF=Const(dividers.divf, 7),
            p_DIVQ=Const(dividers.divq, 3),
            p_FILTER_RANGE=Const(dividers.filter_range, 3),
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=self.clock,
            o_LOCK=self.locked,
            **self.input(m, platform.request(platform.default_clk, dir="-")),
        )
        return m

    def input(self, m: Module, pad: io.PortLike) -> dict[str, Any]:
        """The cell's port for its input."""
        return {"i_PACKAGEPIN": pad.io}


class Ice40CorePll(Ice40Pll):
    """SB_PLL40_CORE, for a default clock on a pad that has no PLL."""

    cell = "SB_PLL40_CORE"

    def input(self, m: Module, pad: io.PortLike) -> dict[str, Any]:
        reference = Signal()
        m.submodules.buffer = Instance(
            "SB_IO", p_PIN_TYPE=Const(0b000001, 6), io_PACKAGE_PIN=pad.io, o_D_IN_0=reference
        )
        return {"i_REFERENCECLK": reference}


class Ecp5Pll(Pll):
    """EHXPLLL, from the default clock's input buffer; and the chip's own reset network.

    Routed like a signal, a reset of thousands of flip-flops takes the place of others and is their slowest path. The
    highest phase detector frequency has the least jitter; the oscillator is kept near the middle of its range.
    """

    resets = True
    inputs = Limits("PLL input of", 8e6, 400e6)
    outputs = Limits("PLL output of", 3.125e6, 400e6)
    oscillator = Limits("VCO of", 400e6, 800e6)
    detector = Limits("phase detector of", 3.125e6, 400e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Ecp5Dividers]]:
        middle = (cls.oscillator.low + cls.oscillator.high) / 2
        for reference, feedback in product(reversed(range(1, 129)), range(1, 129)):
            made = input_hz * feedback / reference
            output = min(max(round(middle / made), 1), 128)
            if input_hz / reference in cls.detector and made * output in cls.oscillator:
                yield made, Ecp5Dividers(reference, feedback, output)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        input_hz = platform.default_clk_frequency
        dividers = self.dividers(input_hz)
        m.submodules.buffer = buffer = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{input_hz / 1e6:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.output_hz / 1e6:g}",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=dividers.reference,
            p_CLKFB_DIV=dividers.feedback,
            p_CLKOP_DIV=dividers.output,
            p_CLKOP_CPHASE=dividers.output - 1,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=buffer.i,
            i_CLKFB=self.clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=self.clock,
            o_LOCK=self.locked,
        )
        run = self.locked
        for stage in range(2):
            later = Signal()
            m.submodules[f"run{stage}"] = Instance("FD1S3AX", p_GSR="DISABLED", i_CK=self.clock, i_D=run, o_Q=later)
            run = later
        m.submodules.reset = Instance("SGSR", i_CLK=self.clock, i_GSR=run)
        return m


class Artix7Pll(Pll):
    """PLLE2_BASE of speed grade -1, from the default clock's input buffer to a global buffer.

    The highest phase detector frequency has the least jitter.
    """

    inputs = Limits("PLL input of", 19e6, 800e6)
    outputs = Limits("PLL output of", 6.25e6, 464e6)
    oscillator = Limits("VCO of", 800e6, 1600e6)
    detector = Limits("phase detector of", 19e6, 450e6)

    @classmethod
    def _settings(cls, input_hz: float) -> Iterator[tuple[float, Artix7Dividers]]:
        for divider, multiplier in product(reversed(range(1, 57)), range(2, 65)):
            made = input_hz * multiplier / divider
            if input_hz / divider in cls.detector and made in cls.oscillator:
                for output in range(1, 129):
                    yield made / output, Artix7Dividers(divider, multiplier, output)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        input_hz = platform.default_clk_frequency
        dividers = self.dividers(input_hz)
        m.submodules.buffer = buffer = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        feedback, output = Signal(), Signal()
        m.submodules.pll = Instance(
            "PLLE2_BASE",
            p_CLKIN1_PERIOD=1e9 / input_hz,
            p_DIVCLK_DIVIDE=dividers.divider,
            p_CLKFBOUT_MULT=dividers.multiplier,
            p_CLKOUT0_DIVIDE=dividers.output,
            i_CLKIN1=buffer.i,
            i_CLKFBIN=feedback,
            i_PWRDWN=Const(0),
            i_RST=Const(0),
            o_CLKFBOUT=feedback,
            o_CLKOUT0=output,
            o_LOCKED=self.locked,
        )
        m.submodules.global_buffer = Instance("BUFG", i_I=output, o_O=self.clock)
        return m


class SystemClock(Elaboratable):
    """Drives clock domain `sync` from a PLL, in reset while that is not locked; and for `RESET_SECONDS` after, unless
    the PLL resets the chip.

    Attributes:
        domain: that one, for a parent to define.
    """

    def __init__(self, pll: Pll):
        self.pll, self.domain = pll, ClockDomain("sync", reset_less=pll.resets)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.pll = self.pll
        m.d.comb += ClockSignal("sync").eq(self.pll.clock)
        if not self.pll.resets:
            self._reset(m)
        return m

    def _reset(self, m: Module) -> None:
        m.domains.start = ClockDomain(local=True, async_reset=True)
        cycles = int(RESET_SECONDS * self.pll.output_hz)
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
