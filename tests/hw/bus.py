"""Transfers on the bus in Amaranth's simulator."""

from typing import Any


async def transfer(context: Any, bus: Any, address: int, word: int | None = None) -> tuple[int, int, int]:
    """Read or, with a word, write at an address; return the word read, and whether it is refused and a fault."""
    context.set(bus.address, address)
    context.set(bus.write, word is not None)
    context.set(bus.write_data, word or 0)
    context.set(bus.valid, 1)
    answer = await context.tick().sample(bus.read_data, bus.refused, bus.fault).until(bus.ready)
    context.set(bus.valid, 0)
    return answer
