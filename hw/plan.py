"""Does a configuration fit a board? Decided from its numbers, before anything is elaborated."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from boards import Board
from hw.design import Design
from hw.folding import chain, check_pretraining, groups_apart
from hw.technology import RESOURCE_NAMES, MemoryShape, Resources, Storage, Technology, shortfalls
from sw.network import Network


class DoesNotFitError(ValueError):
    """A configuration that breaks a board's budget."""


def demand(*, technology: Technology, multipliers: int, memories: Iterable[MemoryShape], logic: int = 0) -> Resources:
    """What a design needs: hard `multipliers` (those made of logic are in `logic`), and memories by where they lie."""
    memories = list(memories)
    return Resources(
        logic=logic,
        multipliers=multipliers,
        block_ram=sum(technology.block_rams(memory) for memory in memories if memory.storage is Storage.BLOCK),
        single_port_ram=sum(
            technology.single_port_rams(memory) for memory in memories if memory.storage is Storage.SINGLE_PORT
        ),
    )


def check(*, need: Resources, have: Resources, what: str, board: str) -> None:
    """Raises DoesNotFitError naming each budget that `what` breaks on `board`."""
    broken = [
        f"{needed} {RESOURCE_NAMES[name]}, {board} has {had}" for name, needed, had in shortfalls(need=need, have=have)
    ]
    if broken:
        raise DoesNotFitError(f"{what} needs {'; '.join(broken)}")


# Logic cells at 16 bits, from the builds of norm2 on both boards: what every design has, and what comes with a product.
LOGIC_BASE = 2500
LOGIC_PER_PRODUCT = 330

MOST_DELAY = 8  # records; beyond it, delayed updates begin to cost accuracy
LEAST_STORE_WORDS = 1 << 10  # with a smaller store, starting passes takes longer than sending their records


def requirements(design: Design) -> Resources:
    """What a design needs of its board; its logic is a rough estimate."""
    return _requirements(design, design.multipliers, design.memories)


def least_requirements(design: Design) -> Resources:
    """What it needs at the least, with one multiplier for each function and without the memories that depend on the
    schedule: these take time to find out."""
    return _requirements(design, sum(design.functions), design.unscheduled_memories)


def _requirements(design: Design, multipliers: int, memories: Iterable[MemoryShape]) -> Resources:
    technology, width = design.board.technology, design.network.width
    logic = (
        LOGIC_BASE + LOGIC_PER_PRODUCT * width // 16 * design.products + technology.product_logic(width) * multipliers
    )
    hard = multipliers if technology.multiplies(width) else 0
    return demand(technology=technology, multipliers=hard, memories=memories, logic=logic)


def memory_requirements(design: Design) -> Resources:
    """What its memories need."""
    return demand(technology=design.board.technology, multipliers=0, memories=design.memories)


def with_store(design: Design) -> Design:
    """The design with the largest record store that its board has room for, down to LEAST_STORE_WORDS."""
    for need in (least_requirements, memory_requirements):
        while design.store_words > LEAST_STORE_WORDS and shortfalls(need=need(design), have=design.board.budget):
            design = replace(design, store_words=design.store_words // 2)
    return design


def fold(board: Board, network: Network, *, exact: bool = False, pretraining: int = 0, contexts: int = 1) -> Design:
    """The design with the most records per second that fits the board; the fewest products a clock among equals. Where
    no folding fits beside the record store, that has what is left.

    Raises DoesNotFitError naming the budget that even the smallest folding breaks, ValueError for groups in
    `pretraining` that no folding has.
    """
    *hidden, last = (divisors(layer.outputs) for layer in network.layers)
    if pretraining:
        check_pretraining(network, chain(1, (1, network.outputs)), pretraining)
        last = [network.outputs]
    candidates = [
        Design(
            board=board,
            network=network,
            lanes=lanes,
            taps=taps,
            exact=exact,
            pretraining=pretraining,
            contexts=contexts,
        )
        for taps in divisors(network.features)
        for lanes in product(*hidden, last)
        if not pretraining or pretraining in groups_apart(network, chain(taps, lanes))
    ]
    if shortfalls(need=requirements(candidates[0]), have=board.budget):
        candidates = [with_store(design) for design in candidates]
    best = candidates[0]
    check(need=requirements(best), have=board.budget, what=str(network), board=board.name)
    fitting = [design for design in candidates if not shortfalls(need=least_requirements(design), have=board.budget)]
    for design in sorted(fitting, key=lambda design: (design.slots, design.products)):
        if design.slots > best.schedule.interval and best is not candidates[0]:
            break  # a record takes a clock a slot at the least
        if shortfalls(need=requirements(design), have=board.budget) or max(design.schedule.delays) > MOST_DELAY:
            continue
        if design.schedule.interval < best.schedule.interval and design.keeps_pace:
            best = design
    return best


def divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]
