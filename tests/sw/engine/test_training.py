"""What a training gives depends on its strategy alone; and that is what the oracle gives."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sw.datasets import Source, open_source
from sw.engine.compiled import CompiledFixed
from sw.engine.conversion import addend_slice, as_floating, compiled_trainer, parameters_of
from sw.engine.history import TrainingHistory
from sw.engine.strategy import Pretraining, Strategy
from sw.engine.training import State, Training
from sw.metrics import pearson, rmse
from sw.model import Model
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import UnquantisedTrainer
from sw.oracle.merging import Merging
from sw.spec.network import Layer, Network
from sw.spec.records import Records
from sw.spec.schedule import Phase, Position, Rates, epochs_in
from tests.trainings import FINE, LATER, NETWORK, PHASES, PRETRAINING, RATES, STRATEGIES, model_of, source_of, trained

ROOT = Path(__file__).resolve().parents[3]
SHARD = 300
SINGLE = Strategy(phases=PHASES, round_records=40)
FLOATS = ("float32", "float64")


def shuffled(model: Model, source: Source, seed: int = 0, size: int = SHARD) -> list[Records]:
    """The training records, shard by shard, in the order of every epoch."""
    shards = []
    for index, shard in enumerate(source.shards("train", size)):
        shard = shard.take(np.random.default_rng((seed, 0, index)).permutation(len(shard)))
        shards.append(model.encode(shard.features, shard.targets))
    return shards


@pytest.fixture
def source() -> Source:
    return source_of()


@pytest.fixture
def model(source) -> Model:
    return model_of(source)


@pytest.mark.parametrize("name", STRATEGIES)
def test_threads_change_nothing(source, model, name):
    """In pre-training, three threads have one group each, and one has all."""
    strategy = replace(STRATEGIES[name], models=3)
    results = [
        trained(Training(model, source, strategy, threads=threads, shard_records=SHARD)) for threads in (1, 2, 3)
    ]
    assert np.isfinite(results[0]).all() and not np.array_equal(results[0], parameters_of(model))
    assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("network", [NETWORK, FINE], ids=["whole steps", "fine"])
@pytest.mark.parametrize("pretraining", [None, PRETRAINING])
def test_one_model_is_the_oracle_on_the_same_records(source, model, network, pretraining):
    model = replace(model, network=network)
    oracle = FixedReference(network, model.nodes, pretraining=PRETRAINING.addends)
    for train, rates in ((oracle.pretrain, RATES), (oracle.train, RATES), (oracle.train, LATER)):
        for records in shuffled(model, source):
            if pretraining or train == oracle.train:
                train(records, rates)
    training = Training(model, source, replace(SINGLE, pretraining=pretraining), threads=2, shard_records=SHARD)
    trained(training)
    assert all(map(np.array_equal, training.model.nodes, oracle.nodes))


@pytest.mark.parametrize("arithmetic", FLOATS)
def test_one_model_in_floating_point_is_one_machine_on_the_same_records(source, model, arithmetic):
    floating = as_floating(model)
    trainer, unquantised = compiled_trainer(floating, arithmetic), UnquantisedTrainer(NETWORK, floating.nodes)
    for rates in (RATES, LATER):
        for records in shuffled(floating, source):
            trainer.train(records, rates)
            unquantised.train(records, rates)
    training = Training(model, source, replace(SINGLE, arithmetic=arithmetic), shard_records=SHARD)
    trained(training)
    assert all(map(np.array_equal, training.model.nodes, trainer.nodes))
    if arithmetic == "float64":
        assert all(
            np.allclose(ours, theirs) for ours, theirs in zip(training.model.nodes, unquantised.nodes, strict=True)
        )


@pytest.mark.parametrize("models", [1, 4])
@pytest.mark.parametrize("arithmetic", ["fixed16", "float64"])
def test_pretraining_is_each_group_alone(source, model, arithmetic, models):
    """At its own rates, however many models are merged later."""
    start = as_floating(model) if arithmetic == "float64" else model
    groups = [addend_slice(start, first, min(first + 3, 8)) for first in (0, 3, 6)]
    oracles = [
        (UnquantisedTrainer if start.domains else FixedReference)(group.network, group.nodes) for group in groups
    ]
    for records in shuffled(start, source):
        for oracle in oracles:
            oracle.train(records, RATES)
    strategy = Strategy(phases=(), pretraining=PRETRAINING, arithmetic=arithmetic, models=models, round_records=75)
    training = Training(model, source, strategy, shard_records=SHARD)
    trained(training)
    inner, outer = training.model.nodes
    same = np.allclose if start.domains else np.array_equal
    assert same(inner, np.concatenate([oracle.nodes[0] for oracle in oracles], axis=2))
    assert same(outer, np.concatenate([oracle.nodes[1] for oracle in oracles]))


@pytest.mark.parametrize("network", [NETWORK, FINE], ids=["whole steps", "fine"])
@pytest.mark.parametrize(("models", "rates"), [(2, RATES), (4, Rates((1,), (13,)))])
def test_models_merged_are_machines_merged_by_hand(source, model, network, models, rates):
    """Rounds of 40 records a model; in the next round each takes the slice of the one behind it. The rates of four are
    higher. A record has the chance word of its number in the training, whichever model trains on it."""
    model = replace(model, network=network)
    (records,) = shuffled(model, source, size=1000)
    nodes = model.nodes
    for number, start in enumerate(range(0, 700, 40 * models)):
        size = min(40 * models, 700 - start)
        after = []
        for index in range(models):
            place = (index + number) % models
            own = slice(start + size * place // models, start + size * (place + 1) // models)
            oracle = FixedReference(network, nodes)
            oracle.seek(own.start)
            oracle.train(Records(records.arguments[own], records.targets[own]), rates)
            after.append(oracle.nodes)
        nodes = [(sum(layers) + models // 2) // models for layers in zip(*after, strict=True)]
    training = Training(model, source, replace(SINGLE, models=models, phases=(Phase(1, RATES),)))
    trained(training)
    assert all(map(np.array_equal, training.model.nodes, nodes))


def test_shards_are_whole_rounds(source, model):
    for shard_records, expected in ((100, [160, 320, 480, 640, 700]), (400, [320, 640, 700]), (1000, [700])):
        training = Training(
            model, source, replace(SINGLE, models=4, phases=(Phase(1, RATES),)), shard_records=shard_records
        )
        assert [report.records for report in training.run()] == expected


@pytest.mark.parametrize("models", [1, 3])
@pytest.mark.parametrize("records", [1, 2, 7, 250])
@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_every_record_is_trained_once_an_epoch_and_no_other(monkeypatch, models, records, cache_bytes):
    seen: list[bytes] = []
    run = CompiledFixed.run

    def watched(trainer, encoded, rates):
        seen.extend(row.tobytes() for row in np.hstack([encoded.arguments.rows, encoded.targets]))
        return run(trainer, encoded, rates)

    monkeypatch.setattr(CompiledFixed, "run", watched)
    source = source_of(records)
    model = model_of(source)
    strategy = Strategy(phases=(Phase(3, RATES),), models=models, round_records=20)
    training = Training(model, source, strategy, threads=2, shard_records=90, cache_bytes=cache_bytes)
    for report in training.run():
        if report.epoch_done:
            wanted = np.vstack([np.hstack([r.arguments, r.targets]) for r in shuffled(model, source)])
            assert sorted(seen) == sorted(row.tobytes() for row in wanted.astype(np.int16))
            seen.clear()
    assert report.records == report.total == 3 * records and training.score().records == 150


@pytest.mark.parametrize("name", STRATEGIES)
def test_records_that_are_read_again_train_as_those_that_are_kept(source, model, name):
    strategy = replace(STRATEGIES[name], models=2)
    kept, read = (
        trained(Training(model, source, strategy, shard_records=SHARD, cache_bytes=size)) for size in (1 << 20, 0)
    )
    assert np.array_equal(kept, read)


@pytest.mark.parametrize("models", [1, 3])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_training_goes_on_from_any_of_its_states(source, model, name, models):
    strategy = replace(STRATEGIES[name], models=models)
    training = Training(model, source, strategy, shard_records=240)
    states = [training.state, *(training.state for _ in training.run())]
    assert len(states) == 1 + 3 * epochs_in(strategy.schedule())
    for state in states:
        resumed = Training(model, source, strategy, shard_records=240, threads=2, state=state)
        assert np.array_equal(trained(resumed), parameters_of(training.model))


@pytest.mark.parametrize(("models", "merge"), [(1, "mean"), (3, "mean"), (3, "pairs")])
def test_a_training_with_fine_bits_goes_on_from_any_of_its_states(source, model, models, merge):
    """The words of the records follow from its position, however many threads there are."""
    model = replace(model, network=FINE)
    strategy = replace(STRATEGIES["fixed16"], models=models, merging=Merging(merge))
    training = Training(model, source, strategy, shard_records=240)
    states = [training.state, *(training.state for _ in training.run())]
    for state in states:
        resumed = Training(model, source, strategy, shard_records=240, threads=3, state=state)
        assert np.array_equal(trained(resumed), parameters_of(training.model))


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_a_training_that_is_stopped_is_a_model_and_can_go_on(source, model, cache_bytes):
    strategy = replace(STRATEGIES["fixed16"], models=2)
    expected = trained(Training(model, source, strategy, shard_records=240))
    training = Training(model, source, strategy, shard_records=240, cache_bytes=cache_bytes)
    parameters = parameters_of(model)
    for _ in range(9):
        run = training.run()
        next(run)
        run.close()
        assert not np.array_equal(parameters_of(training.model), parameters)
        parameters = parameters_of(training.model)
        assert training.score().records == 150
    assert next(training.run(), None) is None
    assert np.array_equal(parameters, expected)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_score_is_that_of_all_predictions(source, model, name):
    training = Training(model, source, replace(STRATEGIES[name], models=3), threads=3, shard_records=70)
    trained(training)
    (holdout,) = source.shards("holdout", 1000)
    arguments = training.model.encode_features(holdout.features)
    trainer = compiled_trainer(training.model, STRATEGIES[name].arithmetic)
    predicted = training.model.decode(trainer.predict(arguments))
    for _ in range(2):
        score = training.score()
        assert score.pearson == pytest.approx(pearson(predicted, holdout.targets))
        assert score.rmse == pytest.approx(rmse(predicted, holdout.targets))


def test_reports_tell_where_it_stands(source, model):
    training = Training(model, source, STRATEGIES["fixed16"], shard_records=SHARD)
    reports = list(training.run())
    assert [report.records for report in reports] == [300, 600, 700, 1000, 1300, 1400, 1700, 2000, 2100]
    assert [(report.position.epoch, report.position.shard) for report in reports[:4]] == [
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
    ]
    assert [report.pretraining for report in reports] == [True] * 3 + [False] * 6
    assert [report.epoch_done for report in reports] == [False, False, True] * 3
    assert {(report.epochs, report.total) for report in reports} == {(3, 2100)}


@pytest.mark.parametrize("pretraining", [PRETRAINING, None])
@pytest.mark.parametrize("models", [1, 3])
@pytest.mark.parametrize("arithmetic", FLOATS)
def test_residuals_have_the_same_units_in_all_arithmetics(source, model, arithmetic, models, pretraining):
    strategies = [
        replace(SINGLE, arithmetic=each, pretraining=pretraining, models=models) for each in ("fixed16", arithmetic)
    ]
    fixed, floating = (next(Training(model, source, strategy, threads=2).run()) for strategy in strategies)
    assert floating.mean_residual == pytest.approx(fixed.mean_residual, rel=0.05)


def test_the_residual_is_the_machines(source, model):
    oracle = FixedReference(NETWORK, model.nodes)
    expected = [oracle.train(records, RATES).mean_residual for records in shuffled(model, source)]
    training = Training(model, source, replace(SINGLE, phases=(Phase(1, RATES),)), shard_records=SHARD)
    assert [report.mean_residual for report in training.run()] == expected


def test_compiling_kernels_is_no_training(monkeypatch, source, model):
    """Nor is loading them: neither before pre-training nor before the rounds."""
    monkeypatch.setattr(CompiledFixed, "prepare", lambda trainer: time.sleep(0.6))
    training, begun = Training(model, source, STRATEGIES["fixed16"]), time.monotonic()
    history = TrainingHistory(training)
    for report in training.run():
        history.follow(report)
    assert time.monotonic() - begun - history.seconds >= 2 * 0.6
    assert history.pace == pytest.approx(report.records / history.seconds)


@pytest.mark.parametrize("models", [1, 2, 5])
@pytest.mark.parametrize("merging", [Merging(), Merging("pairs"), Merging(relaxation=1.2)])
def test_it_learns(models, merging):
    source = source_of(4000)
    strategy = Strategy(phases=(Phase(6, RATES),), models=models, merging=merging, round_records=100)
    training = Training(model_of(source), source, strategy, threads=2)
    before = training.score().pearson
    trained(training)
    assert training.score().pearson > 0.9 > before


def test_the_start_is_not_changed(source, model):
    before = parameters_of(model)
    trained(Training(model, source, STRATEGIES["fixed16"]))
    assert np.array_equal(parameters_of(model), before)


DEEP = Network((Layer(4, 6, 4), Layer(6, 4, 8), Layer(4, 1, 8, gain=0)))


@pytest.mark.parametrize("addends", [0, 8, 100])
def test_groups_that_are_not_legal_are_named(source, model, addends):
    strategy = Strategy(phases=PHASES, pretraining=Pretraining(addends, 1, RATES))
    with pytest.raises(ValueError, match=f"groups of {addends} addends: .* 1 to 7"):
        Training(model, source, strategy)


def test_only_networks_of_two_layers_are_pretrained(source):
    with pytest.raises(ValueError, match="has 3 layers; only"):
        Training(model_of(source, DEEP), source, Strategy(phases=(), pretraining=PRETRAINING))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda source, model: Pretraining(2, 0, RATES), "epochs of pre-training 0 must be"),
        (lambda source, model: Strategy(phases=PHASES, models=0), "models 0"),
        (lambda source, model: Strategy(phases=PHASES, round_records=0), "round_records 0"),
        (lambda source, model: Strategy(phases=PHASES, seed=-1), "seed -1"),
        (lambda source, model: Strategy(phases=PHASES, models=10**5), "models 100000 must be .* from 1 to 4096"),
        (
            lambda source, model: Strategy(phases=PHASES, models=2.5),  # type: ignore[arg-type]
            r"models 2\.5 must be a whole number",
        ),
        (lambda source, model: Phase(10**8, RATES), "epochs 100000000 must be a whole number from 0 to 1000000"),
        (lambda source, model: Training(model, source, SINGLE, threads=10**5), "threads 100000 must be .* to 1024"),
        (lambda source, model: Training(model, source, SINGLE, shard_records=0), "shard_records 0 must be"),
        (lambda source, model: Merging(relaxation=float("nan")), "relaxation nan must be a number from 0.001 to 2"),
        (
            lambda source, model: Merging(relaxation="1"),  # type: ignore[arg-type]
            "relaxation '1' must be a number",
        ),
        (lambda source, model: Strategy(phases=PHASES, arithmetic="float16"), "'float16' is not one of"),
        (lambda source, model: Training(model, source, SINGLE, threads=0), "threads 0"),
        (lambda source, model: Training(model_of(source, DEEP), source, SINGLE), "update shifts"),
        (lambda source, model: Training(as_floating(model), source, SINGLE), "cannot be trained in fixed16"),
        (
            lambda source, model: Training(model, open_source("norm2", records=9, holdout=9), SINGLE),
            "norm2 has 2 features and 1 target",
        ),
        (
            lambda source, model: Training(model, source, SINGLE, state=State(Position(), np.zeros((2, 1)))),
            "a state of 2 models; this training has 1",
        ),
    ],
)
def test_what_does_not_fit_is_named(source, model, call, message):
    with pytest.raises(ValueError, match=message):
        call(source, model)


TRAIN = """
import sys
from pathlib import Path
import numpy as np
from sw.datasets import open_source
from tests.sw.engine.test_training import SINGLE
from tests.trainings import model_of, source_of, trained
from sw.engine.training import Training

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

small = source_of()
trained(Training(model_of(small), small, SINGLE))  # loads all code
source = open_source(sys.argv[1])
model = model_of(source)
before = peak()
training = Training(model, source, SINGLE, shard_records=8192, cache_bytes=1 << 20)
trained(training)
print(training.score().records, peak() - before)
"""
RECORDS = 2_500_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from Linux")
def test_more_records_than_memory_can_be_trained_on(tmp_path):
    """The file has 100 MB, its records 30 MB when they are encoded; blocks and shards in work are allowed for."""
    table = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.float64, (RECORDS, 5))
    table[:, :4] = np.random.default_rng(0).uniform(-1, 1, (RECORDS, 4))
    table[:, 4] = np.linalg.norm(table[:, :4], axis=1)
    table.flush()
    program = [sys.executable, "-c", TRAIN, str(tmp_path / "large.npy")]
    result = subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT)
    (tmp_path / "large.npy").unlink()
    records, megabytes = result.stdout.split()
    assert int(records) == RECORDS // 5
    assert float(megabytes) < 30
