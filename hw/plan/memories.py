"""The memories of a design: their shapes, and whether they lie in block RAM or in logic cells."""

from dataclasses import replace

from hw.datapath.node_bank import bank_memory
from hw.design.design import Design
from hw.fpga.resources import MemoryShape
from hw.link.cobs import encoder_memory
from hw.link.frames import packet_memory
from hw.soc.bus_targets import text_memory
from hw.soc.record_store import record_memory
from hw.soc.register_file import counter_memory
from sw.spec.addresses import NodeAddresses


def memories_of(design: Design) -> list[MemoryShape]:
    """Return all memories of a design; those of the schedule take time to find."""
    configuration = design.configuration
    text = text_memory(configuration.text, word_bits=configuration.word_bits)
    return [*memories_before_planning(design), *design.plan.buffers.memories, text]


def memories_before_planning(design: Design) -> list[MemoryShape]:
    """Return the memories that do not depend on the schedule: record store, link, registers, nodes."""
    width, technology = design.network.width, design.board.technology
    shapes = [
        record_memory(width=width, rows=design.store_rows, row_words=design.row_words, technology=technology),
        packet_memory(),
        encoder_memory(),
        counter_memory(design.registers),
    ]
    for index, layer in enumerate(map(NodeAddresses, design.network.layers, design.foldings)):
        for bank, rows in (("even", layer.even_rows), ("odd", layer.odd_rows)):
            shape = bank_memory(
                rows=design.contexts * rows, width=width, lanes=layer.folding.lanes, technology=technology
            )
            shapes.append(replace(shape, name=f"{bank} nodes of layer {index}", count=layer.folding.taps))
    return shapes
