"""Registers by name over the link."""

import pytest

from sw.device.register_client import RegisterClient
from sw.spec.protocol import Space, Status
from sw.spec.registers import COUNTER_BITS, LINK_COUNTERS, REGISTERS
from tests.sw.device.scripted import ScriptedPort, link_to, replying


def client(payload: bytes) -> tuple[RegisterClient, ScriptedPort]:
    """A client of a board that answers every request with `payload`, and its port."""
    link, port = link_to(replying(payload))
    return RegisterClient(link, REGISTERS), port


def test_a_register_is_read_by_name() -> None:
    value = (1 << COUNTER_BITS) - 2
    registers, port = client(value.to_bytes(2, "little") + bytes([Status.OK]))
    name = LINK_COUNTERS[-1].name
    assert registers.read(name) == {name: value}
    assert port.requests[-1].payload == bytes([Space.REGISTERS, len(LINK_COUNTERS) - 1, 0, 0, 1])


def test_registers_that_follow_each_other_take_one_request() -> None:
    registers, port = client(bytes([1, 0, 2, 0, 3, 0, Status.OK]))
    assert registers.read("busy", "records") == {"busy": 1, "records": 2 + (3 << 16)}
    busy = REGISTERS.address("busy")
    assert port.requests[-1].payload == bytes([Space.REGISTERS, busy, 0, 0, 3])
    registers, port = client(bytes([Status.OK]))
    registers.write({"count": 5 + (6 << 16), "start": 1})
    count = REGISTERS.address("count")
    assert port.requests[-1].payload == bytes([Space.REGISTERS, count, 0, 0, 5, 0, 6, 0, 1, 0])


def test_registers_and_values_that_do_not_fit_are_refused() -> None:
    registers, _ = client(bytes([Status.OK]))
    with pytest.raises(ValueError, match="'busy' does not follow the one before it in records, busy"):
        registers.read("records", "busy")
    with pytest.raises(ValueError, match="'gaps' cannot be written"):
        registers.write({"gaps": 1})
    with pytest.raises(ValueError, match="'count' cannot be read"):
        registers.read("count")
    with pytest.raises(ValueError, match="'start' has 2 bits; 4 does not fit"):
        registers.write({"start": 4})
    with pytest.raises(KeyError, match="no register 'gap'"):
        registers.read("gap")
