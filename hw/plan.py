"""Does a configuration fit a board? Decided from its numbers, before anything is elaborated."""

from collections.abc import Iterable

from hw.technology import RESOURCE_NAMES, MemoryShape, Resources, Storage, Technology, shortfalls


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
