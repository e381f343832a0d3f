"""The predictions of a core on their way out: a FIFO whose places are promised to records before they start."""

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hw.datapath.ports import word_array
from hw.datapath.strobes import register_fifo
from sw.spec.network import Network


class PredictionLayout(data.StructLayout):
    """The layout of a prediction: result words, and whether its record was marked as the last of a packet.

    Parameters
    ----------
    network : Network
        The network.
    """

    def __init__(self, network: Network):
        super().__init__({"results": word_array(network.width, network.outputs), "last": 1})


class PredictionQueue(wiring.Component):
    """A FIFO of predictions, as deep as records that wait for results can be many.

    The datapath gives results without back-pressure, so a record may start only while `free` is set: then there is a
    place for its prediction. A prediction can be taken from the cycle after its results on.

    Parameters
    ----------
    network : Network
        The network.
    depth : int
        Predictions that have a place.

    Attributes
    ----------
    free : out, 1
        A record may start in this cycle.
    start, last : in, 1
        A record starts; it is the last of a packet.
    results_valid, results : in
        The results of the oldest record without any.
    predictions : stream of PredictionLayout, out
        The predictions.
    """

    latency = 1

    def __init__(self, network: Network, *, depth: int):
        self.depth = depth
        ports: dict[str, Any] = {
            "free": Out(1),
            "start": In(1),
            "last": In(1),
            "results_valid": In(1),
            "results": In(word_array(network.width, network.outputs)),
            "predictions": Out(stream.Signature(PredictionLayout(network))),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        bits = len(self.predictions.payload.as_value())
        m.submodules.fifo = fifo = SyncFIFO(width=bits, depth=self.depth)
        last = register_fifo(m, self.results_valid, self.start, self.last, self.depth)
        places = Signal(range(self.depth + 1), init=self.depth)
        m.d.comb += [
            self.free.eq(places != 0),
            fifo.w_data.eq(Cat(self.results, last)),
            fifo.w_en.eq(self.results_valid),
            self.predictions.payload.as_value().eq(fifo.r_data),
            self.predictions.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.predictions.ready),
        ]
        m.d.sync += places.eq(places - self.start + (self.predictions.valid & self.predictions.ready))
        return m
