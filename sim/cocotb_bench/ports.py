"""The gateware's ports in cocotb benches: tables of values that are set and sampled cycle by cycle."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from sw.spec.numerics import WordFormat, bits_for
from sw.spec.schedule import Rates

PERIOD_NS = 10


def pack(values: Iterable[int], width: int) -> int:
    """Return the bits of an array of words, the first word lowest, negative words in two's complement."""
    return sum((int(value) & ((1 << width) - 1)) << index * width for index, value in enumerate(values))


def unpack(bits: int, width: int, count: int) -> list[int]:
    """Return the signed words in the bits of an array of `count` words."""
    words = (bits >> index * width & ((1 << width) - 1) for index in range(count))
    return [word - ((word >> (width - 1)) << width) for word in words]


async def begin(dut: Any) -> None:
    """Start the clock, reset the gateware, and return at the beginning of a cycle, which is a falling edge."""
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


async def play(dut: Any, inputs: Sequence[Mapping[str, int]], outputs: Sequence[str] = ()) -> dict[str, list[int]]:
    """Set inputs and sample outputs, cycle by cycle.

    Parameters
    ----------
    dut : cocotb handle
        The gateware.
    inputs : sequence of mapping
        The ports that are set in each cycle, with their values; they keep these until they are set again.
    outputs : sequence of str
        The ports that are sampled.

    Returns
    -------
    dict
        The values of each output in each of these cycles, after they have settled: a register shows in cycle n + 1 the
        value that it takes in cycle n.
    """
    sampled: dict[str, list[int]] = {name: [] for name in outputs}
    handles = [(getattr(dut, name), values) for name, values in sampled.items()]
    for row in inputs:
        for name, value in row.items():
            getattr(dut, name).value = value
        if handles:
            await ReadOnly()
            for handle, values in handles:
                values.append(int(handle.value))
        await FallingEdge(dut.clk)
    return sampled


def rate_ports(word: WordFormat, rates: Rates, back_windows: Sequence[int]) -> dict[str, int]:
    """Return the values of a trainer's ports for learning rates, by name.

    Parameters
    ----------
    word : WordFormat
        Format of the trainer's words.
    rates : Rates
        The learning rates.
    back_windows : sequence of int
        First shift of the window of back shifts of each layer past the first.
    """
    backs = [back - first for back, first in zip(rates.back, back_windows, strict=True)]
    return {
        "update_shifts": pack(map(word.update_shifts.index, rates.update), bits_for(len(word.update_shifts))),
        "back_shifts": pack(backs, bits_for(word.back_window_length)),
    }


Place = Mapping[str, int]
"""The ports that address a node, with their values."""


async def store_nodes(dut: Any, places: Sequence[Place], values: Iterable[int]) -> None:
    """Write nodes through the port `access`.

    Parameters
    ----------
    dut : cocotb handle
        The gateware.
    places : sequence of Place
        The ports that address each node.
    values : iterable of int
        The nodes' values.
    """
    pairs = zip(places, values, strict=True)
    await play(dut, [{**place, "access__data_write": int(value), "access__write": 1} for place, value in pairs])
    dut.access__write.value = 0


async def load_nodes(dut: Any, places: Sequence[Place], width: int, latency: int) -> list[int]:
    """Read nodes through the port `access`.

    Parameters
    ----------
    dut : cocotb handle
        The gateware.
    places : sequence of Place
        The ports that address each node.
    width : int
        Bits of a node.
    latency : int
        Cycles from an address to its data.

    Returns
    -------
    list of int
        The nodes' values.
    """
    inputs: list[Place] = []
    for place in places:
        inputs += [{**place, "access__select": 1}, *[{}] * latency]
    sampled = await play(dut, inputs, ["access__data_read"])
    dut.access__select.value = 0
    return [unpack(bits, width, 1)[0] for bits in sampled["access__data_read"][latency :: latency + 1]]
