"""Layouts of values on the ports of the datapath."""

from amaranth import signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from sw.spec.network import Network
from sw.spec.protocol import ADDRESS_BYTES
from sw.spec.registers import STATISTICS


def word_array(width: int, count: int) -> data.ArrayLayout:
    """Return the layout of `count` signed words of `width` bits."""
    return data.ArrayLayout(signed(width), count)


class RecordLayout(data.StructLayout):
    """The layout of a record on its way into the trainer: argument codes, target words, whether it is trained on.

    Parameters
    ----------
    network : Network
        The network.
    """

    def __init__(self, network: Network):
        super().__init__(
            {
                "arguments": data.ArrayLayout(unsigned(network.formats[0].argument_bits), network.features),
                "targets": word_array(network.width, network.outputs),
                "train": 1,
            }
        )


COUNTERS = data.StructLayout({register.name: register.bits for register in STATISTICS})
"""The layout of the statistics, a field for each of `sw.spec.registers.STATISTICS`."""


class NodeAccessSignature(wiring.Signature):
    """The host's access to one node at a time.

    `data_read` is valid `TrainerCore.access_latency` cycles after the address, as long as `select` is set; `fault` is
    valid one cycle after the address. A write takes place within `TrainerCore.access_latency`.

    Parameters
    ----------
    width : int
        Bits of a node.

    Attributes
    ----------
    select : out
        Take over the read ports of the node memories.
    write : out
        Write `data_write`; stable for as many cycles as there are contexts.
    address : out
        As in `sw.spec.addresses.NodeAddresses`, with the number of the layer above `LAYER_ADDRESS_BITS`.
    data_write, data_read : out and in, signed words
        The node.
    fault : in
        There is no such node.
    """

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
