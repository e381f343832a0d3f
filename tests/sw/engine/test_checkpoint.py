import os
import re
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

from sw.engine import checkpoint
from sw.engine.checkpoint import CheckpointError
from sw.engine.conversion import parameters_of
from sw.engine.history import TrainingHistory
from sw.engine.pretraining import GroupPretraining
from sw.engine.strategy import Pretraining
from sw.engine.training import Training
from sw.model import HISTORY
from sw.oracle.merging import Merging
from sw.outputs import OutputError
from sw.spec.network import Network
from sw.spec.schedule import Phase, Position
from tests.trainings import FINE, LATER, RATES, STRATEGIES, model_of, source_of, trained

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


def test_with_fine_bits_it_goes_on_too_and_with_others_it_does_not(path):
    """No word is saved: that of a record follows from how far the training has come."""
    source = source_of()
    training, again, straight = (training_of(source=source, model=model_of(source, FINE)) for _ in range(3))
    run = checkpoint.run(training, path, 1e9)
    for _ in range(5):
        next(run)
    run.close()
    assert checkpoint.resume(again, path)
    assert np.array_equal(trained(again), trained(straight))
    with pytest.raises(CheckpointError, match=r"16 bit, 4 fine\), not .*16 bit\)"):
        checkpoint.resume(training_of(), path)


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
    monkeypatch.setattr(checkpoint, "save", lambda *arguments: written.append(save(*arguments)))
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
    r"the network 4-8-1 \(4/8 segments, 16 bit\), not 4-8-1 \(4/16 segments, 16 bit\)": lambda: training_of(
        model=model_of(source_of(), Network.two_layer(4, 8, (4, 16)))
    ),
    "other first nodes, or other ranges of the data": lambda: training_of(model=changed(model_of(source_of()))),
    "other values in the first records": lambda: training_of(source=source_of(seed=4), model=model_of(source_of())),
    "700 records to train on, not 701": lambda: training_of(source=source_of(701)),
    "150 records held out, not 151": lambda: training_of(source=source_of(700, 151)),
    "shards of 240 records, not 80": lambda: training_of(shard_records=80),
    "the seed 0, not 1": lambda: training_of(replace(STRATEGY, seed=1)),
    "2 models, not 3": lambda: training_of(replace(STRATEGY, models=3)),
    "models merged by mean, not pairs": lambda: training_of(replace(STRATEGY, merging=Merging("pairs"))),
    "the arithmetic fixed16, not float32": lambda: training_of(replace(STRATEGY, arithmetic="float32")),
    "3 epochs, not 2: it can be continued, not shortened": lambda: training_of(
        replace(STRATEGY, phases=STRATEGY.phases[:1])
    ),
    "a schedule whose first epochs have other learning rates": lambda: training_of(
        replace(STRATEGY, phases=(Phase(1, RATES), Phase(1, RATES)))
    ),
    "other pre-training": lambda: training_of(replace(STRATEGY, pretraining=Pretraining(2, 1, RATES))),
}


def changed(model):
    model.nodes[0][0, 0, 0] += 1
    return model


@pytest.mark.parametrize("what", OTHERS)
def test_that_of_another_training_is_refused_in_plain_words(path, what):
    stopped_after(path, 2)
    with pytest.raises(CheckpointError, match=f"is of another training: .*{what}") as raised:
        checkpoint.resume(OTHERS[what](), path)
    assert not re.search(r"[{}\[\]]|[0-9a-f]{16}", str(raised.value).rpartition("training: ")[2])


def test_a_training_without_pretraining_does_not_go_on_from_one_with_it(path):
    stopped_after(path, 2)
    with pytest.raises(CheckpointError, match=r"is of another training: (3 epochs, not 2|other pre-training)"):
        checkpoint.resume(training_of(replace(STRATEGY, pretraining=None)), path)


@pytest.mark.parametrize("shards", [5, 9])
def test_a_longer_schedule_goes_on_to_what_it_would_have_come_to_from_the_start(path, shards):
    longer = replace(STRATEGY, phases=(STRATEGY.phases[0], Phase(3, LATER)))
    stopped_after(path, shards)
    resumed = training_of(longer)
    assert checkpoint.resume(resumed, path)
    assert len(list(resumed.run())) == 5 * SHARDS - shards
    assert np.array_equal(parameters_of(resumed.model), trained(training_of(longer)))


