import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

from sw.engine import checkpoint
from sw.engine.checkpoint import CheckpointError
from sw.engine.conversion import parameters_of
from sw.engine.pretraining import GroupPretraining
from sw.engine.training import Training
from sw.oracle.merging import Merging
from sw.spec.network import Network
from sw.spec.schedule import Position
from tests.trainings import STRATEGIES, model_of, source_of, trained

STRATEGY = replace(STRATEGIES["fixed16"], models=2)
EPOCHS, SHARDS = 3, 3


def training_of(strategy=STRATEGY, *, source=None, model=None, shard_records=240):
    source = source or source_of()
    return Training(model or model_of(source), source, strategy, shard_records=shard_records)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.npz"


def stopped_after(path, shards, seconds=1e9, strategy=STRATEGY):
    run = checkpoint.run(training := training_of(strategy), path, seconds)
    for _ in range(shards):
        next(run)
    run.close()
    return training


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("shards", [1, 3, 5])
def test_where_the_caller_stops_it_goes_on(path, name, shards):
    strategy = replace(STRATEGIES[name], models=2)
    stopped = stopped_after(path, shards, strategy=strategy)
    resumed = training_of(strategy)
    assert checkpoint.resume(resumed, path)
    assert resumed.state.position == stopped.state.position == Position(*divmod(shards, SHARDS))
    assert np.array_equal(trained(resumed), trained(training_of(strategy)))


def test_without_a_checkpoint_it_begins(path):
    assert not checkpoint.resume(training_of(), path)
    assert len(list(checkpoint.run(training_of(), path, 1e9))) == EPOCHS * SHARDS


def test_at_the_end_there_is_one(path):
    training = training_of()
    for _ in checkpoint.run(training, path, 1e9):
        pass
    again = training_of()
    assert checkpoint.resume(again, path) and not list(checkpoint.run(again, path, 1e9))
    assert np.array_equal(parameters_of(again.model), parameters_of(training.model))


@pytest.mark.parametrize(("seconds", "writings"), [(0, EPOCHS * SHARDS), (1e9, 1)])
def test_they_are_written_at_an_interval(monkeypatch, path, seconds, writings):
    written: list[None] = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda training, path: written.append(save(training, path)))
    for _ in checkpoint.run(training_of(), path, seconds):
        pass
    assert len(written) == writings


def test_an_exception_in_the_training_leaves_the_last_one(monkeypatch, path):
    """In the middle of a shard a training is at no position."""
    run = checkpoint.run(training_of(), path, 0)
    next(run)
    monkeypatch.setattr(GroupPretraining, "train", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(run)
    checkpoint.resume(resumed := training_of(), path)
    assert resumed.state.position == Position(0, 1)


def damages(path):
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 20).astype(int):
        yield whole[:length]
    places = np.random.default_rng(0).integers(0, len(whole), 200)
    for place in places:
        yield whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]


def test_a_damaged_one_is_never_loaded_but_the_previous_one(path):
    stopped_after(path, 5, seconds=0)
    good = checkpoint.load(training_of(), path)
    for damage in [*damages(path)]:
        path.write_bytes(damage)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            state = checkpoint.load(training_of(), path)
        assert state and good
        if said:
            assert state.position == Position(1, 1) and "damaged" in str(said[0].message)
        else:  # a byte that nothing depends on
            assert state.position == good.position and np.array_equal(state.parameters, good.parameters)


def test_if_both_are_damaged_it_does_not_begin_anew(path):
    stopped_after(path, 5, seconds=0)
    for file in path.parent.iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"state.npz is damaged.*previous is damaged"):
        checkpoint.resume(training_of(), path)


@pytest.mark.parametrize("moment", ["written half", "written", "the last one renamed"])
def test_a_process_may_be_killed_while_it_writes(path, moment):
    stopped_after(path, 2, seconds=0)
    before, new = path.read_bytes(), path.with_name("state.npz.new")
    stopped_after(later := path.with_name("later.npz"), 3)
    new.write_bytes(later.read_bytes()[: 500 if moment == "written half" else None])
    if moment == "the last one renamed":
        shutil.move(path, path.with_name("state.npz.previous"))
    else:
        assert path.read_bytes() == before
    checkpoint.resume(training := training_of(), path)
    assert training.state.position == (Position(1, 0) if moment == "the last one renamed" else Position(0, 2))
    for _ in checkpoint.run(training, path, 0):
        pass
    assert not new.exists()


OTHERS = {
    "network": lambda: training_of(model=model_of(source_of(), Network.two_layer(4, 8, (4, 16)))),
    "start": lambda: training_of(model=changed(model_of(source_of()))),
    "first": lambda: training_of(source=source_of(seed=4), model=model_of(source_of())),
    "records": lambda: training_of(source=source_of(701)),
    "holdout": lambda: training_of(source=source_of(700, 151)),
    "shard_records": lambda: training_of(shard_records=80),
    "strategy seed": lambda: training_of(replace(STRATEGY, seed=1)),
    "strategy models": lambda: training_of(replace(STRATEGY, models=3)),
    "strategy merging": lambda: training_of(replace(STRATEGY, merging=Merging("pairs"))),
    "strategy arithmetic": lambda: training_of(replace(STRATEGY, arithmetic="float32")),
    "strategy phases": lambda: training_of(replace(STRATEGY, phases=STRATEGY.phases[:1])),
    "strategy pretraining": lambda: training_of(replace(STRATEGY, pretraining=None)),
}


def changed(model):
    model.nodes[0][0, 0, 0] += 1
    return model


@pytest.mark.parametrize("what", OTHERS)
def test_that_of_another_training_is_refused(path, what):
    stopped_after(path, 2)
    with pytest.raises(CheckpointError, match=f"is of another training: .*{what}"):
        checkpoint.resume(OTHERS[what](), path)


def test_a_model_is_no_checkpoint(path):
    model_of(source_of()).save(path)
    with pytest.raises(CheckpointError, match="is a kanloom model, not a kanloom checkpoint"):
        checkpoint.resume(training_of(), path)
