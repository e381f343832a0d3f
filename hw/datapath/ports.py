"""Layouts of values on the ports of the datapath."""

from amaranth import signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from sw.spec.network import Network
from sw.spec.protocol import ADDRESS_BYTES
from sw.spec.registers import STATISTICS


def word_array(width: int, count: int) -> data.ArrayLayout:
    """`count` signed words."""
    return data.ArrayLayout(signed(width), count)


class RecordLayout(data.StructLayout):
    """A record on its way into the trainer: argument codes, target words, and whether it is trained on."""

    def __init__(self, network: Network):
        super().__init__(
            {
                "arguments": data.ArrayLayout(unsigned(network.formats[0].argument_bits), network.features),
                "targets": word_array(network.width, network.outputs),
                "train": 1,
            }
        )


COUNTERS = data.StructLayout({register.name: register.bits for register in STATISTICS})


class NodeAccessSignature(wiring.Signature):
    """One node at a time, addressed as in `sw.spec.addresses.NodeAddresses`; `fault`: no such node.

    `select` must be held; data are there `TrainerCore.access_latency` cycles after the address, `fault` the cycle after
    it. A `write` must be held for as many cycles as there are contexts, and is obeyed within
    `TrainerCore.access_latency`."""

    def __init__(self, width: int):
        super().__init__(
            {
                "select": Out(1),
                "write": Out(1),
                "address": Out(8 * ADDRESS_BYTES),
                "data_write": Out(signed(width)),
                "data_read": In(signed(width)),
                "fault": In(1),
            }
        )