def evaluated(path, shards, training, history):
    """Train so many shards with checkpoints, and evaluate after each epoch."""
    run = checkpoint.run(training, path, 0, history)
    for _ in range(shards):
        report = next(run)
        history.follow(report)
        if report.epoch_done:
            history.evaluate()
    run.close()


def test_the_history_goes_on_too(path):
    history = TrainingHistory(first := training_of())
    evaluated(path, 7, first, history)
    again = TrainingHistory(second := training_of())
    assert checkpoint.resume(second, path, again) and not again.behind
    assert np.array_equal(again.history, history.history) and again.best_epoch == history.best_epoch
    assert again.best and history.best and again.best.rmse == history.best.rmse
    assert again.seconds == history.seconds > 0
    assert np.array_equal(parameters_of(again.model), parameters_of(history.model))
    *_, last = checkpoint.run(second, path, 0, again)
    assert again.seconds > history.seconds and again.pace == pytest.approx(last.records / again.seconds)
    # The last checkpoint was written before the evaluation, as if the program was killed in between.
    ended = TrainingHistory(third := training_of())
    checkpoint.resume(third, path, ended)
    assert ended.behind and ended.evaluate() and not ended.behind
    assert ended.history["records"].tolist() == [700, 1400, 2100]
    assert not list(checkpoint.run(third, path, 0, ended))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("rows", np.zeros(0, HISTORY)),
        ("rows", np.zeros(2)),
        ("seconds", np.array(np.nan)),
        ("best_epoch", np.array(3)),
        ("best", np.zeros(3)),
        ("score_means", np.zeros((2, 2))),
    ],
)
def test_a_damaged_history_is_refused(monkeypatch, path, name, wrong):
    history = TrainingHistory(training := training_of())
    evaluated(path, 6, training, history)
    arrays = history.arrays()
    monkeypatch.setattr(history, "arrays", lambda: arrays | {name: wrong})
    checkpoint.save(training, path, history)
    path.with_name(f"{path.name}.previous").unlink(missing_ok=True)
    with pytest.raises(checkpoint.CheckpointError, match="is damaged"):
        checkpoint.resume(training_of(), path)


def test_one_that_cannot_be_written_does_not_end_the_training(monkeypatch, path):
    """It fails three times, then in the end, and once more when that is tried again."""
    save, calls = checkpoint.save, 0

    def fails(*arguments):
        nonlocal calls
        calls += 1
        if calls in (1, 2, 3, 9, 10):
            raise OutputError("the disk is full")
        save(*arguments)

    monkeypatch.setattr(checkpoint, "save", fails)
    run = checkpoint.run(training_of(), path, 0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(EPOCHS * SHARDS):
            next(run)
        with pytest.raises(OutputError, match="the disk is full"):
            next(run)
    assert calls == 10 and len(said) == 2
    assert str(said[0].message) == "the disk is full; the training goes on, and tries again later"


def test_a_model_is_no_checkpoint(path):
    model_of(source_of()).save(path)
    with pytest.raises(CheckpointError, match="is a kanloom model, not a kanloom checkpoint"):
        checkpoint.resume(training_of(), path)


def test_a_device_or_a_pipe_is_no_place_for_one_and_keeps_its_name(path):
    os.mkfifo(path)
    for write in (lambda: checkpoint.outputs(path), lambda: checkpoint.save(training_of(), path)):
        with pytest.raises(OutputError, match=r"is a device or a pipe; --checkpoint names a file"):
            write()
    assert path.is_fifo() and list(path.parent.iterdir()) == [path]


def test_a_link_to_one_is_followed(tmp_path):
    link, place = tmp_path / "link", tmp_path / "disk" / "state.ck"
    place.parent.mkdir()
    link.symlink_to(place)
    stopped_after(link, 5, seconds=0)
    assert link.is_symlink() and sorted(place.parent.iterdir()) == [place, place.with_name("state.ck.previous")]
    assert checkpoint.resume(training_of(), link) and checkpoint.resume(training_of(), place)
