"""The bus from the command engine into the system."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from sw.spec.numerics import bits_for
from sw.spec.protocol import ADDRESS_BYTES, Space


class BusSignature(wiring.Signature):
    """One word a transfer, seen from the initiator.

    The initiator raises `valid` and holds it and every other output until the cycle of `ready`, in which it samples
    `read_data`, `refused` and `fault`. The target may take any number of cycles, also none.

    Parameters
    ----------
    word_bits : int
        Width of `write_data` and `read_data`.

    Members
    -------
    valid : Out(1)
        A transfer is asked for.
    write : Out(1)
        It is a write.
    space : Out(2)
        A `sw.spec.protocol.Space`.
    address : Out(24)
        Word address within the space.
    write_data : Out(word_bits)
    ready : In(1)
        The transfer is done.
    read_data : In(word_bits)
    refused : In(1)
        The space cannot be accessed now.
    fault : In(1)
        There is nothing at this address, or not for this direction.
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


def within(address: Value, words: int) -> Value:
    """Whether an address is one of the first `words`; the bits above those need no carry chain."""
    bits = bits_for(words)
    return ~address[bits:].any() & (address[:bits] < words)


def answer_after(m: Module, bus: Any, cycles: int) -> Signal:
    """High once a transfer has lasted `cycles` cycles; the target then makes it ready."""
    waited = Signal(range(cycles + 1))
    done = Signal()
    m.d.comb += done.eq(bus.valid & (waited == cycles))
    m.d.sync += waited.eq(Mux(bus.valid & ~bus.ready, waited + (waited != cycles), 0))
    return done
