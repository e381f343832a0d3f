"""The studies of faults and crashes, in short: every trial ends exact, or in a named error."""

import json

import pytest

from scripts.studies import link_crashes, link_faults
from tests.slow import slow


def test_trials_on_a_bad_line_end_exact_or_in_a_named_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(link_faults, "FEW", {"floating line": (1e-4,), "stop bits": (3e-3,)})
    figures, picture = tmp_path / "figures.json", tmp_path / "figures.png"
    assert link_faults.main(["--json", str(figures), "--plot", str(picture)]) == 0
    found = json.loads(figures.read_text())
    floating, stops = found["rows"]
    assert found["faults"] > 1000 and floating["faults"]["edges"] > 1000 and stops["faults"]["stops"] > 3
    assert stops["board"]["uart_errors"] > 0
    assert found["two_hosts"] in ("exact", "NoAnswerError", "BoardResetError")
    assert "Trials" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_wrong_result_is_a_failure(monkeypatch):
    row = link_faults.Row("flipped bits", 0.0)
    monkeypatch.setattr(link_faults.np, "array_equal", lambda *_: False)
    design = link_faults.small_design()
    link_faults.trial(link_faults.emit_verilog(link_faults.Soc(design)), design, row, 0)
    assert row.failed and row.ends == {"WRONG nodes read back": 1}


@pytest.mark.parametrize("incidents", [slow(6)])
def test_trainings_outlast_crashes(tmp_path, incidents):
    figures = tmp_path / "figures.json"
    assert link_crashes.main(["--incidents", str(incidents), "--epochs", "30", "--json", str(figures)]) == 0
    found = json.loads(figures.read_text())
    assert sum(found["incidents"].values()) == incidents and list(found["ends"]) == ["the oracle's nodes"]
