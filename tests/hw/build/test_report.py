"""The build command: what it refuses before any tool runs, and one bitstream of the real gateware."""

import json
from pathlib import Path
from typing import Any

import pytest

import boards
from hw.design.design import Design
from hw.flow import bitstream
from hw.flow.build_steps import Build
from sw.commands.command_line import run
from sw.presets.catalogue import PRESETS
from tests.sim.netlist.test_verilog import STARTS, TWO_LAYERS, check_netlist
from tests.slow import slow

ICEBREAKER = boards.find("icebreaker")
EXPLICIT = ["--network", "2-8-1", "--segments", "4,32"]
DEEP = ["--network", "12-60-10-4", "--segments", "4,8,16"]


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a build gets as far as elaboration."""
    monkeypatch.setattr(bitstream, "Build", None)


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--board", "icebreaker", *EXPLICIT, "--segments", "4"], "segments 4: a network of 2 layers needs 2 numbers"),
        (["--board", "icebreaker", *EXPLICIT, "--lanes", "1,1,1"], "3 foldings for a network of 2 layers"),
        (["--board", "icebreaker", *EXPLICIT, "--network", "2-8-4", "--lanes", "1,3"], "3 lanes do not divide its 4"),
        (
            ["--board", "icebreaker", *DEEP],
            "60-10-4 (4/8/16 segments, 16 bit) on icebreaker needs at least 86 block RAMs",
        ),
        (["--board", "ulx3s", *DEEP, "--lanes", "60"], "604 of its multipliers are made of logic"),
        (["--board", "icebreaker", *EXPLICIT, "--segments", "4,30"], "30 segments: must be a power of two"),
        (["--board", "icebreaker", *EXPLICIT, "--lanes", "3"], "3 lanes do not divide"),
        (["--board", "icebreaker", *EXPLICIT, "--taps", "3"], "3 taps do not divide"),
        (
            ["--board", "icebreaker", *EXPLICIT, "--pretraining", "3"],
            "groups of 3 addends: 1 of 8 addends a clock",
        ),
        (["--board", "icebreaker", *DEEP, "--pretraining", "5"], "has 3 layers; only a network of 2"),
        (
            ["--board", "ulx3s", *EXPLICIT, "--lanes", "4", "--pretraining", "2"],
            "4 of 8 addends a clock can be in groups of 4",
        ),
        (["--board", "icebreaker", *EXPLICIT, "--lanes", "4"], "8 of its multipliers are made of logic"),
        (
            ["--board", "ulx3s", *EXPLICIT, "--network", "2-64-1", "--lanes", "64"],
            "100 of its multipliers are made of logic",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_before_synthesis(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", *options, "--output", str(tmp_path / "build")]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--board", "arty"],
            "invalid choice: 'arty' (choose from 'hx8k', 'icebreaker', 'nexys-a7', 'tang-nano-20k', 'ulx3s')",
        ),
        (["--board", "icebreaker", "--network", "norm3"], "there is no preset 'norm3'; the presets are norm2, "),
        (
            ["--board", "icebreaker", *EXPLICIT, "--segments", "4,x"],
            "'4,x' must be whole numbers from 2 to 4194304",
        ),
        (["--board", "icebreaker", *EXPLICIT, "--network", "0-8-1"], "'0-8-1' must be 2 to 65 sizes of layers"),
        (["--board", "icebreaker", "--clock", "nan"], "'nan' must be a number from 0.1 to 1000"),
        (["--board", "icebreaker", "--seed", "99999999999"], "must be whole numbers from 0 to 2147483647"),
        (["--board", "icebreaker", *EXPLICIT, "--taps", "0"], "'0' must be a whole number from 1 to 65536"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_a_usage_error(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(["build", *options])
    assert stop.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.usefixtures("no_tools")
def test_memory_that_breaks_the_budget_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    huge = ["--network", "8-64-1", "--segments", "32,64"]
    assert run(["build", "--board", "icebreaker", *huge, "--output", str(tmp_path / "build")]) == 1
    assert "block RAMs, icebreaker has 30" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "design", "starts"),
    [
        pytest.param(
            ["--network", "2-4-1", "--segments", "4,8", "--taps", "1", "--lanes", "1"],
            Design(board=ICEBREAKER, network=TWO_LAYERS),
            {"count": 10, "kinds": ("extreme",)},
            id="small",
        ),
        slow(
            ["--seed", "5,4,2"],
            Design(board=ICEBREAKER, network=PRESETS["norm2"].network, taps=2, lanes=(1, 1)),
            {"count": 40, "kinds": tuple(STARTS)},
            id="norm2",
        ),
    ],
)
def test_icebreaker_gets_the_bitstream_of_a_trainer_whose_netlist_trains_as_the_reference(
    options: list[str],
    design: Design,
    starts: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One test, since synthesis takes long: of the report, and of the netlist that is placed."""
    builds: list[Build] = []

    def recorded(**arguments: Any) -> Build:
        builds.append(Build(**arguments))
        return builds[-1]

    monkeypatch.setattr(bitstream, "Build", recorded)
    file = tmp_path / "report.json"
    output = ["--json", str(file), "--output", str(tmp_path / "build")]
    assert run(["build", "--board", "icebreaker", *options, *output]) == 0
    report = json.loads(file.read_text())
    assert report["board"] == "icebreaker"
    assert report["fmax_mhz"] >= report["target_mhz"] >= 36
    assert report["multipliers"] == {"used": design.plan.multipliers, "available": 8}
    assert 0 < report["logic"]["used"] <= report["logic"]["available"] == 5280
    assert 0 < report["block_ram"]["used"] <= report["block_ram"]["available"] == 30
    assert report["estimated_logic"] == pytest.approx(report["logic"]["used"], rel=0.15)
    assert report["expected_fmax_mhz"] == pytest.approx(report["fmax_mhz"], rel=0.15)
    assert report["records_per_second"] == int(report["target_mhz"] * 1e6 / report["cycles_per_record"])
    assert Path(report["bitstream"]).stat().st_size > 100_000
    printed = capsys.readouterr().out
    assert f"bitstream: {report['bitstream']}" in printed
    assert f"iceprog {report['bitstream']}" in printed
    (build,) = builds
    check_netlist(build, design, **starts)
