"""CPU seconds until unseen records are predicted well, beside other methods.

    python scripts/studies/time_to_pearson.py det4

Counted is the process time of all threads, from the first parameters on, with compiled kernels. Not counted are making,
scaling and encoding the records, and the evaluation on the hold-out, four times an epoch.
"""

import argparse
import importlib.util
import itertools
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

from scripts.studies.figures import add_json, check_outputs
from sw import datasets
from sw.datasets import Split
from sw.engine.conversion import compiled_trainer
from sw.engine.encoder import Encoder
from sw.engine.order import orders
from sw.experiment import Experiment
from sw.metrics import pearson
from sw.outputs import write_json
from sw.presets import catalogue as presets
from sw.presets.preset import stretched
from sw.spec.bounds import RECORDS, SEEDS, SHARE
from sw.spec.options import real, whole
from sw.spec.schedule import steps

STEPS = 4  # of an epoch, after each of which the hold-out is predicted
PATIENCE = 4  # schedules long: then a run is given up
HIDDEN = 128, 128
SETTINGS = [{"learning_rate": rate, "batch": batch} for batch in (200, 500) for rate in (0.001, 0.003, 0.01)]
EPOCHS = 40  # of a perceptron: then a run is given up


class Contender(ABC):
    """A model to train, with its records ready; a new one for each run."""

    @abstractmethod
    def steps(self) -> Iterator[None]:
        """Train from the first parameters, `1 / STEPS` of an epoch before each yield."""

    @abstractmethod
    def predict(self) -> np.ndarray:
        """Predict the hold-out, up to a linear map: (n, outputs)."""


class Kanloom(Contender):
    """Newton-Kaczmarz by the data set's preset, in 16-bit fixed point: one model on one thread."""

    def __init__(self, split: Split, seed: int):
        preset = presets.find(split.train.name)
        model = Experiment.begin(preset, split, seed=seed).model
        self._preset, self._model, self._trainer = preset, model, compiled_trainer(model, "fixed16")
        order = next(orders("shuffled", np.arange(len(split.train)), np.random.default_rng(seed)))
        train, holdout = split.train.take(order), split.holdout
        encoder = Encoder(model, self._trainer)
        self._records = encoder.records(train.features, train.targets)
        self._holdout = encoder.arguments(holdout.features)

    def prepare(self) -> None:
        """Compile the kernels, or load them."""
        self._trainer.prepare()

    def steps(self) -> Iterator[None]:
        """Train from the first parameters."""
        self._trainer = compiled_trainer(self._model, "fixed16")
        epochs = PATIENCE * sum(phase.epochs for phase in self._preset.phases)
        for step in steps(stretched(self._preset.phases, epochs), self._records.split(STEPS)):
            self._trainer.run(step.shard, step.epoch.phase.rates)
            yield

    def predict(self) -> np.ndarray:
        """Predict the hold-out."""
        return self._model.decode(self._trainer.results(self._holdout))


class Standardised(Contender):
    """A perceptron with layers `HIDDEN`, trained by Adam on records of mean 0 and deviation 1, in float32."""

    def __init__(self, split: Split, seed: int, settings: dict[str, Any]):
        train, self._seed, self._settings = split.train, seed, settings
        centre, deviation = train.features.mean(axis=0), train.features.std(axis=0)
        self._features, self._holdout = (
            ((records.features - centre) / deviation).astype(np.float32) for records in (train, split.holdout)
        )
        self._targets = ((train.targets - train.targets.mean(axis=0)) / train.targets.std(axis=0)).astype(np.float32)


class SklearnPerceptron(Standardised):
    """scikit-learn's `MLPRegressor`."""

    def steps(self) -> Iterator[None]:
        """Train from the first parameters."""
        self._model = MLPRegressor(
            hidden_layer_sizes=HIDDEN,
            learning_rate_init=self._settings["learning_rate"],
            batch_size=self._settings["batch"],
            random_state=self._seed,
        )
        targets = self._targets[:, 0] if self._targets.shape[1] == 1 else self._targets
        slices = np.array_split(np.arange(len(targets)), STEPS)
        for rows in itertools.chain.from_iterable(itertools.repeat(slices, EPOCHS)):
            self._model.partial_fit(self._features[rows], targets[rows])
            yield

    def predict(self) -> np.ndarray:
        """Predict the hold-out."""
        return self._model.predict(self._holdout).reshape(len(self._holdout), -1)


class TorchPerceptron(Standardised):
    """The same perceptron in PyTorch."""

    def steps(self) -> Iterator[None]:
        """Train from the first parameters."""
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        torch.manual_seed(self._seed)
        features, targets = torch.from_numpy(self._features), torch.from_numpy(self._targets)
        widths = [features.shape[1], *HIDDEN]
        layers = [
            layer
            for before, after in itertools.pairwise(widths)
            for layer in (torch.nn.Linear(before, after), torch.nn.ReLU())
        ]
        self._model = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], targets.shape[1]))
        adam = torch.optim.Adam(self._model.parameters(), self._settings["learning_rate"])
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(targets)).chunk(STEPS):
                for batch in rows.split(self._settings["batch"]):
                    adam.zero_grad(set_to_none=True)
                    torch.nn.functional.mse_loss(self._model(features[batch]), targets[batch]).backward()
                    adam.step()
                yield

    def predict(self) -> np.ndarray:
        """Predict the hold-out."""
        torch = importlib.import_module("torch")
        with torch.no_grad():
            return self._model(torch.from_numpy(self._holdout)).numpy()


