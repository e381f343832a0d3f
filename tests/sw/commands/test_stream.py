"""`kanloom stream`: a board is trained with the schedule that fits the data."""

import json

import pytest

from sw import datasets
from sw.commands.stream import groups_for, schedule_for
from sw.datasets import MemorySource, load
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.model import Model
from sw.presets.by_size import default_preset
from sw.presets.catalogue import PRESETS
from sw.spec.network import Network
from tests.sw.commands.running import SMALL, sw


def test_a_board_is_trained_by_its_port_alone(port, tmp_path):
    figures, model = tmp_path / "figures.json", tmp_path / "model.npz"
    printed = sw("stream", "norm2", "--port", port, *SMALL, "--epochs", 6, "--json", figures, "--output", model)
    report = json.loads(figures.read_text())
    assert report["pearson"] > 0.99 and report["records"] == 2000 and sum(report["link_errors"].values()) == 0
    assert report["epochs"] == 6 and "the schedule of norm2" in printed
    assert Model.load(model).network == PRESETS["norm2"].network


def test_a_file_is_trained_by_the_schedule_for_its_size(port, folder, tmp_path):
    figures = tmp_path / "figures.json"
    printed = sw(
        "stream", folder / "norm.csv", "--port", port, "--epochs", 3, "--json", figures, "--output", tmp_path / "m.npz"
    )
    assert "the schedule for 320 records of any data" in printed
    report = json.loads(figures.read_text())
    assert report["records"] == 320 and report["epochs"] == 3


@pytest.mark.parametrize("network", [Network.two_layer(2, 8, (4, 32), gain=0), Network.chain((2, 6, 4, 1), (2, 4, 8))])
def test_the_schedule_is_the_datas_and_the_network_the_boards(folder, network):
    file = MemorySource(load(folder / "norm.csv"))
    preset, _ = schedule_for(file, None, network)
    rule = default_preset(2, 1, 320)
    assert preset.network == network and preset.robust and preset.headroom == rule.headroom
    assert [phase.epochs for phase in preset.phases] == [phase.epochs for phase in rule.phases]
    for phase, ruled in zip(preset.phases, rule.phases, strict=True):
        phase.rates.check(network)
        assert set(phase.rates.update) == set(ruled.rates.update)
    named, _ = schedule_for(MemorySource(load("norm2", records=100, holdout=10)), None, network)
    assert [phase.epochs for phase in named.phases] == [phase.epochs for phase in PRESETS["norm2"].phases]
    chosen, name = schedule_for(file, PRESETS["norm8"], network)
    assert chosen.spreads[0] == PRESETS["norm8"].spreads[0] and "norm8" in name


def test_groups_are_the_boards():
    assert groups_for(4, (4, 2)) == (4, 2) and groups_for(4, (0, None)) == (0, None) and groups_for(0, None) is None
    for board, message in ((0, "no groups of addends"), (8, "groups of 8 addends")):
        with pytest.raises(ValueError, match=f"{message}; build it with --pretraining 4"):
            groups_for(board, (4, 2))


def test_data_of_another_shape_than_the_boards_network_are_refused(port, tmp_path):
    assert "norm4 has 4 features" in sw("stream", "norm4", "--port", port, "--output", tmp_path / "m.npz", code=1)


def test_a_port_that_is_not_there_is_named():
    assert "/dev/nowhere" in sw("stream", "norm2", "--port", "/dev/nowhere", code=1)


def test_the_rule_trains_a_file_about_as_well_as_a_schedule_that_was_searched_for(tmp_path):
    """Triangles, which the schedule of norm4 brings to a Pearson of 0.4."""
    file, network = tmp_path / "file.csv", PRESETS["triangle"].network
    datasets.write(datasets.generate("triangle", 6000), file)
    split = load(file)
    found = []
    for chosen in (None, PRESETS["triangle"]):
        preset, _ = schedule_for(MemorySource(split), chosen, network)
        experiment = Experiment.begin(preset, split, seed=0, network=network)
        found.append(experiment.run(CompiledFixed(network, experiment.model.nodes), preset.phases).pearson)
    rule, searched = found
    assert rule > searched - 0.02 and rule > 0.9
