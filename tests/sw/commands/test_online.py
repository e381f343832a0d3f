"""`kanloom online`: streams from files, pipes and sockets."""

import json
import os
import signal
import socket
import subprocess
from threading import Thread

import numpy as np
import pytest

from sw.commands import online
from sw.commands.command_line import run
from sw.engine.prediction import Predictor
from sw.model import Model
from sw.online import forgetting
from tests.sw.commands.running import ROOT, command

RNG = np.random.default_rng(1)
FEATURES = RNG.uniform(-1, 1, (600, 4)).round(6)
TARGETS = np.where(np.arange(600) < 400, FEATURES[:, 0] * FEATURES[:, 1], 2 - FEATURES[:, 2]).round(6)
HEADER = "a,b,c,d,y"
LINES = [",".join(map(repr, [*map(float, row), float(target)])) for row, target in zip(FEATURES, TARGETS, strict=True)]


@pytest.fixture
def stream(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stream.csv").write_text("\n".join([HEADER, *LINES]) + "\n")
    return tmp_path


def predictions(path) -> np.ndarray:
    return np.genfromtxt(path, delimiter=",", skip_header=1)


def test_a_file_is_followed_and_the_model_goes_on_from_where_it_was(stream, capsys):
    assert run(["online", "stream.csv", "--drift", "page-hinkley", "--output", "out.csv", "--json", "out.json"]) == 0
    printed = capsys.readouterr().out
    figures, rows, model = (
        json.loads((stream / "out.json").read_text()),
        predictions("out.csv"),
        Model.load("online.npz"),
    )
    assert rows[:, 0].tolist() == list(range(2, 602)) and np.array_equal(rows[:, 1], TARGETS)
    error = np.abs(rows[:, 2] - TARGETS)
    assert figures["mean_absolute_error"] == pytest.approx(error.mean()) and figures["records"] == 600
    assert error[200:400].mean() < 0.5 * np.abs(TARGETS[200:400]).mean()
    assert figures["alarms"] and 400 < figures["alarms"][-1] < 500
    assert f"Drift: the error rose at record {figures['alarms'][-1]}." in printed and "network 4-64-1" in printed
    assert (model.feature_names, model.target_names) == (("a", "b", "c", "d"), ("y",))

    # The columns in another order, none of them learnt: all are predicted by the model as it is.
    (stream / "more.csv").write_text("d,y,c,b,a\n0.1,,0.2,0.3,0.4\n0.5,,0.6,0.7,0.8")
    assert run(["online", "more.csv", "--resume", "online.npz", "--output", "more-out.csv"]) == 0
    right = Predictor(model).predict(np.array([[0.4, 0.3, 0.2, 0.1], [0.8, 0.7, 0.6, 0.5]]))
    assert predictions("more-out.csv")[:, 2] == pytest.approx(right[:, 0], rel=1e-9)
    assert run(["online", "stream.csv", "--resume", "online.npz"]) == 0
    assert not np.array_equal(Model.load("online.npz").nodes[0], model.nodes[0])
    assert not (stream / "online.1.npz").exists()


def test_a_floating_point_model_goes_on_in_floating_point(stream):
    shape = "--network", "4-16-1", "--segments", "2,32", "--arithmetic", "float32"
    assert run(["train", "stream.csv", *shape, "--epochs", "1", "--output", "real.npz"]) == 0
    before = Model.load("real.npz")
    assert run(["online", "stream.csv", "--resume", "real.npz"]) == 0
    after = Model.load("real.npz")
    assert after.domains is not None and not np.array_equal(after.nodes[0], before.nodes[0])


def test_the_network_of_a_stream_can_be_chosen(stream, capsys):
    """A network of one layer, too."""
    single = ["online", "stream.csv", "--network", "4-1", "--segments", "16"]
    assert run([*single, "--json", "out.json"]) == 0
    assert "network 4-1 (16 segments, 16 bit), 68 parameters" in capsys.readouterr().out
    assert run([*single, "--resume", "online.npz"]) == 2
    assert "--resume MODEL brings its own network; leave out --network" in capsys.readouterr().err
    assert run(["online", "stream.csv", "--network", "3-8-1", "--save", "other.npz"]) == 1
    printed = capsys.readouterr().err
    assert "the stream has 4 features and 1 target; the network 3-8-1" in printed and "takes 3 and gives 1" in printed
    assert run(["online", "stream.csv", "--resume", "online.npz"]) == 0
    assert len(Model.load("online.npz").network.layers) == 1


def test_another_model_is_not_replaced(stream, capsys):
    for name in ("online.npz", "online.1.npz"):
        assert run(["online", "stream.csv", "--target", "d", "--ignore", "y"]) == 0
        assert f"The model is in {name}." in capsys.readouterr().out
    assert Model.load("online.1.npz").feature_names == ("a", "b", "c")


def test_lines_that_are_no_records_are_told_and_left_out(stream, capsys):
    bad = ["1,2,3", "a,b,c,d,e", "", "1,2,,4,5"] + ["x"] * 5
    (stream / "bad.csv").write_text("\r\n".join([HEADER, *LINES[:5], *bad, *LINES[5:10]]))
    assert run(["online", "bad.csv", "--output", "out.csv"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("a line is left out") == 5 and "'a' is no number" in printed
    assert "10 records, 10 of them learnt, 8 lines left out" in printed
    assert predictions("out.csv")[:, 0].tolist() == [*range(2, 7), *range(16, 21)]


def test_a_socket_is_followed_until_it_is_closed(stream, capsys):
    server = socket.create_server(("localhost", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            for start in range(0, 600, 45):  # in pieces that end within lines
                text = "\n".join([HEADER, *LINES])
                size = len(text) // 14 + 1
                connection.sendall(text[start // 45 * size : (start // 45 + 1) * size].encode())

    with server:
        Thread(target=serve, daemon=True).start()
        assert run(["online", f"tcp://localhost:{server.getsockname()[1]}", "--output", "socket.csv"]) == 0
    assert run(["online", "stream.csv", "--output", "file.csv"]) == 0
    assert (stream / "socket.csv").read_text() == (stream / "file.csv").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_that_is_interrupted_leaves_its_model(stream, number):
    words = command("online", "-", "--output", "live.csv")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write("\n".join([HEADER, *LINES[:100], ""]))
        process.stdin.flush()
        next(line for line in process.stdout if line.startswith("Predicting y from a, b, c, d"))
        process.send_signal(number)
        printed, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told
    assert "100 records, 100 of them learnt" in printed and Model.load("online.npz").target_names == ("y",)
    assert len(predictions("live.csv")) == 100


@pytest.mark.parametrize(
    "arguments, code, error",
    [
        (["stream.csv", "--target", "z"], 1, "the header lacks z; it names a, b, c, d, y"),
        (["stream.csv", "--resume", "m.npz", "--target", "y"], 2, "--resume MODEL brings its own columns"),
        (["stream.csv", "--output", "stream.csv"], 1, "stream.csv"),
        (["stream.csv", "--drift", "ddm"], 2, "invalid choice: 'ddm'"),
        (["none.csv"], 1, "none.csv: No such file"),
        (["tcp://localhost"], 1, "not of the form tcp://HOST:PORT"),
        (["tcp://localhost:1"], 1, "tcp://localhost:1: Connection refused"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(stream, capsys, arguments, code, error):
    try:
        assert run(["online", *arguments]) == code
    except SystemExit as exit:
        assert exit.code == code
    told = capsys.readouterr().err
    assert error in told and told.count("\n") == 1
    assert [path.name for path in stream.iterdir()] == ["stream.csv"]


def test_without_river_the_extra_is_named(stream, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "river", None)
    assert run(["online", "stream.csv", "--drift", "adwin"]) == 1
    assert 'online needs river, which is not installed: pip install "kanloom[online]"' in capsys.readouterr().err


def test_an_empty_stream_leaves_no_model(stream, capsys):
    (stream / "empty.csv").write_text("")
    assert run(["online", "empty.csv"]) == 0
    assert "No record was learnt" in capsys.readouterr().out and not (stream / "online.npz").exists()


def test_the_detectors_are_those_of_the_learner():
    assert set(online.DETECTORS) == set(forgetting.DETECTORS)
