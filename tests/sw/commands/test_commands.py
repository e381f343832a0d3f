"""`python -m sw` as a user types it."""

import csv
import io
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sw import datasets
from sw.engine.conversion import as_floating
from sw.model import Model
from sw.oracle.fixed import FixedReference

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("--records", 2000, "--holdout", 300)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sw", *map(str, arguments)]


def sw(*arguments: object, code: int = 0) -> str:
    """What it printed: to stdout, or what is wrong."""
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained model, model.npz, the figures of its training, and two files of records."""
    folder = tmp_path_factory.mktemp("commands")
    sw("train", "norm2", *SMALL, "--epochs", 5, "--save", folder / "model.npz", "--json", folder / "train.json")
    records = datasets.generate("norm2", 400, seed=3)
    for suffix in (".csv", ".npy"):
        datasets.write(records, folder / f"norm{suffix}")
    return folder


def true_predictions(model: Model, features: np.ndarray) -> np.ndarray:
    arguments = model.encode(features, np.zeros((len(features), 1))).arguments
    return model.decode(FixedReference(model.network, model.nodes).predict(arguments))


def test_train_keeps_the_best_model_and_writes_every_figure(folder):
    figures, model = json.loads((folder / "train.json").read_text()), Model.load(folder / "model.npz")
    assert figures["records"] == 2000 and figures["holdout"] == 300 and figures["epochs"] == 5
    assert figures["arithmetic"] == "fixed16" and not figures["stopped"] and figures["pearson"] > 0.99
    errors = [row["rmse"] for row in figures["history"]]
    assert [row["records"] for row in figures["history"]] == [2000, 4000, 6000, 8000, 10000]
    assert figures["rmse"] == min(errors) and errors[figures["best_epoch"] - 1] == min(errors)
    assert model.history is not None and model.history["rmse"].tolist() == errors
    holdout = datasets.generate("norm2", 300, split="holdout")
    error = np.sqrt(np.mean((true_predictions(model, holdout.features) - holdout.targets) ** 2))
    assert error == pytest.approx(figures["rmse"])


def test_train_on_a_file_with_a_network_and_a_strategy_of_ones_own(folder, tmp_path):
    saved, figures = tmp_path / "own.npz", tmp_path / "own.json"
    sw(
        *("train", folder / "norm.csv", "--targets", "x1", "--network", "2-6-1", "--segments", "2/16", "--epochs", 1),
        *("--pretrain", "2:1", "--threads", 2, "--models", 3, "--round-records", 50, "--merge", "pairs"),
        *("--relaxation", 1.2, "--save", saved, "--json", figures),
    )
    report, model = json.loads(figures.read_text()), Model.load(saved)
    assert str(model.network).startswith("2-6-1 (2/16") and model.target_names == ("x1",)
    assert (report["models"], report["threads"], report["merge"]) == (3, 2, "pairs")
    assert [row["pretraining"] for row in report["history"]] == [True, False]


def test_data_without_a_preset_has_a_network_by_default_and_a_name_for_its_model(folder, tmp_path):
    done = subprocess.run(
        command("train", folder / "norm.npy", "--epochs", 1), cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Model.load(tmp_path / "norm.npz").network.features == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_leaves_its_best_model(tmp_path, number):
    saved, figures = tmp_path / "stopped.npz", tmp_path / "stopped.json"
    train = command("train", "norm2", "--records", 50000, "--epochs", 100000, "--save", saved, "--json", figures)
    with subprocess.Popen(train, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "50,000 records" in line)
        process.send_signal(number)
        printed = process.stdout.read()
    assert process.returncode == 130 and "Stopped" in printed
    report, model = json.loads(figures.read_text()), Model.load(saved)
    assert report["stopped"] and model.history is not None
    assert report["rmse"] == min(row["rmse"] for row in report["history"]) == model.history["rmse"].min()


@pytest.mark.parametrize("suffix", [None, ".csv", ".npy", ".parquet"])
def test_predict_gives_what_the_oracle_gives(folder, tmp_path, suffix):
    model, records = Model.load(folder / "model.npz"), datasets.generate("norm2", 400, seed=3)
    expected = true_predictions(model, records.features)
    if suffix is None:
        header, *rows = csv.reader(io.StringIO(sw("predict", folder / "model.npz", folder / "norm.csv")))
        assert header == ["norm"] and np.array_equal(np.array(rows, float), expected)
        return
    output = tmp_path / f"predicted{suffix}"
    sw("predict", folder / "model.npz", folder / "norm.csv", "--output", output, "--threads", 2)
    assert np.array_equal(datasets.files.read(output).values, expected)


def test_predict_finds_features_by_name_or_takes_all_columns_in_order(folder, tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    expected = true_predictions(Model.load(folder / "model.npz"), x)
    files = tmp_path / "named.csv", tmp_path / "others.csv", tmp_path / "none.npy"
    np.savetxt(files[0], np.column_stack([x[:, 1], x[:, 0], x[:, 0]]), delimiter=",", header="x2,more,x1", comments="")
    np.savetxt(files[1], x, delimiter=",", header="height,width", comments="")
    np.save(files[2], x)
    for file in files:
        output = tmp_path / "predicted.npy"
        sw("predict", folder / "model.npz", file, "--output", output)
        assert np.array_equal(np.load(output), expected)


def test_predict_takes_floating_point_models(folder, tmp_path):
    model, records = Model.load(folder / "model.npz"), datasets.generate("norm2", 400, seed=3)
    as_floating(model).save(tmp_path / "float.npz")
    sw("predict", tmp_path / "float.npz", folder / "norm.npy", "--output", tmp_path / "predicted.npy", code=1)
    sw("predict", tmp_path / "float.npz", folder / "norm.csv", "--output", tmp_path / "predicted.npy")
    assert np.allclose(np.load(tmp_path / "predicted.npy"), true_predictions(model, records.features), atol=2e-3)


def test_info_says_what_the_model_is(folder, tmp_path):
    printed = sw("info", folder / "model.npz", "--json", tmp_path / "info.json")
    figures = json.loads((tmp_path / "info.json").read_text())
    assert "2-8-1" in printed and "344" in printed and "fixed16" in printed and "10,000 records" in printed
    assert figures["parameters"] == 344 and figures["version"] == 1 and len(figures["history"]) == 5
    assert [each["name"] for each in figures["features"] + figures["targets"]] == ["x1", "x2", "norm"]
    assert all(-1 <= each["low"] < -0.9 for each in figures["features"])


@pytest.mark.parametrize(
    ("kind", "suffix"), [("network", ".png"), ("network", ".svg"), ("convergence", ".png"), ("predictions", ".svg")]
)
def test_plots_are_drawn(folder, tmp_path, kind, suffix):
    output = tmp_path / f"plot{suffix}"
    sw("plot", folder / "model.npz", "norm2", *SMALL, "--kind", kind, "--output", output)
    content = output.read_bytes()
    assert len(content) > 5000 and (content.startswith(b"\x89PNG") or b"<svg" in content)


def test_bench_measures_and_compares(tmp_path):
    source, figures = tmp_path / "baseline.c", tmp_path / "bench.json"
    source.write_text(
        r"""#include <stdio.h>
        int main(int n, char **arguments) {
            printf("{\"ns_per_update\": 50, \"pearson\": 0.9%s}", arguments[1]);
            return 0;
        }
        """
    )
    bench = ("bench", "norm2", *SMALL, "--epochs", 2, "--seeds", 2, "--turns", 3, "--json", figures)
    sw(*bench, "--threads", 1, "--baseline", source)
    report = json.loads(figures.read_text())
    assert (report["threads"], report["records"], report["epochs"], report["arithmetic"]) == (1, 2000, 2, "fixed16")
    assert report["pearson"] == pytest.approx(np.mean(report["pearson_of_seeds"])) and report["pearson"] > 0.97
    assert 1 < report["ns_per_update"] < 1e6
    assert report["ratio"] == pytest.approx(report["ns_per_update"] / 50) and len(report["ratios"]) == 3
    assert report["yardstick_pearson"] == pytest.approx(0.92)


def test_bench_of_threads_says_what_the_machine_could_do(tmp_path):
    figures = tmp_path / "bench.json"
    sw("bench", "norm2", *SMALL, "--epochs", 2, "--seeds", 1, "--turns", 2, "--threads", 2, "--json", figures)
    report = json.loads(figures.read_text())
    assert report["models"] == report["threads"] == 2
    assert report["speedup"] > 0 and 0 < report["speedup_of_processes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing"], "unknown data set 'nothing'"),
        (["train", "norm2", "--epochs", 0], "0 epochs"),
        (["train", "norm2", "--network", "nothing"], "there is no preset 'nothing'"),
        (["train", "norm2", "--network", "3-8-1"], "norm2 has 2 features"),
        (["train", "norm2", "--segments", "2/16/16"], "segments 2/16/16"),
        (["train", "norm2", "--threads", 0], "threads 0"),
        (["train", "norm2", "--pretrain", "8:1"], "groups of 8 addends"),
        (["train", "norm2", "--save", "no/folder.npz"], "there is no folder no"),
        (["predict", "none.npz", "none.csv"], "none.npz: No such file"),
        (["predict", "MODEL", "none.csv"], "none.csv: there is no such file"),
        (["predict", "MODEL", "FILE", "--output", "x.txt"], "x.txt does not end in .csv, .npy, .parquet"),
        (["predict", "MODEL", "FILE.npy"], "has no column x1, x2"),
        (["info", "FILE.npy"], "is no kanloom model"),
        (["plot", "MODEL", "--output", "x.gif"], "x.gif does not end in .png, .svg"),
        (["plot", "MODEL", "--kind", "predictions", "--output", "x.png"], "predictions are of a data set's hold-out"),
        (["bench", "norm2", "--seeds", 0], "seeds 0"),
        (["bench", "norm2", *SMALL, "--baseline", "none.c"], "none.c: there is no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder, arguments, message):
    names = {"MODEL": folder / "model.npz", "FILE": folder / "norm.csv", "FILE.npy": folder / "norm.npy"}
    printed = sw(*(names.get(argument, argument) for argument in arguments), code=1)
    assert printed.startswith("error: ") and message in printed and printed.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["fly"], ["train"], ["train", "norm2", "--pretrain", "6"], ["plot", "model.npz"]]
)
def test_wrong_usage_is_another_code(arguments):
    assert "usage: " in sw(*arguments, code=2)


def test_commands_start_fast(folder):
    """Processor time, so that other work on the machine does not count."""

    def seconds(*arguments: object) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        sw(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert seconds("info", folder / "model.npz") < 1.5
    assert seconds("train", "norm2", *SMALL, "--epochs", 1, "--save", folder / "again.npz") < 1.5


def test_info_imports_neither_numba_nor_matplotlib(folder):
    code = (
        f"import sys; from sw.__main__ import main; main(['info', {str(folder / 'model.npz')!r}]); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "sw.model" in done.stdout and "numba" not in done.stdout and "matplotlib" not in done.stdout


def parameters(checkpoint: Path) -> np.ndarray:
    with np.load(checkpoint) as file:
        return file["parameters"]


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_end(tmp_path):
    killed, whole = tmp_path / "killed.ck", tmp_path / "whole.ck"
    train = ["train", "norm2", *SMALL, "--epochs", 3000, "--save", tmp_path / "model.npz", "--checkpoint"]
    with subprocess.Popen(
        command(*train, killed, "--checkpoint-seconds", 0), cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not (tmp_path / "killed.ck.previous").exists():
            pass
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert "Going on from" in sw(*train, killed)
    sw(*train, whole)
    np.testing.assert_array_equal(parameters(killed), parameters(whole))
    assert "has ended" in sw(*train, whole, code=1)
    other = sw("train", "norm2", *SMALL, "--epochs", 2, "--checkpoint", whole, "--save", tmp_path / "b.npz", code=1)
    assert "another training" in other


def test_processes_of_mpi_come_to_what_one_process_does(tmp_path):
    train = ["train", "norm2", *SMALL, "--epochs", 3, "--round-records", 100, "--save"]
    mpiexec = Path(sys.executable).parent / "mpiexec"
    done = subprocess.run(
        [mpiexec, "-n", "2", *command(*train, tmp_path / "two.npz")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("The best model is in") == 1
    sw(*train, tmp_path / "one.npz", "--models", 2)
    ours, theirs = (Model.load(tmp_path / name).nodes for name in ("one.npz", "two.npz"))
    assert all(map(np.array_equal, ours, theirs))
