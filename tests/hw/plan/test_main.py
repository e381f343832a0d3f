"""The plan command: what it says of a design that fits, and of one that does not."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw.plan.options import add_design, board_of, preset_of
from sw.commands.command_line import run

ROOT = Path(__file__).resolve().parents[3]

SMALL = ["plan", "--board", "icebreaker", "--network", "2-4-1", "--segments", "4,8"]


def test_design_that_fits_is_to_be_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SMALL) == 0
    assert "To build it: kanloom build" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([*SMALL, "--lanes", "4", "--taps", "2"], "(20 of its multipliers are made of logic)"),
        (["plan", "--board", "hx8k", "--network", "norm8"], "block RAMs, hx8k has 32"),
    ],
)
def test_design_that_does_not_fit_is_shown_and_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options) == 1
    out, err = capsys.readouterr()
    assert "cycles per record" in out and "To build it" not in out
    assert message in err


def test_shorter_word_is_advised_and_lets_a_design_fit(capsys: pytest.CaptureFixture[str]) -> None:
    norm8 = ["plan", "--board", "hx8k", "--network", "norm8"]
    assert run(norm8) == 1
    assert "Words of 14 bits are as accurate here" in capsys.readouterr().out
    assert run([*norm8, "--width", "14"]) == 0
    assert "Words of" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("2000-9999-1", "block RAMs, ulx3s has 208"),
        ("9999-9999-1", "16 bit) has 300,269,970 nodes; 67,108,864 at most"),
    ],
)
def test_huge_network_is_refused_soon(network: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.process_time()
    assert run(["plan", "--board", "ulx3s", "--network", network, "--chart", "1"]) == 1
    assert time.process_time() - began < 5
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "network"),
    [
        (["--network", "norm4"], "4-16-1 (4/32 segments"),
        (["--network", "norm4", "--segments", "2,8"], "4-16-1 (2/8 segments"),
        (["--network", "3-6-2"], "3-6-2 (2/32 segments"),
        (["--network", "3-2"], "3-2 (32 segments"),
        (["--network", "3-6-4-2"], "3-6-4-2 (4/32/32 segments"),
        ([], "2-8-1 (4/32 segments"),
    ],
)
def test_network_is_a_preset_or_a_shape(options: list[str], network: str) -> None:
    parser = argparse.ArgumentParser()
    add_design(parser, board="ulx3s")
    assert str(preset_of(parser.parse_args(options)).network).startswith(network)


@pytest.mark.parametrize(("module", "verb"), [("hw.plan", "plan"), ("hw.build", "build"), ("sim.board", "simulate")])
def test_a_module_is_a_way_in_to_its_verb(module: str, verb: str) -> None:
    outputs = [
        subprocess.run([sys.executable, "-m", *words, "--help"], cwd=ROOT, capture_output=True, text=True).stdout
        for words in ([module], ["sw", verb])
    ]
    assert outputs[0].replace(module, f"sw {verb}").split() == outputs[1].split() and "--max-staleness" in outputs[0]


def test_clock_that_is_asked_for_is_that_of_all_gateware() -> None:
    parser = argparse.ArgumentParser()
    add_design(parser, board="ulx3s")
    usual, asked = (board_of(parser.parse_args(options)) for options in ([], ["--clock", "30"]))
    assert usual.low_latency and asked.low_latency
    assert usual.low_latency.clock_hz < usual.clock_hz
    assert asked.low_latency.clock_hz == asked.clock_hz == 30_000_000


def test_another_baud_allows_other_clocks() -> None:
    parser = argparse.ArgumentParser()
    add_design(parser, board="ulx3s")
    with pytest.raises(ValueError, match="multiples of its 3000000 baud, the nearest are 90 or 105 MHz"):
        board_of(parser.parse_args(["--clock", "100"]))
    faster, slower = (board_of(parser.parse_args([*clock, "--baud", "2000000"])) for clock in (["--clock", "100"], []))
    assert (faster.clock_hz, faster.baud, faster.clocks_per_bit) == (100_000_000, 2_000_000, 50)
    assert (slower.clock_hz, slower.low_latency) == (90_000_000, None)
