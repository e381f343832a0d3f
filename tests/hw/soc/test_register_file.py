"""The register file on its bus: counters in their memory, status, controls."""

import random
from typing import Any

import pytest

from hw.soc.register_file import RegisterFile
from sw.spec.registers import Register, RegisterTable
from tests.hw.bus import transfer
from tests.hw.streams import simulate

COUNTERS = tuple(Register(f"events_{index}", 16, "r", "events") for index in range(5))
TABLE = RegisterTable(
    *COUNTERS,
    Register("wide", 40, "r", "a value of three words"),
    Register("control", 24, "w", "what the host writes"),
)
WIDE = 0x9ABCDEF012
PERIOD = 50  # least cycles between two events of one kind that are both counted, in spite of reads all the time


class Host:
    """Transfers on the bus of a register file of `TABLE`."""

    def __init__(self) -> None:
        self.dut = RegisterFile(TABLE, counters=COUNTERS, word_bits=16)

    async def transfer(self, context: Any, address: int, word: int | None = None) -> tuple[int, int, int]:
        """Make a transfer, and leave the bus idle for a cycle after it."""
        answer = await transfer(context, self.dut.bus, address, word)
        await context.tick()
        return answer

    async def read(self, context: Any, name: str) -> int:
        """Read all words of a register; return its value."""
        address, value = TABLE.address(name), 0
        for index in range(TABLE[name].words):
            word, refused, fault = await self.transfer(context, address + index)
            assert (refused, fault) == (0, 0)
            value |= word << 16 * index
        return value


def test_each_event_is_counted_whatever_is_read_meanwhile() -> None:
    host = Host()
    happened = [0] * len(COUNTERS)

    async def happen(context: Any) -> None:
        generator = random.Random(1)
        due = [0] * len(COUNTERS)  # at first all at once
        for cycle in range(4000):
            events = [cycle == when for when in due]
            for index, event in enumerate(events):
                if event:
                    due[index] = cycle + PERIOD + generator.randrange(60)
                    happened[index] += 1
            context.set(host.dut.events.as_value(), sum(event << index for index, event in enumerate(events)))
            await context.tick()
        context.set(host.dut.events.as_value(), 0)
        await context.tick().repeat(PERIOD)
        counts = [await host.read(context, register.name) for register in COUNTERS]
        assert counts == happened and min(happened) > 20

    async def read(context: Any) -> None:
        generator = random.Random(2)
        for _ in range(550):
            index = generator.randrange(len(COUNTERS))
            count = await host.read(context, COUNTERS[index].name)
            assert happened[index] - 1 <= count <= happened[index]

    simulate(host.dut, happen, read, cycles=5000)


def test_status_is_read_and_control_written_word_by_word_unless_locked() -> None:
    host = Host()
    dut = host.dut

    async def use(context: Any) -> None:
        context.set(dut.status.wide, WIDE)
        assert await host.read(context, "wide") == WIDE
        control = TABLE.address("control")
        assert (await host.transfer(context, control, 0x1234))[1:] == (0, 0)
        assert (await host.transfer(context, control + 1, 0x56))[1:] == (0, 0)
        assert context.get(dut.control.control) == 0x561234
        context.set(dut.locked, 1)
        assert (await host.transfer(context, control, 0xFFFF))[1] == 1
        assert context.get(dut.control.control) == 0x561234

    simulate(dut, use, cycles=200)


@pytest.mark.parametrize(
    ("address", "write"),
    [(0, True), (TABLE.address("wide"), True), (TABLE.address("control"), False)]
    + [(address, write) for address in (TABLE.words, 31, 1 << 16, 1 << 23) for write in (False, True)],
)
def test_address_of_nothing_or_not_for_this_direction_is_a_fault(address: int, write: bool) -> None:
    host = Host()

    async def use(context: Any) -> None:
        assert (await host.transfer(context, address, 0xFFFF if write else None))[2] == 1
        assert context.get(host.dut.control.as_value()) == 0

    simulate(host.dut, use, cycles=100)
