"""Errors of outputs: where a layer's update looks for them."""

from sw.engine.simd.compiling import inlined
from sw.engine.simd.memory import put, spread


@inlined
def show(memory, layer, output, error, slot):
    """Put the error of an output to where the layer's update looks for it."""
    if layer.stride > 1:
        put(memory.back, slot + layer.results_at + output, error)
    else:
        spread(memory.errors, slot + layer.errors_at + output * layer.padded, layer.inputs, error)
