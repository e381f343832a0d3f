"""The study of trainings that go on."""

import json
from dataclasses import replace
from math import nan

from scripts.studies import soak


def test_a_training_that_goes_on_stays_where_it_came_to(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    assert soak.main(["norm2", "--updates", "1e5", "--json", str(figures)]) == 0
    rows = json.loads(figures.read_text())["rows"]
    assert [row["variant"] for row in rows] == [name for name in ("float32", "float64", "16 bit") for _ in range(11)]
    assert all(row["finite"] for row in rows) and rows[-1]["updates"] == 81_920 and rows[-1]["zero_steps"] > 0
    assert "81,920" in capsys.readouterr().out


def test_what_does_not_stay_is_named():
    good = soak.Report("16 bit", 0, 0.1, 0, 0, 0, True)
    assert soak.faults([good, replace(good, rmse=0.105)]) == []
    assert soak.faults([good, replace(good, rmse=0.12)]) == ["16 bit: the last RMSE is 1.20 times the least"]
    lost = replace(good, updates=1000, rmse=nan, finite=False)
    first, second = soak.faults([good, lost])
    assert first == "16 bit: a parameter is not finite after 1,000 updates" and second.startswith(
        "16 bit: the last RMSE"
    )
