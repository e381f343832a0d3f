"""`kanloom online --port`: a board follows the stream, bit for bit as the oracle with its staleness does."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sw.commands.starting import for_network
from sw.device.client import BoardClient
from sw.engine.conversion import as_floating
from sw.model import Model
from sw.online.beginning import first_learner, next_learner
from sw.online.trainer_follower import TrainerFollower
from sw.oracle.contexts import ContextReference
from sw.presets.by_size import default_preset
from sw.spec.configuration import Configuration
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from tests.sw.commands.running import ROOT, command, sw
from tests.sw.online.streams import FEATURES, NETWORK, TARGETS, trained

RECORDS = FEATURES[:20]
PRODUCTS = RECORDS[:, :1] * RECORDS[:, 1:]
LINES = ["a,b,y", *(f"{a!r},{b!r},{a * b!r}" for a, b in RECORDS.tolist())]


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.csv"
    path.write_text("\n".join([*LINES, "0.25,-0.5,"]))
    return path


@pytest.fixture(scope="module")
def configuration(port: str) -> Configuration:
    """What the board says of itself."""
    with BoardClient.open(port) as board:
        return board.configuration


def oracle_of(configuration: Configuration) -> ContextReference:
    """A board's oracle; a learner sets its nodes."""
    return ContextReference.of(configuration, random_nodes(configuration.network, np.random.default_rng(9)))


def test_a_learner_on_a_board_has_the_bits_of_the_oracle(port, configuration):
    """On a stream with values beyond the ranges, missing targets and an alarm."""
    pieces = np.split(np.arange(len(FEATURES)), [1, 9])
    with BoardClient.open(port) as board:
        learners = [trained(partial(TrainerFollower, trainer=each)) for each in (board, oracle_of(configuration))]
        ours, theirs = (
            [each.predict_then_learn(FEATURES[rows], TARGETS[rows]) for rows in pieces] for each in learners
        )
        model, right = (each.model for each in learners)
    assert all(map(np.array_equal, ours, theirs)) and all(map(np.array_equal, model.nodes, right.nodes))
    assert learners[0].alarms == learners[1].alarms != []
    assert model.scaling.feature_high[1] == right.scaling.feature_high[1] > 2


def test_a_board_follows_a_stream_and_goes_on_from_its_model(port, configuration, stream, tmp_path):
    files = "--save", tmp_path / "m.npz", "--output", tmp_path / "out.csv", "--json", tmp_path / "out.json"
    printed = sw("online", stream, "--port", port, *files)
    assert "network 2-8-1 (4/32 segments, 16 bit) on icebreaker, 344 parameters" in printed
    assert "21 records, 20 of them learnt" in printed and "The board trained for " in printed
    figures, model = json.loads((tmp_path / "out.json").read_text()), Model.load(tmp_path / "m.npz")
    assert figures["board"] == "icebreaker" and figures["cycles"] > 0 and figures["link_errors"]["crc_errors"] == 0

    preset = for_network(default_preset(2, 1, 10_000), NETWORK)
    learner = first_learner(preset, ("a", "b"), ("y",), trainer=oracle_of(configuration))
    features, targets = np.vstack([RECORDS, [0.25, -0.5]]), np.vstack([PRODUCTS, [np.nan]])
    predictions = learner.predict_then_learn(features, targets)
    assert np.genfromtxt(tmp_path / "out.csv", delimiter=",", skip_header=1)[:, -1] == pytest.approx(predictions[:, 0])
    assert all(map(np.array_equal, model.nodes, learner.model.nodes)) and model.target_names == ("y",)

    sw("online", stream, "--port", port, "--resume", tmp_path / "m.npz")
    learner = next_learner(model, preset, trainer=oracle_of(configuration))
    learner.predict_then_learn(features, targets)
    assert all(map(np.array_equal, Model.load(tmp_path / "m.npz").nodes, learner.model.nodes))


@contextmanager
def following(port: str, model: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has learnt 8 records from standard input, has printed their predictions, and waits for more."""
    words = command("online", "-", "--port", port, "--save", model, "--output", "/dev/stdout", "--quiet")
    words += ["--reconnect", "1"]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdin and process.stdout
            process.stdin.write("\n".join([*LINES[:9], ""]))
            process.stdin.flush()
            assert [process.stdout.readline().partition(",")[0] for _ in range(9)] == ["line", *map(str, range(2, 10))]
            yield process
        finally:
            process.kill()


def test_a_board_that_is_told_to_stop_gives_its_model(port, tmp_path):
    with following(port, tmp_path / "m.npz") as process:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "8 records, 8 of them learnt" in printed
    sw("load", "--read", tmp_path / "read.npz", "--like", tmp_path / "m.npz", "--port", port)
    saved, read = Model.load(tmp_path / "m.npz"), Model.load(tmp_path / "read.npz")
    assert all(map(np.array_equal, saved.nodes, read.nodes))


def test_a_board_that_is_lost_leaves_the_model_that_was_read_last(board, tmp_path):
    with following(board.port, tmp_path / "m.npz") as process:
        os.kill(board._process.pid, signal.SIGKILL)
        _, printed = process.communicate("\n".join([*LINES[9:12], ""]), timeout=60)
    assert process.returncode == 1, printed
    saved, error = printed.splitlines()
    assert saved == f"the model after 8 records is in {tmp_path / 'm.npz'}." and error.startswith("error: ")
    assert Model.load(tmp_path / "m.npz").network == NETWORK


def test_a_stream_or_a_model_that_does_not_fit_the_board_is_refused(port, folder, tmp_path):
    wide, other = tmp_path / "wide.csv", tmp_path / "other.npz"
    wide.write_text("a,b,c,y\n1,2,3,4\n")
    model = Model.load(folder / "model.npz")
    network = Network.two_layer(2, 4, (4, 32), gain=0)
    Model(network, model.scaling, random_nodes(network, np.random.default_rng(5)), 1, ("a", "b"), ("y",)).save(other)
    save = "--save", tmp_path / "m.npz", "--quiet"
    has = "network 2-8-1 (4/32 segments, 16 bit)"
    assert sw("online", wide, "--port", port, *save, code=1) == (
        f"error: the stream has 3 features and 1 target; the board's {has} takes 2 and gives 1\n"
    )
    assert sw("online", wide, "--port", port, *save, "--resume", other, code=1) == (
        f"error: {other} is a model of the network 2-4-1 (4/32 segments, 16 bit); the board at {port} has the {has}\n"
    )
    assert not (tmp_path / "m.npz").exists()


def test_what_is_wrong_is_said_before_a_board_is_looked_for(folder, stream, tmp_path):
    as_floating(Model.load(folder / "model.npz")).save(tmp_path / "float.npz")
    port = "--port", "/dev/nowhere"
    assert "float.npz is a floating-point model" in sw(
        "online", stream, *port, "--resume", tmp_path / "float.npz", code=1
    )
    assert "name the board by --port" in sw("online", stream, "--baud", 115200, code=2)
    assert "/dev/nowhere" in sw("online", stream, *port, "--save", tmp_path / "m.npz", code=1)
