"""The search for the folding of a network that is the best on a board, before anything is synthesised."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import product
from math import inf

from hw.design.design import Design
from hw.fpga.board import Board
from hw.fpga.resources import Resources
from hw.plan.cost_model import (
    DoesNotFitError,
    breaches,
    demand,
    expected_fmax,
    hard_requirements,
    least_requirements,
    requirements,
)
from hw.plan.memories import memories_of
from hw.schedule.folding import chain, check_pretraining, pretraining_groups
from sw.spec.network import Network

MAX_STALENESS = 8  # records; beyond it, stale updates begin to cost accuracy: scripts/studies/schedule_study.py
LEAST_STORE_WORDS = 1 << 10  # with a smaller store, starting passes takes longer than sending their records
CPU_SECONDS = 60.0  # of a search


@dataclass(frozen=True)
class Objective:
    """What a search makes as small as it can.

    Attributes
    ----------
    cost : callable
        Of a design, a whole number, which takes time to plan.
    least : callable
        What the cost of a design cannot be below, without planning it.
    excess : str
        What is said of a design that costs more, with a place for its cost.
    by_clock : bool
        Whether a slower clock with fewer registers may cost less.
    """

    cost: Callable[[Design], int]
    least: Callable[[Design], int]
    excess: str
    by_clock: bool = False

    def boards(self, board: Board) -> list[Board]:
        """Return the board, with each kind of gateware that may cost the least."""
        return [board, *([board.low_latency] if self.by_clock and board.low_latency else [])]


def nanoseconds(design: Design, clocks: int) -> int:
    """Return how long so many clocks of a design take."""
    return round(clocks / design.board.clock_hz * 1e9)


OBJECTIVES = {
    "throughput": Objective(
        lambda design: design.plan.schedule.initiation_interval,
        lambda design: design.slots,
        "takes a record every {} clocks",
    ),
    "latency": Objective(
        lambda design: nanoseconds(design, design.plan.schedule.latency),
        lambda design: nanoseconds(design, design.slots),
        "takes {} ns from a record to its last write",
        by_clock=True,
    ),
    "area": Objective(lambda design: design.products, lambda design: design.products, "makes {} products in a clock"),
}


class SearchTimeoutError(ValueError):
    """A search that took longer than it may."""


@dataclass(frozen=True)
class Verdict:
    """A folding that was considered.

    Attributes
    ----------
    design : Design
        The network so folded.
    against : str or None
        What rules it out, in words.
    """

    design: Design
    against: str | None = None


@dataclass(frozen=True)
class Search:
    """What a search considered, and what it chose.

    Attributes
    ----------
    ruled_out : tuple of Verdict
        The foldings with the fewest slots first.
    chosen : Verdict
        The best folding that nothing rules out; or the smallest one, with what rules even that out.
    """

    ruled_out: tuple[Verdict, ...]
    chosen: Verdict

    @property
    def design(self) -> Design:
        """The design that was chosen.

        Raises
        ------
        DoesNotFitError
            If no folding fits.
        """
        if self.chosen.against:
            design = self.chosen.design
            raise DoesNotFitError(f"{design.network} on {design.board.name} {self.chosen.against}")
        return self.chosen.design


def search(
    board: Board,
    network: Network,
    *,
    lanes: tuple[int, ...] | None = None,
    taps: int | None = None,
    objective: str = "throughput",
    max_staleness: int = MAX_STALENESS,
    exact: bool = False,
    pretraining: int = 0,
    contexts: int = 1,
    back_windows: tuple[int, ...] | None = None,
    progress: Callable[[Verdict], None] = lambda verdict: None,
) -> Search:
    """Find the best design that fits the board and should reach its clock.

    Among equals it has the fewest products a clock, then the fewest slots. Where no folding fits beside the largest
    record store, the store takes what memory is left.

    Parameters
    ----------
    board, network
        What is folded onto what.
    lanes, taps
        A folding that is asked for, in place of a search: as `hw.design.design.Design` takes them. One that is left
        out is the smallest. Such a folding may be stale or slow, as long as it fits.
    objective : str
        One of `OBJECTIVES`: the most records per second, the fewest nanoseconds from the start of a record to the last
        write of its update, or the fewest products a clock.
    max_staleness : int
        Records whose updates a forward pass may miss.
    exact, pretraining, contexts, back_windows
        As `hw.design.design.Design` takes them.
    progress : callable
        Is given each folding that is ruled out, as it is found.

    Raises
    ------
    ValueError
        For groups in `pretraining` that no folding has, or a folding that is not the network's.
    SearchTimeoutError
        If the search took `CPU_SECONDS`.
    """
    goal = OBJECTIVES[objective]
    smallest = [
        Design(board=each, network=network, exact=exact, contexts=contexts, back_windows=back_windows)
        for each in goal.boards(board)
    ]
    if lanes is not None or taps is not None:
        asked = [
            replace(
                design,
                lanes=design.lanes if lanes is None else lanes,
                taps=design.taps if taps is None else taps,
                pretraining=pretraining,
            )
            for design in smallest
        ]
        return Search((), Verdict(with_store(min(asked, key=goal.cost) if len(asked) > 1 else asked[0])))
    candidates = [
        replace(design, lanes=lanes, taps=taps, pretraining=pretraining)
        for taps, lanes in foldings(network, pretraining)
        for design in smallest
    ]
    fallback = with_store(candidates[0])
    candidates.sort(key=lambda design: (goal.least(design), design.products, design.slots))
    ruled_out, chosen = _consider(candidates, goal, max_staleness, progress)
    ruled_out.sort(key=lambda verdict: (verdict.design.slots, verdict.design.products))
    if chosen:
        return Search(tuple(ruled_out), Verdict(chosen))
    return Search(tuple(ruled_out), Verdict(fallback, objection(fallback, max_staleness)))


def _consider(
    candidates: list[Design], objective: Objective, max_staleness: int, progress: Callable[[Verdict], None]
) -> tuple[list[Verdict], Design | None]:
    """Consider candidates, those of the least possible cost first; return those ruled out, and the best of the others.

    Logic takes longest to estimate. So it is estimated of the best design only, once no later candidate can be better;
    and of the next one where that design is ruled out.
    """
    began = time.process_time()
    ruled_out: list[Verdict] = []
    waiting: list[tuple[int, int, Design]] = []  # by cost, then in the order of the candidates

    def rule_out(design: Design, against: str) -> None:
        ruled_out.append(Verdict(design, against))
        progress(ruled_out[-1])

    def best(least: float) -> Design | None:
        """Return the best design that nothing rules out, unless a candidate of so much cost could be better."""
        while waiting and waiting[0][0] <= least:
            design = heappop(waiting)[-1]
            if against := logic_objection(design):
                rule_out(design, against)
            else:
                for cost, _, worse in waiting:
                    rule_out(worse, objective.excess.format(cost))
                return design
        return None

    for number, candidate in enumerate(candidates):
        if found := best(objective.least(candidate)):
            return ruled_out, found
        if time.process_time() - began > CPU_SECONDS:
            raise SearchTimeoutError(
                f"{candidate.network} on {candidate.board.name}: {len(candidates)} foldings are more than can be "
                f"considered in {CPU_SECONDS:g} s of processor time; name one with --lanes and --taps"
            )
        design = with_store(candidate)
        if against := quick_objection(design, max_staleness):
            rule_out(design, against)
        else:
            heappush(waiting, (objective.cost(design), number, design))
    return ruled_out, best(inf)


def objection(design: Design, max_staleness: int) -> str | None:
    """Return what rules a design out, in words; None if nothing does."""
    return quick_objection(design, max_staleness) or logic_objection(design)


def quick_objection(design: Design, max_staleness: int) -> str | None:
    """Return what rules a design out by its memories, multipliers and schedule, the quickest to find first."""
    board = design.board
    if broken := too_many(design, design.functions) or breaches(least_requirements(design), board):
        return f"needs at least {broken}"
    if broken := too_many(design, design.plan.multipliers) or breaches(hard_requirements(design), board):
        return f"needs {broken}"
    schedule = design.plan.schedule
    if (staleness := max(schedule.staleness)) > max_staleness:
        return f"misses the updates of {staleness} records in a forward pass, of {max_staleness} that it may miss"
    if not design.store_keeps_pace:
        interval = schedule.initiation_interval
        return f"takes a record in {interval} clocks, but its store gives one in {design.record_rows}"
    return None


def logic_objection(design: Design) -> str | None:
    """Return what rules a design out by its logic cells or its clock; for these its gateware is made."""
    board = design.board
    if broken := breaches(requirements(design), board):
        return f"needs {broken}"
    if (fmax := expected_fmax(design)) and fmax < board.clock_hz:
        return f"should reach {fmax / 1e6:.0f} MHz in place and route, {board.name} runs at {board.clock_hz / 1e6:g}"
    return None


def too_many(design: Design, multipliers: int) -> str | None:
    """Return why a design of so many multipliers is not worth a try, in words; None if it is."""
    board, width = design.board, design.network.width
    hard = board.budget.multipliers
    if not board.technology.multiplies(width) or multipliers <= hard * (1 + board.technology.mixed_products):
        return None
    return f"{multipliers} multipliers, {board.name} has {hard}"


def with_store(design: Design) -> Design:
    """Return the design with the largest record store that its board has memory for, down to `LEAST_STORE_WORDS`."""
    for need in (least_requirements, memory_requirements):
        while breaches(need(design), design.board):
            if design.store_words <= LEAST_STORE_WORDS:
                return design
            design = replace(design, store_words=design.store_words // 2)
    return design


def memory_requirements(design: Design) -> Resources:
    """Return what the memories of a design need."""
    return demand(technology=design.board.technology, multipliers=0, memories=memories_of(design))


def foldings(network: Network, pretraining: int) -> list[tuple[int, tuple[int, ...]]]:
    """Return the taps and the lanes of every folding of a network, the smallest first.

    Raises
    ------
    ValueError
        For groups in `pretraining` that no folding has.
    """
    *hidden, last = (divisors(layer.outputs) for layer in network.layers)
    if pretraining:
        check_pretraining(network, chain(1, (1, network.outputs)), pretraining)
        last = [network.outputs]
    return [
        (taps, lanes)
        for taps in divisors(network.features)
        for lanes in product(*hidden, last)
        if not pretraining or pretraining in pretraining_groups(network, chain(taps, lanes))
    ]


def divisors(number: int) -> list[int]:
    """Return the numbers that divide a number."""
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]
