"""The bus from the command engine into the system."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from sw.spec.numerics import bits_for
from sw.spec.protocol import ADDRESS_BYTES, Space


class BusSignature(wiring.Signature):
    """A bus that transfers one word at a time, seen from the initiator.

    The initiator raises `valid` and holds it and every other output until the cycle of `ready`, in which it samples
    `read_data`, `refused` and `fault`. The target may raise `ready` in the first cycle or any number of cycles later.

    Parameters
    ----------
    word_bits : int
        Width of `write_data` and `read_data`.

    Attributes
    ----------
    valid : Out(1)
        The initiator asks for a transfer.
    write : Out(1)
        The transfer is a write.
    space : Out(2)
        Address space, a `sw.spec.protocol.Space`.
    address : Out(24)
        Word address within the space.
    write_data : Out(word_bits)
        The word to write.
    ready : In(1)
        The transfer is done.
    read_data : In(word_bits)
        The word that was read.
    refused : In(1)
        The space cannot be accessed now.
    fault : In(1)
        The address has no word, or the word cannot be accessed in this direction.
    """

    def __init__(self, word_bits: int) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "write": Out(1),
                "space": Out(ceil_log2(len(Space))),
                "address": Out(8 * ADDRESS_BYTES),
                "write_data": Out(word_bits),
                "ready": In(1),
                "read_data": In(word_bits),
                "refused": In(1),
                "fault": In(1),
            }
        )


def address_exists(address: Value, words: int) -> Value:
    """Return whether a space of `words` words has an address.

    Only the lowest bits of the address are compared with a carry chain; the bits above them must be zero.
    """
    bits = bits_for(words)
    return ~address[bits:].any() & (address[:bits] < words)


def ready_after(m: Module, bus: Any, cycles: int) -> Signal:
    """Return a signal that is high from when a transfer has lasted `cycles` cycles until it is ready.

    Parameters
    ----------
    m : Module
        The target's module; a counter is added to it.
    bus : wiring.PureInterface
        The target's side of a `BusSignature`.
    cycles : int
        Cycles of a transfer before the one with a high signal.
    """
    waited = Signal(range(cycles + 1))
    done = Signal()
    m.d.comb += done.eq(bus.valid & (waited == cycles))
    m.d.sync += waited.eq(Mux(bus.valid & ~bus.ready, waited + (waited != cycles), 0))
    return done
