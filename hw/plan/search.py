"""Which folding of a network is the fastest that a board holds at its clock? Decided before anything is synthesised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from hw.design.design import Design
from hw.fpga.board import Board
from hw.plan.cost_model import (
    DoesNotFitError,
    breaches,
    expected_fmax_of,
    hard_requirements,
    least_requirements,
    memory_requirements,
    requirements,
)
from hw.schedule.folding import chain, check_pretraining, groups_apart
from sw.spec.network import Network

MAX_STALENESS = 8  # records; beyond it, delayed updates begin to cost accuracy: scripts/studies/schedule_study.py


LEAST_STORE_WORDS = 1 << 10  # with a smaller store, starting passes takes longer than sending their records


def with_store(design: Design) -> Design:
    """The design with the largest record store that its board has room for, down to LEAST_STORE_WORDS."""
    for need in (least_requirements, memory_requirements):
        while breaches(need(design), design.board):
            if design.store_words <= LEAST_STORE_WORDS:
                return design
            design = replace(design, store_words=design.store_words // 2)
    return design


@dataclass(frozen=True)
class Verdict:
    """A folding that was considered: its design, and what rules it out, if anything does."""

    design: Design
    against: str | None = None


def fold(board: Board, network: Network, *, max_staleness: int = MAX_STALENESS, **modes: Any) -> Design:
    """The design with the most records per second that fits the board and should reach its clock; the fewest products a
    clock among equals. Where no folding fits beside the record store, that has what is left.

    `max_staleness`: records whose updates a forward pass may miss. `modes`: others of a `Design`.

    Raises DoesNotFitError naming the budget that even the smallest folding breaks, ValueError for groups in
    `pretraining` that no folding has, or where all foldings have longer staleness.
    """
    return choice(list(consider(board, network, max_staleness=max_staleness, **modes)))


def choice(verdicts: Sequence[Verdict]) -> Design:
    """The design that was considered last. Raises DoesNotFitError if something rules that one out, too."""
    chosen = verdicts[-1]
    if chosen.against:
        raise DoesNotFitError(f"{chosen.design.network} on {chosen.design.board.name} {chosen.against}")
    return chosen.design


def consider(board: Board, network: Network, *, max_staleness: int = MAX_STALENESS, **modes: Any) -> Iterator[Verdict]:
    """Foldings, the one with the fewest slots first, until none can be faster than the best; that one is the last.

    As `fold` has it. If nothing fits, the last is the smallest one, with what is against it.
    """
    candidates = foldings(board, network, **modes)
    best: Design | None = None
    for candidate in sorted(candidates, key=lambda design: (design.slots, design.products)):
        if best and candidate.slots >= best.schedule.initiation_interval:
            break  # a record takes a clock a slot at the least
        design = with_store(candidate)
        if against := objection(design, max_staleness):
            yield Verdict(design, against)
        elif best is None:
            best = design
        else:
            best, other = sorted((best, design), key=lambda design: design.schedule.initiation_interval)
            yield Verdict(other, f"takes a record every {other.schedule.initiation_interval} clocks")
    smallest = with_store(candidates[0])
    yield Verdict(best) if best else Verdict(smallest, objection(smallest, max_staleness))


def objection(design: Design, max_staleness: int) -> str | None:
    """What rules a design out, the quickest to find first."""
    board = design.board
    if broken := breaches(least_requirements(design), board):
        return f"needs at least {broken}"
    if broken := breaches(hard_requirements(design), board):
        return f"needs {broken}"
    if (delay := max(design.schedule.staleness)) > max_staleness:
        return f"misses the updates of {delay} records in a forward pass, of {max_staleness} that may be"
    if not design.keeps_pace:
        interval = design.schedule.initiation_interval
        return f"takes a record in {interval} clocks, but its store gives one in {design.record_rows}"
    if broken := breaches(requirements(design), board):
        return f"needs {broken}"
    if (reach := expected_fmax_of(design)) and reach < board.clock_hz:
        return f"should reach {reach / 1e6:.0f} MHz in place and route, {board.name} runs at {board.clock_hz / 1e6:g}"
    return None


def foldings(board: Board, network: Network, *, pretraining: int = 0, **modes: Any) -> list[Design]:
    """A design for each folding, the smallest first. Raises ValueError for groups that none of them has."""
    *hidden, last = (divisors(layer.outputs) for layer in network.layers)
    if pretraining:
        check_pretraining(network, chain(1, (1, network.outputs)), pretraining)
        last = [network.outputs]
    return [
        Design(board=board, network=network, lanes=lanes, taps=taps, pretraining=pretraining, **modes)
        for taps in divisors(network.features)
        for lanes in product(*hidden, last)
        if not pretraining or pretraining in groups_apart(network, chain(taps, lanes))
    ]


def divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]
