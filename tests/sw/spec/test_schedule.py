import pytest

from sw.spec.schedule import EpochLoop, Phase, Position, Rates, epochs_in, steps

FIRST, SECOND = Phase(2, Rates((2,), (13,)), pretraining=True), Phase(3, Rates((3,), (14,)))


def test_phases_follow_each_other_epoch_by_epoch():
    epochs = [(epoch.number, epoch.phase) for epoch in EpochLoop((FIRST, Phase(0, FIRST.rates), SECOND))]
    assert epochs == [(0, FIRST), (1, FIRST), (2, SECOND), (3, SECOND), (4, SECOND)]
    assert epochs_in((FIRST, SECOND)) == 5


def test_a_phase_that_is_ended_gives_way_to_the_next_one():
    loop, phases = EpochLoop((FIRST, SECOND)), []
    for epoch in loop:
        phases.append(epoch.phase)
        if epoch.number in (0, 2):
            loop.end_phase()
    assert phases == [FIRST, SECOND, SECOND]


def test_every_epoch_has_every_shard_in_order():
    walked = [(step.epoch.number, step.number, step.shard, step.end) for step in steps((FIRST, SECOND), ["a", "b"])]
    assert walked == [
        (epoch, number, shard, Position(epoch + number, 1 - number))
        for epoch in range(5)
        for number, shard in enumerate("ab")
    ]


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_from_the_end_of_any_step_the_rest_follows(shards):
    whole = list(steps((FIRST, SECOND), range(shards)))
    for done, step in enumerate(whole, start=1):
        assert list(steps((FIRST, SECOND), range(shards), step.end)) == whole[done:]
