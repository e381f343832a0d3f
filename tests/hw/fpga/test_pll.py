"""PLL dividers make the frequency asked for within the limits of the part, or are refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.fpga.artix7 import Artix7Dividers, Artix7Pll
from hw.fpga.ecp5 import Ecp5Dividers, Ecp5Pll
from hw.fpga.gowin import POSTS, GowinDividers, GowinPll
from hw.fpga.ice40 import Ice40Dividers, Ice40Pll
from hw.fpga.pll import Pll

MEGAHERTZ = 1_000_000
FEW = settings(max_examples=6)  # each lists all clocks that a PLL makes of an input, which takes 0.2 s


def dividers_or_refusal(pll: type[Pll], input_mhz: int, output_mhz: int) -> Any:
    """The dividers for a clock; None if the PLL cannot make it, and says so."""
    try:
        return pll(output_hz=output_mhz * MEGAHERTZ).dividers(input_mhz * MEGAHERTZ)
    except ValueError as error:
        assert f"cannot make {output_mhz} MHz" in str(error)
        return None


def ice40_output(dividers: Ice40Dividers, input_hz: float) -> tuple[float, float, float]:
    """Phase detector, oscillator and output, by the data sheet."""
    detector = input_hz / (dividers.divr + 1)
    oscillator = detector * (dividers.divf + 1)
    return detector, oscillator, oscillator / 2**dividers.divq


def ecp5_output(dividers: Ecp5Dividers, input_hz: float) -> tuple[float, float, float]:
    detector = input_hz / dividers.reference
    oscillator = detector * dividers.feedback
    return detector, oscillator, oscillator / dividers.output


def gowin_output(dividers: GowinDividers, input_hz: float) -> tuple[float, float, float]:
    detector = input_hz / dividers.reference
    output = detector * dividers.feedback
    return detector, output * dividers.post, output


def artix7_output(dividers: Artix7Dividers, input_hz: float) -> tuple[float, float, float]:
    detector = input_hz / dividers.divider
    oscillator = detector * dividers.multiplier
    return detector, oscillator, oscillator / dividers.output


@given(st.integers(10, 133), st.integers(16, 275))
def test_ice40_dividers_are_exact_and_legal_or_refused(input_mhz: int, output_mhz: int) -> None:
    dividers = dividers_or_refusal(Ice40Pll, input_mhz, output_mhz)
    if dividers is None:
        return
    detector, oscillator, output = ice40_output(dividers, input_mhz * MEGAHERTZ)
    assert output == pytest.approx(output_mhz * MEGAHERTZ)
    assert 10e6 <= detector <= 133e6
    assert 533e6 <= oscillator <= 1066e6
    assert 0 <= dividers.divr < 16 and 0 <= dividers.divf < 128 and 1 <= dividers.divq <= 6
    assert 1 <= dividers.filter_range <= 6


@FEW
@given(st.integers(8, 400), st.integers(4, 400))
def test_ecp5_dividers_are_exact_and_legal_or_refused(input_mhz: int, output_mhz: int) -> None:
    dividers = dividers_or_refusal(Ecp5Pll, input_mhz, output_mhz)
    if dividers is None:
        return
    detector, oscillator, output = ecp5_output(dividers, input_mhz * MEGAHERTZ)
    assert output == pytest.approx(output_mhz * MEGAHERTZ)
    assert 10e6 <= detector <= 400e6
    assert 400e6 <= oscillator <= 800e6
    assert all(1 <= divider <= 128 for divider in (dividers.reference, dividers.feedback, dividers.output))


@FEW
@given(st.integers(3, 500), st.integers(4, 625))
def test_gowin_dividers_are_exact_and_legal_or_refused(input_mhz: int, output_mhz: int) -> None:
    dividers = dividers_or_refusal(GowinPll, input_mhz, output_mhz)
    if dividers is None:
        return
    detector, oscillator, output = gowin_output(dividers, input_mhz * MEGAHERTZ)
    assert output == pytest.approx(output_mhz * MEGAHERTZ)
    assert 3e6 <= detector <= 500e6
    assert 500e6 <= oscillator <= 1250e6
    assert 1 <= dividers.reference <= 64 and 1 <= dividers.feedback <= 64 and dividers.post in POSTS


@FEW
@given(st.integers(19, 800), st.integers(7, 464))
def test_artix7_dividers_are_exact_and_legal_or_refused(input_mhz: int, output_mhz: int) -> None:
    dividers = dividers_or_refusal(Artix7Pll, input_mhz, output_mhz)
    if dividers is None:
        return
    detector, oscillator, output = artix7_output(dividers, input_mhz * MEGAHERTZ)
    assert output == pytest.approx(output_mhz * MEGAHERTZ)
    assert 19e6 <= detector <= 450e6
    assert 800e6 <= oscillator <= 1600e6
    assert 1 <= dividers.divider <= 56 and 2 <= dividers.multiplier <= 64 and 1 <= dividers.output <= 128


@pytest.mark.parametrize("pll", [Ice40Pll, Ecp5Pll, GowinPll, Artix7Pll])
@pytest.mark.parametrize(
    ("input_mhz", "output_mhz", "message"),
    [
        (1, 36, r"PLL input of 1 MHz is not in \d+\.\.\d+ MHz"),
        (25, 700, r"PLL output of 700 MHz is not in [\d.]+\.\.\d+ MHz"),
        (25, 36.51, r"cannot make 36.51 MHz; the nearest it can are 3[56][\d.]* or 3[67][\d.]* MHz"),
    ],
)
def test_refusal_names_what_is_legal(pll: type[Pll], input_mhz: float, output_mhz: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pll(output_hz=round(output_mhz * MEGAHERTZ)).dividers(input_mhz * MEGAHERTZ)
