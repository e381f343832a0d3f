"""Transfers on the bus of a core in Amaranth's simulator."""

from typing import Any

import numpy as np

from hw.core.training_core import TrainingCore
from sw.spec.addresses import addresses_of, node_addresses
from sw.spec.protocol import Space


async def transfer(ctx: Any, bus: Any, space: Space, address: int, write: int | None = None) -> tuple[int, int, int]:
    """Make a transfer; returns the word that was read, whether it was refused, and whether it was a fault."""
    ctx.set(bus.space, space)
    ctx.set(bus.address, address)
    ctx.set(bus.write, write is not None)
    ctx.set(bus.write_data, (write or 0) & ((1 << len(bus.write_data)) - 1))
    ctx.set(bus.valid, 1)
    word, refused, fault = await ctx.tick().sample(bus.read_data, bus.refused, bus.fault).until(bus.ready)
    ctx.set(bus.valid, 0)
    await ctx.tick()
    return word, refused, fault


async def read_nodes(ctx: Any, core: TrainingCore, bus: Any) -> list[np.ndarray]:
    """Read the nodes of each layer from an idle core, through its bus or that of what contains it."""
    sign, words = 1 << (core.word_bits - 1), []
    for address in node_addresses(addresses_of(core.network, core.plan.foldings)):
        word, *wrong = await transfer(ctx, bus, Space.PARAMETERS, int(address))
        assert wrong == [0, 0]
        words.append((word ^ sign) - sign)
    return core.network.layered(np.array(words))
