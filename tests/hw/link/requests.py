"""Requests of the protocol, written independently of the host's own (`sw.device.transport`)."""

from sw.spec.protocol import Command, Frame, Space


def read(sequence: int, address: int, count: int, space: int = Space.PARAMETERS) -> Frame:
    """Return a READ of `count` words."""
    return Frame(Command.READ, sequence, target(space, address) + bytes([count]))


def write(sequence: int, address: int, data: bytes, space: int = Space.RECORDS) -> Frame:
    """Return a WRITE of the words in `data`."""
    return Frame(Command.WRITE, sequence, target(space, address) + data)


def target(space: int, address: int) -> bytes:
    """Return space and address as they stand in a request."""
    return bytes([space]) + address.to_bytes(3, "little")
