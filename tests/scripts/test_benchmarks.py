"""The commands that compare with other trainers, on few records."""

import json

import pytest

from scripts.studies import classes, tabular, time_to_pearson


def test_time_to_pearson_prints_what_each_trainer_needed(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    arguments = ["norm2", "--target", "0.9", "--seeds", "2", "--records", "2000", "--holdout", "500"]
    assert time_to_pearson.main([*arguments, "--json", str(figures)]) == 0
    report = json.loads(figures.read_text())
    ours, theirs = report["contenders"]
    assert (ours["name"], theirs["name"], report["records"]) == ("kanloom", "mlp", 2000)
    for contender in (ours, theirs):
        assert contender["cpu_seconds"] > 0 and contender["pearson"] >= 0.9
        assert len(contender["cpu_seconds_runs"]) == 2
    assert "not reached" not in capsys.readouterr().out


def test_time_to_pearson_says_when_a_target_is_out_of_reach(tmp_path, capsys):
    arguments = ["norm2", "--target", "0.99999999", "--seeds", "1", "--records", "300", "--holdout", "100"]
    assert time_to_pearson.main([*arguments, "--baseline"]) == 0
    assert "not reached" in capsys.readouterr().out


@pytest.mark.slow
def test_the_table_has_a_row_for_each_set(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    assert tabular.main(["wine", "linnerud", "--seeds", "1", "--json", str(figures)]) == 0
    wine, linnerud = json.loads(figures.read_text())["sets"]
    assert (wine["records"], wine["features"], wine["outputs"]) == (178, 13, 1)
    assert linnerud["outputs"] == 3
    assert wine["NKRegressor"]["r2"] > 0.9 and wine["NKRegressor"]["fit_seconds"] > 0
    assert "wine" in capsys.readouterr().out


@pytest.mark.slow
def test_classes_have_an_accuracy_and_a_log_loss(tmp_path):
    figures = tmp_path / "figures.json"
    assert classes.main(["iris", "--seeds", "1", "--json", str(figures)]) == 0
    (iris,) = json.loads(figures.read_text())["sets"]
    assert (iris["records"], iris["features"], iris["classes"]) == (150, 4, 3)
    assert all(iris[name]["accuracy"] > 0.85 and 0 < iris[name]["log_loss"] < 0.5 for name in classes.CONTENDERS)


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (tabular.main, ["iris"], "iris"),
        (classes.main, ["diabetes"], "diabetes"),
        (time_to_pearson.main, ["iris"], "invalid choice"),
        (time_to_pearson.main, ["norm2", "--target", "1"], "--target: '1' must be a number from 1e-09 to 0.999999999"),
    ],
)
def test_wrong_arguments_are_usage_errors(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