BASELINES: dict[str, type[Standardised]] = {"mlp": SklearnPerceptron, "torch": TorchPerceptron}


@dataclass(frozen=True)
class Run:
    """The end of a run.

    Attributes
    ----------
    seconds : float or None
        CPU seconds until the target was reached; None if it was not.
    epochs : float
        Epochs until then.
    pearson : float
        Pearson correlation on the hold-out at the end.
    """

    seconds: float | None
    epochs: float
    pearson: float


def race(contender: Contender, truth: np.ndarray, target: float, most: float = np.inf) -> Run:
    """Train until the hold-out is predicted as well as `target`, for `most` seconds of CPU at most."""
    seconds, reached, count, steps = 0.0, 0.0, 0, contender.steps()
    while seconds < most:
        begun = time.process_time()
        if next(steps, steps) is steps:
            break
        seconds, count = seconds + time.process_time() - begun, count + 1
        reached = pearson(contender.predict(), truth)
        if reached >= target:
            return Run(seconds, count / STEPS, reached)
    return Run(None, count / STEPS, reached)


def best_settings(kind: type[Standardised], split: Split, target: float) -> dict[str, Any]:
    """Find the settings that reach the target soonest; each of them has as much time as the best one before it."""
    best, most = SETTINGS[0], np.inf
    for settings in SETTINGS:
        run = race(kind(split, 0, settings), split.holdout.targets, target, most)
        if run.seconds is not None and run.seconds < most:
            best, most = settings, run.seconds
    return best


def mean_seconds(runs: list[Run]) -> float | None:
    """Return the mean time; None unless all runs reached the target."""
    seconds = [run.seconds for run in runs if run.seconds is not None]
    return float(np.mean(seconds)) if len(seconds) == len(runs) else None


def summary(name: str, settings: dict[str, Any], runs: list[Run]) -> dict[str, Any]:
    """Collect the figures of a contender's runs."""
    return {
        "name": name,
        "settings": settings,
        "cpu_seconds": mean_seconds(runs),
        "cpu_seconds_runs": [run.seconds for run in runs],
        "epochs": float(np.mean([run.epochs for run in runs])),
        "pearson": float(np.mean([run.pearson for run in runs])),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=sorted(presets.PRESETS), help="data set with a preset")
    parser.add_argument(
        "--target", type=real(*SHARE), default=0.97, help="Pearson on the hold-out; default: %(default)s"
    )
    parser.add_argument("--baseline", choices=BASELINES, nargs="*", default=["mlp"], help="default: mlp")
    parser.add_argument(
        "--seeds", type=whole(*SEEDS), default=6, help="runs, each with its own records; default: %(default)s"
    )
    parser.add_argument("--records", type=whole(*RECORDS), help="records to train on (default: the data set's)")
    parser.add_argument("--holdout", type=whole(*RECORDS), help="records to hold out (default: the data set's)")
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)
    console = Console(highlight=False)
    if "torch" in options.baseline and importlib.util.find_spec("torch") is None:
        console.print("[red]error:[/] PyTorch is not installed: pip install torch")
        return 1

    making, encoding = 0.0, 0.0
    runs: dict[str, list[Run]] = {name: [] for name in ("kanloom", *options.baseline)}
    settings: dict[str, dict[str, Any]] = {"kanloom": {}}
    with threadpool_limits(1):  # threads that wait for each other would count
        for seed in range(options.seeds):
            begun = time.process_time()
            split = datasets.load(options.dataset, records=options.records, holdout=options.holdout, seed=seed)
            made = time.process_time()
            contender = Kanloom(split, seed)
            making, encoding = making + made - begun, encoding + time.process_time() - made
            contender.prepare()
            truth = split.holdout.targets
            runs["kanloom"].append(race(contender, truth, options.target))
            for name in options.baseline:
                kind = BASELINES[name]
                if not seed:
                    settings[name] = best_settings(kind, split, options.target)
                runs[name].append(race(kind(split, seed, settings[name]), truth, options.target))

    rows = [summary(name, settings[name], runs[name]) for name in runs]
    figures = {
        "dataset": options.dataset,
        "target": options.target,
        "seeds": options.seeds,
        "records": len(split.train),
        "making_cpu_seconds": making / options.seeds,
        "encoding_cpu_seconds": encoding / options.seeds,
        "contenders": rows,
    }
    table = Table(
        title=f"CPU seconds to Pearson {options.target} on {len(truth)} unseen records of {options.dataset}, mean of "
        f"{options.seeds} runs",
        title_justify="left",
    )
    for column in ("", "settings", "CPU s", "ratio", "epochs", "Pearson"):
        table.add_column(column, justify="left" if column in ("", "settings") else "right")
    ours = rows[0]["cpu_seconds"]
    for row in rows:
        theirs = row["cpu_seconds"]
        table.add_row(
            row["name"],
            "\n".join(f"{name} {value}" for name, value in row["settings"].items()) or "preset",
            "not reached" if theirs is None else f"{theirs:.3f}",
            f"{theirs / ours:.1f}" if theirs and ours else "-",
            f"{row['epochs']:.2f}",
            f"{row['pearson']:.4f}",
        )
    console.print(table)
    console.print(
        f"Not counted: making the records, {figures['making_cpu_seconds']:.3f} s; encoding them for kanloom, "
        f"{figures['encoding_cpu_seconds']:.3f} s."
    )
    write_json(options.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
