"""The studies of schedules and board time, on few records."""

import json
from dataclasses import replace

import numpy as np
import pytest

import boards
from hw.design.design import Design
from hw.plan.search import search
from scripts.studies import board_time, schedule_study
from sim.simulated_trainer import SimulatedTrainer
from sw import datasets
from sw.bench.time_to_accuracy import Method, Reached
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.metrics import pearson
from sw.oracle.contexts import ContextReference
from sw.oracle.fixed import FixedReference
from sw.presets import catalogue as presets

FEW = "--seeds", "2", "--records", "400", "--holdout", "200"
ULX3S = boards.find("ulx3s")


def experiment_of(name: str, records: int, preset: presets.Preset) -> Experiment:
    return Experiment.begin(preset, datasets.load(name, records=records, holdout=200), seed=0)


def test_the_study_has_a_row_for_each_variant_of_training(tmp_path, capsys):
    figures, picture = tmp_path / "figures.json", tmp_path / "figures.png"
    arguments = ["norm2", *FEW, "--staleness", "2,1", "24,12", "--contexts", "1", "2", "--addends", "4"]
    assert schedule_study.main([*arguments, "--json", str(figures), "--plot", str(picture)]) == 0
    rows = json.loads(figures.read_text())["rows"]
    assert [(row["variant"]["staleness"], row["variant"]["contexts"]) for row in rows] == [
        ([0, 0], 1),
        ([2, 1], 1),
        ([24, 12], 1),
        ([0, 0], 2),
        ([1, 0], 2),
        ([12, 6], 2),
    ]
    assert rows[0]["ratio"] == 1 and len({row["rmse"] for row in rows}) == len(rows)
    assert rows[0]["network"].startswith("2-4-1") and "norm2" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_board_trains_with_the_staleness_and_the_store_of_the_planners_design(tmp_path, capsys):
    figures, boards_named = tmp_path / "figures.json", ["hx8k", "ulx3s"]
    few = ["--seeds", "1", "--records", "120", "--holdout", "50"]
    assert schedule_study.main(["norm8", *few, "--board", *boards_named, "--json", str(figures)]) == 0
    sequential, row = json.loads(figures.read_text())["rows"]
    configuration = search(ULX3S, presets.find("norm8").network).design.configuration
    assert sequential["variant"]["staleness"] == [0, 0] and not sequential["variant"]["board"]
    assert row["variant"]["board"] == "ulx3s" and row["variant"]["block"] == configuration.block
    assert row["variant"]["staleness"] == list(configuration.staleness)
    assert "norm8, hx8k: " in capsys.readouterr().out


def test_another_schedule_is_compared_with_the_presets_own(tmp_path):
    figures = tmp_path / "figures.json"
    assert schedule_study.main(["norm2", *FEW, "--staleness", "--phases", "1:8:16", "--json", str(figures)]) == 0
    (row,) = json.loads(figures.read_text())["rows"]
    assert row["phases"] == "1:8:16" and row["ratio"] > 2


def test_a_variant_trains_as_the_oracle_of_its_contexts_does():
    experiment = experiment_of("norm2", 90, presets.find("norm2"))
    network, nodes, rates = experiment.model.network, experiment.model.nodes, presets.find("norm2").phases[0].rates
    variant = schedule_study.Variant((2, 1), contexts=2, block=50).trainer(experiment)
    oracle = ContextReference(network, nodes, (2, 1), 50, contexts=2)
    for trainer in (variant, oracle):
        trainer.train(experiment.records, rates)
    assert all(map(np.array_equal, variant.nodes, oracle.nodes))


