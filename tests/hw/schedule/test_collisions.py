"""Every schedule of a small network, clock by clock: what meets in a memory, in a multiplier or in a FIFO."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import boards
from hw.design.trainer_planning import plan_trainer
from hw.fpga.technology import Technology
from hw.schedule.folding import chain
from hw.schedule.slot_order import slots_of
from hw.schedule.timing import REPLAY_LATENCY
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.network import Network
from tests.slow import slow

TECHNOLOGIES = {board.technology.name: board.technology for board in map(boards.find, boards.names())}
LOW_LATENCY = {name: technology.low_latency for name, technology in TECHNOLOGIES.items() if technology.low_latency}
ALL = TECHNOLOGIES | {f"{name}, low latency": technology for name, technology in LOW_LATENCY.items()}


def check(plan: TrainerPlan) -> None:
    """Follow records that come as fast as they may; fail if two uses of anything meet, or more wait than have a place.

    A record of the same context comes a turn later, and later ones after any number of turns: all pairs are looked at.
    """
    schedule, interval = plan.schedule, plan.schedule.initiation_interval
    turn = interval * plan.contexts
    turns = range(1, schedule.latency // turn + 2)
    forward, update = slots_of(plan.slot_orders)
    for index, (layer, order, reads, slots) in enumerate(
        zip(plan.layers, plan.slot_orders, forward, update, strict=True)
    ):
        timing, updates, where = layer.timing, slots + schedule.pause, f"layer {index}"
        read, again, written = reads + timing.forward_read, updates + timing.update_read, updates + timing.write
        for port, clocks in (("forward", read), ("update", again)):
            assert once(clocks, interval), f"{where}: two records read for the {port} pass in one clock"
        for later in turns:
            # The same slot is the same row, if the records lie in the same segment.
            clear = written < again + later * turn
            assert layer.forwarding or clear.all(), f"{where}: an update reads before the last one is written"
            met = read + later * turn == written
            assert layer.forwarding or not met.any(), f"{where}: the forward pass reads a row that is being written"
        unseen = np.sum([written > read + later * turn for later in turns], axis=0)
        assert (unseen == schedule.staleness[index]).all(), f"{where}: staleness {unseen}"
        uses = [reads + timing.forward_use, *(updates + use for use in timing.update_uses)]
        assert once(np.stack(uses), interval), f"{where}: a multiplier has two uses in one clock"
        # Arguments come with the slots of the first output group, and stay until the last slot that needs them.
        came, left = reads[0], updates.max(axis=0)
        if order.rereads:
            left = np.full_like(came, updates.max())
        assert (updates.min(axis=0) - came >= REPLAY_LATENCY).all(), f"{where}: arguments are not there yet"
        waiting = most_at_once(came, left, interval)
        assert waiting <= plan.buffers.arguments[index].depth, f"{where}: {waiting} groups of arguments wait"
    ended = int(forward[-1].max()) + plan.layers[-1].timing.result
    assert ended == schedule.result_latency, f"the result_latency is {ended}"
    last = written_last(plan, update) + 1
    assert last == schedule.latency, f"the latency is {last}"
    results = np.zeros(1, int), np.array([ended])
    assert most_at_once(*results, interval) <= plan.buffers.targets.depth, "targets wait without a place"
    assert most_at_once(np.zeros(1, int), np.array([schedule.latency]), interval) <= schedule.records_in_flight


def written_last(plan: TrainerPlan, update: list[np.ndarray]) -> int:
    """Return the clock of the last write of a record."""
    return max(
        int(slots.max()) + plan.schedule.pause + layer.timing.write
        for slots, layer in zip(update, plan.layers, strict=True)
    )


def once(clocks: np.ndarray, interval: int) -> bool:
    """Whether no clock is taken twice by records that start every interval, or a multiple of it later."""
    return len(np.unique(clocks % interval)) == clocks.size


def most_at_once(came: np.ndarray, left: np.ndarray, interval: int) -> int:
    """Return how many wait at once, at most, of what comes and leaves in these clocks of each record."""
    records = int(left.max()) // interval + 2
    changes: Counter[int] = Counter()
    for start in range(0, records * interval, interval):
        changes.update((came + start).tolist())
        changes.subtract((left + 1 + start).tolist())
    waiting, most = 0, 0
    for clock in sorted(changes):
        waiting += changes[clock]
        most = max(most, waiting)
    return most


def divisors(number: int) -> list[int]:
    return [count for count in range(1, number + 1) if number % count == 0]


def plans(technology: Technology, *, layers: int, most: int, contexts: tuple[int, ...]) -> Iterator[TrainerPlan]:
    """Yield the plan of each network of so many layers of up to `most` inputs and outputs, in each of its foldings."""
    for sizes in product(range(1, most + 1), repeat=layers + 1):
        network = Network.chain(sizes, (2,) * layers)
        for taps, *lanes in product(*map(divisors, sizes)):
            for exact, count in product((False, True), contexts):
                foldings = chain(taps, lanes)
                yield plan_trainer(network, foldings, technology=technology, exact=exact, contexts=count)


@pytest.mark.parametrize("technology", ALL.values(), ids=ALL)
@pytest.mark.parametrize(
    ("layers", "most", "contexts"),
    [
        (1, 3, (1, 2)),
        (2, 2, (1, 2)),
        slow(1, 8, (1, 2, 4, 8)),
        slow(2, 4, (1, 2, 4, 8)),
        slow(3, 3, (1, 2)),
        slow(4, 2, (1, 2)),
    ],
)
def test_nothing_meets_in_any_schedule(technology, layers, most, contexts):
    for plan in plans(technology, layers=layers, most=most, contexts=contexts):
        check(plan)


@pytest.fixture(scope="module")
def plan() -> TrainerPlan:
    """A delayed schedule without forwarding."""
    return plan_trainer(Network.chain((2, 6, 2), (4, 4)), chain(1, (1, 1)), technology=ALL["ECP5"])


def test_a_pause_in_which_a_row_is_read_while_it_is_written_is_found(plan):
    check(plan)
    assert not any(layer.forwarding for layer in plan.layers)
    assert any("being written" in said(plan, pause=pause) for pause in range(plan.schedule.initiation_interval))


@pytest.mark.parametrize(
    ("field", "message"),
    [("initiation_interval", "in one clock"), ("latency", "the latency"), ("result_latency", "the result_latency")],
)
def test_a_schedule_that_is_off_by_one_is_found(plan, field, message):
    assert message in said(plan, **{field: getattr(plan.schedule, field) - 1})


def test_a_staleness_that_is_another_is_found(plan):
    first, second = plan.schedule.staleness
    assert "staleness" in said(plan, staleness=(first, second + 1))


def said(plan: TrainerPlan, **changes: Any) -> str:
    """Return what is said of a plan whose schedule has been changed; nothing if it is said to be right."""
    try:
        check(replace(plan, schedule=replace(plan.schedule, **changes)))
    except AssertionError as error:
        return str(error)
    return ""
