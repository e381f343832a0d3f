"""The layout of the kernels' arrays: which node lies where, in fixed and in floating point."""

from typing import NamedTuple

import numpy as np

from sw.engine.simd.rows import REGISTER_BYTES
from sw.spec.network import Network

LINE_BYTES = 64
SPAN_BYTES = 1 << 20  # memory begins at a multiple, so that its addresses differ in low bits only: caches hash them
MOST_REGISTERS = 10  # of a first layer's row worked on at a time: as many again hold its sums
FEWEST_OUTPUTS = 4  # of a later layer whose functions lie in rows: below it a row would be mostly padding


class Place(NamedTuple):
    """The place of a layer in the kernels' arrays.

    Attributes
    ----------
    inputs, outputs
        Of the layer.
    padded, width
        Inputs and outputs, filled up to whole registers.
    nodes
        Nodes of a function.
    nodes_at
        First of the layer's nodes.
    stride
        From a node of a function to the next; 1 where a function's nodes lie side by side.
    inputs_at, results_at
        First of the numbers that are kept of the inputs, and of the outputs.
    errors_at
        First of the errors of the outputs as each input sees them.
    divisor
        Of the sum over the inputs.
    """

    inputs: int
    padded: int
    outputs: int
    width: int
    nodes: int
    nodes_at: int
    stride: int
    inputs_at: int
    results_at: int
    errors_at: int
    divisor: int


class MemoryLayout:
    """The places of a network's layers.

    A layer of many outputs has its functions of one input side by side: rows (inputs, nodes, width). A layer of few
    outputs has the nodes of a function side by side: pairs (outputs, padded, nodes). The first layer is always in rows.

    Parameters
    ----------
    network
        The network.
    word
        NumPy type of the nodes.
    row
        Size of later layers' rows that are worked on at a time.
    grouped
        Whether the last layer must be in pairs, since groups of addends have residuals of their own.

    Attributes
    ----------
    places
        The `Place` of each layer.
    size
        Size of the first layer's rows that are worked on at a time.
    rows, pairs
        Words in the arrays of both kinds.
    kept
        Numbers that are kept of the inputs of all layers, and of the outputs.
    slot
        Numbers that are kept of a record in flight.
    starts
        First node of each input's functions, of the first output.
    """

    def __init__(self, network: Network, word: type, row: tuple[int, ...], *, grouped: bool = False):
        lanes, line = (size // np.dtype(word).itemsize for size in (REGISTER_BYTES, LINE_BYTES))
        self.size = (0,) * _at_a_time(-(-network.layers[0].outputs // lanes))
        self.rows = self.pairs = self.kept = errors = 0
        self.places: list[Place] = []
        starts = []
        padded, last = _whole(network.features, lanes), len(network.layers) - 1
        for index, layer in enumerate(network.layers):
            in_rows = not index or (layer.outputs >= FEWEST_OUTPUTS and not (grouped and index == last))
            width = _whole(layer.outputs, lanes * len(row if index else self.size) if in_rows else lanes)
            stride, nodes_at = (_apart(width, line), self.rows) if in_rows else (1, self.pairs)
            inputs_at, self.kept = self.kept, self.kept + _whole(padded, line)
            self.places.append(
                Place(
                    layer.inputs,
                    padded,
                    layer.outputs,
                    width,
                    layer.nodes,
                    nodes_at,
                    stride,
                    inputs_at,
                    self.kept,
                    errors,
                    layer.divisor,
                )
            )
            starts.append((nodes_at if in_rows else 0) + np.arange(_whole(padded, line)) * layer.nodes * stride)
            if in_rows:
                self.rows += layer.inputs * layer.nodes * stride
            else:
                self.pairs += padded * layer.nodes * layer.outputs
                errors += padded * layer.outputs
            padded = width
        self.rows = _whole(self.rows, line)
        self.kept += _whole(padded, line)
        self.slot = _whole(max(self.kept, errors), line)
        self.starts = np.concatenate([*starts, np.zeros(self.kept - self.places[-1].results_at, np.int64)])

    def views(self, rows: np.ndarray, pairs: np.ndarray) -> list[np.ndarray]:
        """View the nodes of each layer as arrays of `Layer.shape`."""
        views = []
        for place in self.places:
            if place.stride > 1:
                shape = place.inputs, place.nodes, place.stride
                views.append(_part(rows, place.nodes_at, shape)[:, :, : place.outputs])
            else:
                shape = place.outputs, place.padded, place.nodes
                views.append(_part(pairs, place.nodes_at, shape)[:, : place.inputs].transpose(1, 2, 0))
        return views


def _whole(count: int, unit: int) -> int:
    """At least `count`, in whole units."""
    return -(-count // unit) * unit


def _at_a_time(registers: int) -> int:
    """Choose how many registers of a row to work on at a time.

    Going over the inputs once more costs about as much as a register.
    """
    return min(range(min(MOST_REGISTERS, registers), 0, -1), key=lambda count: -(-registers // count) * (count + 1))


def _apart(width: int, line: int) -> int:
    """Count the numbers from a row to the next: rows wider than a cache line begin on one, as do their registers."""
    return _whole(width, line) if width > line else width


def _part(array: np.ndarray, at: int, shape: tuple[int, ...]) -> np.ndarray:
    return array[at : at + np.prod(shape)].reshape(shape)


def arena(counts: dict[str, tuple[int, type]]) -> dict[str, np.ndarray]:
    """Allocate arrays of zeros one after the other, each from a cache line on.

    Scattered arrays slow the kernels down by a tenth or more when their addresses happen to collide in a cache.

    Parameters
    ----------
    counts
        Length and type of each array, by name.
    """
    lines = {name: -(-count * np.dtype(kind).itemsize // LINE_BYTES) for name, (count, kind) in counts.items()}
    memory = np.zeros(sum(lines.values()) * LINE_BYTES + SPAN_BYTES, np.uint8)
    at = -memory.ctypes.data % SPAN_BYTES
    arrays: dict[str, np.ndarray] = {}
    for name, (count, kind) in counts.items():
        arrays[name] = memory[at : at + count * np.dtype(kind).itemsize].view(kind)
        at += lines[name] * LINE_BYTES
    return arrays
