"""A layer that does not train: its forward path, with nodes in read-only memories."""

from functools import cached_property
from typing import Any

import numpy as np
from amaranth import Cat, Module, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.forward_path import ForwardPath
from hw.datapath.node_bank import NodeRead, row_words
from hw.datapath.node_memory import rows_of_segment
from hw.datapath.pipeline import Pipeline
from hw.datapath.ports import word_array
from hw.datapath.shared_multiplier import SharedMultiplier
from hw.datapath.tile import Tile
from hw.fpga.resources import MemoryShape
from hw.fpga.technology import Technology
from sw.spec.addresses import NodeAddresses
from sw.spec.numerics import LayerFormat


class NodeRom(wiring.Component):
    """The node memory of a tap, read-only, with the read latency of a `hw.datapath.node_memory.NodeMemory`.

    Parameters
    ----------
    form : LayerFormat
        Bit fields of the layer.
    slots : int
        Groups of functions.
    rows : (ndarray, ndarray)
        Rows of the bank of even nodes and of that of odd nodes, (rows, lanes).
    technology : Technology
        The FPGA family.

    Attributes
    ----------
    forward : in
        `slot` and `segment`; `read.latency` cycles later the `even` and the `odd` nodes (out) of the segment, one a
        lane.
    read : NodeRead
        When it is read, from slot and segment on.
    """

    def __init__(self, form: LayerFormat, *, slots: int, rows: tuple[np.ndarray, np.ndarray], technology: Technology):
        self.form, self.slots, self.rows, self.technology = form, slots, rows, technology
        self.read = NodeRead.of(len(rows[0]), technology)
        nodes = word_array(form.word.width, rows[0].shape[1])
        port = {
            "slot": Out(range(max(slots, 2))),
            "segment": Out(range(form.segments)),
            "even": In(nodes),
            "odd": In(nodes),
        }
        super().__init__({"forward": In(wiring.Signature(port))})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        pipe, port = Pipeline(m, self.technology), self.forward
        places = rows_of_segment(self.form, self.slots, port.slot, port.segment)
        for name, image, place, nodes in zip(("even", "odd"), self.rows, places, (port.even, port.odd), strict=True):
            width = self.form.word.width * image.shape[1]
            depth = max(len(image), 2)
            shape = MemoryShape(name="nodes", width=width, depth=depth, storage=self.technology.storage(depth))
            m.submodules[name] = rom = Memory(
                shape=unsigned(width),
                depth=depth,
                init=row_words(image, self.form.word.width),
                attrs=shape.attributes,
            )
            row = pipe.fan_out(pipe.input(place), self.read.stage)
            found = self.read.nodes(pipe, self.read.port(rom), row)
            m.d.comb += nodes.as_value().eq(pipe.at(found, self.read.latency))
        return m


class _Interpolation:
    """The only multiplier of a function that does not train."""

    def __init__(self, pipe: Pipeline, form: LayerFormat):
        self.interpolation = SharedMultiplier(pipe, a_width=form.word.width + 1, b_width=form.offset_bits + 1)


class InferenceLayer(wiring.Component):
    """The functions of a layer, of which a tile of `taps` inputs and `lanes` outputs is evaluated each clock.

    It takes a slot every clock, without back-pressure. The results of an output group are valid `latency` cycles after
    its last slot, as in a `hw.datapath.layer.LayerUnit` of the same family.

    Parameters
    ----------
    form : LayerFormat
        Bit fields.
    addresses : NodeAddresses
        Where each node lies: the layer and its folding.
    nodes : ndarray of shape `Layer.shape`
        The nodes.
    technology : Technology
        The FPGA family.
    first : bool
        Whether it is the network's first layer.

    Attributes
    ----------
    forward : in
        A slot and its argument codes, one a tap; `first` and `last` mark the ends of an output group.
    results : out
        The signed results of an output group, one a lane.
    """

    contexts = 1

    def __init__(
        self, form: LayerFormat, addresses: NodeAddresses, nodes: np.ndarray, *, technology: Technology, first: bool
    ):
        layer, folding = addresses.layer, addresses.folding
        self.form, self.technology, self.first = form, technology, first
        self.taps, self.lanes = folding.taps, folding.lanes
        self.input_groups, self.output_groups = layer.inputs // folding.taps, layer.outputs // folding.lanes
        self.slots = addresses.slots
        self.memories: Any = [
            NodeRom(form, slots=self.slots, rows=rows, technology=technology) for rows in addresses.banks(nodes)
        ]
        forward = {
            "valid": Out(1),
            "slot": Out(range(max(self.slots, 2))),
            "arguments": Out(data.ArrayLayout(unsigned(form.argument_bits), self.taps)),
            "first": Out(1),
            "last": Out(1),
        }
        results = {"valid": Out(1), "values": Out(word_array(form.result_bits, self.lanes))}
        super().__init__({"forward": In(wiring.Signature(forward)), "results": Out(wiring.Signature(results))})

    @property
    def entry(self) -> int:
        """Cycles on the path to all of its taps, as in a `LayerUnit`."""
        return int(self.first and self.technology.fine_stages)

    @property
    def latency(self) -> int:
        """Cycles from a slot to the results, as built."""
        return self._built[1]

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        return self._built[0]

    @cached_property
    def _built(self) -> tuple[Module, int]:
        m = Module()
        for tap, memory in enumerate(self.memories):
            m.submodules[f"tap{tap}"] = memory
        pipe = Pipeline(m, self.technology)
        multipliers: Any = [[_Interpolation(pipe, self.form) for _ in range(self.lanes)] for _ in range(self.taps)]
        tile = Tile(m, pipe, self.form, self.lanes, self.memories, multipliers)
        path = ForwardPath(tile, self.forward, input_groups=self.input_groups, entry=self.entry)
        m.d.comb += [
            self.results.values.as_value().eq(Cat(*(result.value for result in path.results))),
            self.results.valid.eq(pipe.at(path.present, path.cycle)),
        ]
        return m, path.cycle