def test_board_time_names_design_and_times_of_each_board(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    figures = tmp_path / "figures.json"
    arguments = ["norm2", "--goal", "0.9", "--board", "icebreaker", "ulx3s", "--seeds", "2", "--holdout", "300"]
    assert board_time.main([*arguments, "--json", str(figures)]) == 0
    rows = json.loads(figures.read_text())["rows"]
    assert [row["board"] for row in rows] == ["icebreaker", "ulx3s"]
    for row in rows:
        assert min(row["pearson"]) >= 0.9 and min(row["cpu_seconds"]) > 0
        least = [
            record_updates * row["initiation_interval"] / 1e6 / row["clock_mhz"]
            for record_updates in row["record_updates"]
        ]
        assert all(time > record_updates for time, record_updates in zip(row["board_seconds"], least, strict=True))
    assert "not reached" not in capsys.readouterr().out


def test_board_time_says_what_does_not_fit_and_what_is_not_reached(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    few = ["--seeds", "1", "--records", "300", "--holdout", "100"]
    assert board_time.main(["det4", "--board", "icebreaker", *few]) == 0
    assert "block RAMs" in capsys.readouterr().out
    assert board_time.main(["norm2", "--board", "icebreaker", "--goal", "0.9999999", *few]) == 0
    assert "not reached" in capsys.readouterr().out


def test_a_build_report_gives_design_and_clock(tmp_path):
    report, figures = tmp_path / "build.json", tmp_path / "figures.json"
    built = {"board": "ulx3s", "network": str(presets.quick("norm2").network), "schedule": "exact"}
    report.write_text(json.dumps({**built, "lanes": [2, 1], "taps": 2, "fmax_mhz": 50.0}))
    arguments = ["norm2", "--goal", "0.9", "--board", "ulx3s", "--seeds", "1", "--report", str(report)]
    assert board_time.main([*arguments, "--json", str(figures)]) == 0
    (row,) = json.loads(figures.read_text())["rows"]
    assert (row["clock_mhz"], row["clock_measured"], row["lanes"], row["taps"]) == (50.0, True, [2, 1], 2)
    assert row["staleness"] == [0, 0]


def test_a_board_takes_the_cycles_that_are_counted_and_leaves_the_nodes_that_are_judged():
    """Of a quick preset on the simulated gateware, in passes."""
    preset = presets.quick("norm2")
    experiment, step, passes = experiment_of("norm2", 300, preset), 100, 3
    design = Design(board=ULX3S, network=preset.network, lanes=(1, 1), taps=2)
    network, nodes, rates = preset.network, experiment.model.nodes, preset.phases[0].rates
    staleness = design.configuration.staleness
    assert max(staleness) > 1
    simulated = SimulatedTrainer(network, nodes, design.foldings, technology=ULX3S.technology, exact=False)
    compiled, sequential = CompiledFixed(network, nodes, staleness, step), CompiledFixed(network, nodes)
    cycles = 0
    for block in experiment.records.blocks(step):
        simulated.train(block, rates)
        cycles += simulated.cycles
    compiled.train(experiment.records, rates)
    sequential.train(experiment.records, rates)
    assert all(map(np.array_equal, simulated.nodes, compiled.nodes))
    assert not all(map(np.array_equal, sequential.nodes, compiled.nodes))
    built = board_time.Built(design, ULX3S.clock_hz, False)
    assert built.cycles(Reached(True, step * passes, passes, 1.0)) == cycles


def test_a_method_is_evaluated_after_each_pass_and_stops_at_the_goal():
    preset = presets.quick("norm2")
    experiment = experiment_of("norm2", 1000, preset)
    method = Method(experiment, preset.phases, step=100)
    first = method.run(0.8, staleness=(4, 2))
    assert first.reached and first.pearson >= 0.8 and first.record_updates == 100 * first.passes < 1000
    longer, shorter = (method.run(0.8, staleness=(4, 2), longest=longest) for longest in (1000, 50))
    assert longer == first and shorter.record_updates == 50 * shorter.passes
    last = method.run(1.0, staleness=(4, 2))
    record_updates = 1000 * sum(phase.epochs for phase in preset.phases)
    assert (last.reached, last.record_updates, last.passes) == (False, record_updates, record_updates // 100)
    assert 0 < method.cpu_seconds(first.record_updates) < method.cpu_seconds(record_updates)
    with pytest.raises(ValueError, match="passes of 0"):
        Method(experiment, preset.phases, step=0)


def test_a_method_trains_groups_alone_first():
    preset = replace(presets.quick("norm2"), pretraining=(2, 1))
    experiment, (pretraining, phase) = experiment_of("norm2", 300, preset), preset.all_phases(pretraining=True)
    method = Method(experiment, (pretraining, replace(phase, epochs=1)), step=100, pretraining=2)
    oracle = FixedReference(experiment.model.network, experiment.model.nodes, (4, 2), pretraining=2)
    for step in (oracle.pretrain, oracle.train):
        for block in experiment.records.blocks(100):
            step(block, phase.rates)
    holdout = experiment.split.holdout
    unseen = experiment.model.encode_features(holdout.features)
    reached = method.run(1.0, staleness=(4, 2))
    assert reached == Reached(False, 600, 6, pearson(experiment.model.decode(oracle.predict(unseen)), holdout.targets))
    assert 0 < method.cpu_seconds(400)


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (schedule_study.main, ["det5"], "'det5' is not one of norm2"),
        (schedule_study.main, ["norm2", "--staleness", "2,4"], "--staleness"),
        (schedule_study.main, ["norm2", "--seeds", "0"], "--seeds"),
        (schedule_study.main, ["norm2", "--contexts", "3"], "--contexts"),
        (board_time.main, ["norm2", "--pretraining", "4"], "--pretraining"),
        (board_time.main, ["det5"], "'det5' is not one of norm2"),
        (board_time.main, ["norm2", "--goal", "1"], "--goal: '1' must be a number from 1e-09 to 0.999999999"),
    ],
)
def test_wrong_arguments_are_usage_errors(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
