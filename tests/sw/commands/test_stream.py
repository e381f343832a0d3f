"""`kanloom stream`: a board is trained with the schedule that fits the data."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

from sw import datasets
from sw.commands.stream import groups_for, schedule_for
from sw.datasets import MemorySource, load
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.model import Model
from sw.presets.by_size import default_preset
from sw.presets.catalogue import PRESETS
from sw.presets.depth import HEADROOM, deep_spreads
from sw.spec.network import Network
from tests.sw.commands.running import ROOT, SMALL, command, sw


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


def streaming(port, output, *arguments):
    """A training that takes a while, and has come to its first epochs."""
    words = command("stream", "norm2", "--port", port, "--records", 200, "--holdout", 100, "--epochs", 100_000)
    words += map(str, ("--output", output, *arguments))
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "100000 epochs by" in process.stdout.readline()
    time.sleep(3)
    return process


def wait_for(path):
    """Until a file is there."""
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"no {path} after 30 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_board_that_is_told_to_stop_gives_its_model(port, tmp_path, number):
    output = tmp_path / "model.npz"
    with streaming(port, output) as process:
        process.send_signal(number)
        _, printed = process.communicate(timeout=30)
    assert process.returncode == 130, printed
    what, stopped = printed.splitlines()
    assert re.fullmatch(rf"the board's nodes after \d+ of 100000 epochs .* are in {output}\.", what)
    assert stopped == "stopped"
    sw("load", "--read", tmp_path / "read.npz", "--like", output, "--port", port)
    model, read = Model.load(output), Model.load(tmp_path / "read.npz")
    assert all(map(np.array_equal, model.nodes, read.nodes)) and model.feature_names == ("x1", "x2")


def test_a_board_goes_on_from_a_model(port, folder, tmp_path):
    """An epoch of so few records does not come to this from the start."""
    few = "--port", port, "--records", 200, "--holdout", 100, "--epochs", 1
    files = "--output", tmp_path / "more.npz", "--json", tmp_path / "more.json"
    printed = sw("stream", "norm2", *few, *files, "--from", folder / "model.npz", "--quiet")
    assert re.fullmatch(rf"Pearson .* on 100 unseen records. .*\nThe model is in {tmp_path / 'more.npz'}\.\n", printed)
    assert json.loads((tmp_path / "more.json").read_text())["pearson"] > 0.98
    other = sw("stream", "triangle", *few, "--from", folder / "model.npz", code=1)
    assert "triangle has 6 features and 1 target" in other


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_board_that_is_lost_leaves_the_nodes_that_were_read_last(board, folder, tmp_path, number):
    """Another model that is in the file stays there."""
    output = tmp_path / "model.npz"
    shutil.copy(folder / "model.npz", output)
    kept = tmp_path / "nodes"
    with streaming(board.port, output, "--reconnect", 1, "--checkpoint", kept) as process:
        wait_for(kept)
        os.kill(board._process.pid, number)
        _, printed = process.communicate(timeout=60)
        os.kill(board._process.pid, signal.SIGCONT)
    assert process.returncode == 1, printed
    lost, saved, error = (line for line in printed.splitlines() if not line.startswith("training: "))
    assert lost.startswith("the link is lost: ") and lost.endswith("the board is looked for, 1 s long")
    assert f"the last that were read from the board, are in {tmp_path / 'model.1.npz'}" in saved
    assert error.startswith("error: ") and board.port in error
    assert output.read_bytes() == (folder / "model.npz").read_bytes()
    start, rescued = Model.load(output), Model.load(tmp_path / "model.1.npz")
    assert not any(map(np.array_equal, start.nodes, rescued.nodes))


def test_a_training_that_was_killed_goes_on_from_its_checkpoint_to_the_same_bits(board, tmp_path):
    """Also on a board that was reset meanwhile. A checkpoint of another training is refused."""
    few = "--port", board.port, "--records", 200, "--holdout", 100, "--epochs", 12, "--output", tmp_path / "m.npz"
    kept = "--checkpoint", tmp_path / "nodes", "--checkpoint-seconds", 0
    with subprocess.Popen(command("stream", "norm2", *few, *kept), cwd=ROOT) as process:
        wait_for(tmp_path / "nodes")
        process.kill()
    assert not (tmp_path / "m.npz").exists()
    board.reset()
    printed = sw("stream", "norm2", *few, *kept)
    done = re.search(r"Going on from .*: ([\d,]+) record updates are done", printed)
    assert done and 200 <= int(done[1].replace(",", "")) < 2400 and int(done[1].replace(",", "")) % 200 == 0
    sw("stream", "norm2", *few[:-1], tmp_path / "whole.npz")
    ours, whole = Model.load(tmp_path / "m.npz"), Model.load(tmp_path / "whole.npz")
    assert all(map(np.array_equal, ours.nodes, whole.nodes))
    other = sw("stream", "norm2", *few, *kept, "--seed", 5, "--force", code=1)
    assert "nodes is of another training: other records, or records in another order; other first nodes" in other


@pytest.mark.parametrize("network", [Network.two_layer(2, 8, (4, 32), gain=0), Network.chain((2, 6, 4, 1), (2, 4, 8))])
def test_the_schedule_is_the_datas_and_the_network_the_boards(folder, network):
    file = MemorySource(load(folder / "norm.csv"))
    preset, _ = schedule_for(file, None, network)
    rule = default_preset(2, 1, 320)
    assert preset.network == network and preset.robust
    assert [phase.epochs for phase in preset.phases] == [phase.epochs for phase in rule.phases]
    for phase in preset.phases:
        phase.rates.check(network)
    if len(network.layers) == 2:
        assert (preset.phases, preset.headroom) == (rule.phases, rule.headroom)
    else:
        assert (preset.spreads, preset.headroom) == (deep_spreads(3), HEADROOM)
    named, _ = schedule_for(MemorySource(load("norm2", records=100, holdout=10)), None, network)
    assert [phase.epochs for phase in named.phases] == [phase.epochs for phase in PRESETS["norm2"].phases]
    chosen, name = schedule_for(file, PRESETS["norm8"], network)
    assert chosen.phases[0].epochs == PRESETS["norm8"].phases[0].epochs and "norm8" in name


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
