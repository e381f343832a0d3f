"""The study and the demo of streams, on few records."""

import json
from io import StringIO

import numpy as np
import pytest

from scripts import demo, online_demo
from scripts.studies import online
from scripts.studies.online_learners import METHODS, Eclair, Method
from scripts.studies.online_tasks import TASKS
from sw.commands import command_line


@pytest.mark.parametrize("name", TASKS)
def test_a_stream_is_that_of_its_seed_and_inside_the_ranges_that_are_told(name):
    task = TASKS[name]
    (features, targets), again, other = (task.make(seed, 300) for seed in (1, 1, 2))
    assert features.shape == (300, len(task.ranges)) and targets.shape == (300,)
    assert np.array_equal(features, again[0]) and not np.array_equal(features, other[0])
    low, high = np.array(task.ranges).T
    assert ((features >= low) & (features <= high)).mean() > 0.99
    assert not task.classes or set(targets) == {0.0, 1.0}


def test_eclairs_functions_change_at_each_third():
    features, targets = TASKS["ECLAIR's functions"].make(0, 1500)
    x = features[[499, 500, 999, 1000], 0]
    first, second = np.sin(x) + 0.3 * x**2, -np.cos(2 * x) + 0.1 * x**3 + 1
    third = np.exp(-0.5 * (x - 1) ** 2) + 0.05 * x**3
    assert targets[[499, 500, 999, 1000]] == pytest.approx([first[0], second[1], second[2], third[3]])


def test_eclairs_rule_moves_the_active_coefficients_only():
    rule = Eclair(TASKS["ECLAIR's functions"], 0, intervals=5, rate=0.15)
    columns, basis = rule._active([1.5])
    assert columns.tolist() == [[4, 5, 6, 7]] and basis.sum() == pytest.approx(1)
    rule.learn([1.5], 1.0)
    assert rule.predict([1.5]) == pytest.approx(0.3 * (basis**2).sum())
    assert rule.predict([-2.0]) == 0
    for x in np.random.default_rng(0).uniform(-2, 2, 2000):
        rule.learn([x], x**3 - x)
    assert rule.predict([1.5]) == pytest.approx(1.5**3 - 1.5, abs=0.5)


def test_trials_begin_with_the_first_choices_and_are_different():
    drawn = METHODS["linear"].trials(8, np.random.default_rng(0))
    assert drawn[0] == {"rate": 0.01, "intercept_rate": 0.01, "l2": 0.0}
    assert len({tuple(each.values()) for each in drawn}) == 8
    assert len(Method(METHODS["linear"].make, {"a": (1, 2)}).trials(5, np.random.default_rng(0))) == 2


def test_the_study_has_a_row_for_each_learner(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    few = ["--seeds", "2", "--trials", "1", "--records", "120", "--tuning-records", "60"]
    assert online.main(["two moons", "ECLAIR's functions", *few, "--json", str(figures)]) == 0
    report, printed = json.loads(figures.read_text()), capsys.readouterr().out
    assert [(row["task"], row["learner"]) for row in report["rows"]] == [
        (task, learner) for task in ("two moons", "ECLAIR's functions") for learner in METHODS
    ]
    for row in report["rows"]:
        assert row["records"] == 120 and row["us"] > 0 and row["kib"] > 0
        assert row["error"] == pytest.approx(np.mean(row["errors"])) and len(row["errors"]) == 2
    assert "two moons: 120 records, mean of 2 streams" in printed and "in batches of 1000" in printed


def test_the_demo_follows_a_sensor_that_a_frozen_copy_loses(tmp_path, capsys):
    verb, program = demo.chosen(["online"])
    files = "--output", str(tmp_path / "demo.png"), "--json", str(tmp_path / "demo.json")
    few = "--records", "4000", "--seconds", "0.2"
    assert command_line.run([*few, *files], program=program, verb=verb) == 0
    report = json.loads((tmp_path / "demo.json").read_text())
    assert report["frozen"] > 4 * report["learning"] and report["alarms"]
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert f"The picture is in {tmp_path / 'demo.png'}." in capsys.readouterr().out


def test_a_frame_shows_truth_predictions_and_errors():
    from rich.console import Console

    console = Console(width=120, record=True, file=StringIO())
    targets = np.linspace(-1, 1, 500)
    console.print(online_demo.frame(500, 1000, targets, targets, targets - 1, [7]))
    text = console.export_text()
    assert "record 500 of 1,000" in text and "+1.000" in text and "+0.000" in text
    assert "▁" * online_demo.COLUMNS in text and "█" * online_demo.COLUMNS in text
